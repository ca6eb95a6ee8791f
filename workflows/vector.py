"""A persistent list: changing one place copies one small block, so that old states stay as they were and cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_WIDTH = 64


@dataclass(frozen=True)
class Vector(Generic[T]):
    """An immutable sequence of blocks.

    >>> first = Vector.of("abc")
    >>> list(first.put(1, "B")), list(first), list(first.add("d"))
    (['a', 'B', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'])
    """

    blocks: tuple[tuple[T, ...], ...] = ()
    length: int = 0

    @classmethod
    def of(cls, items: Iterable[T]) -> Vector[T]:
        """A vector of ``items``."""
        every = tuple(items)
        return cls(tuple(every[at : at + _WIDTH] for at in range(0, len(every), _WIDTH)), len(every))

    def put(self, index: int, item: T) -> Vector[T]:
        """The vector with ``item`` at ``index``."""
        at, within = divmod(index, _WIDTH)
        block = self.blocks[at]
        changed = (*block[:within], item, *block[within + 1 :])
        return Vector((*self.blocks[:at], changed, *self.blocks[at + 1 :]), self.length)

    def add(self, item: T) -> Vector[T]:
        """The vector with ``item`` behind its last."""
        if self.blocks and len(self.blocks[-1]) < _WIDTH:
            return Vector((*self.blocks[:-1], (*self.blocks[-1], item)), self.length + 1)
        return Vector((*self.blocks, (item,)), self.length + 1)

    def __getitem__(self, index: int) -> T:
        at, within = divmod(index, _WIDTH)
        return self.blocks[at][within]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[T]:
        for block in self.blocks:
            yield from block
