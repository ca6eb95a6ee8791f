"""A persistent list: changing one place copies one small block, so that old states stay as they were and cheap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar, overload

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

_WIDTH = 32


class Vector(Sequence[T_co]):
    """An immutable sequence of blocks. It equals another with the same items, never a list or a tuple.

    >>> first = Vector.of("abc")
    >>> list(first.put(1, "B")), list(first), list(first.add("d"))
    (['a', 'B', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'])
    """

    __slots__ = ("_blocks", "_length")

    def __init__(self, blocks: tuple[tuple[T_co, ...], ...] = (), length: int = 0) -> None:
        self._blocks = blocks
        self._length = length

    @classmethod
    def of(cls, items: Iterable[T]) -> Vector[T]:
        """A vector of ``items``."""
        every = tuple(items)
        return Vector(tuple(every[at : at + _WIDTH] for at in range(0, len(every), _WIDTH)), len(every))

    def put(self: Vector[T], index: int, item: T) -> Vector[T]:
        """The vector with ``item`` at ``index``."""
        if self._length == 1:
            return Vector(((item,),), 1)
        at, within = divmod(index, _WIDTH)
        block = self._blocks[at]
        changed = (*block[:within], item, *block[within + 1 :])
        return Vector((*self._blocks[:at], changed, *self._blocks[at + 1 :]), self._length)

    def add(self: Vector[T], item: T) -> Vector[T]:
        """The vector with ``item`` behind its last."""
        blocks = self._blocks
        if blocks and len(blocks[-1]) < _WIDTH:
            return Vector((*blocks[:-1], (*blocks[-1], item)), self._length + 1)
        return Vector((*blocks, (item,)), self._length + 1)

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T_co]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if 0 <= index < self._length:
            return self._blocks[index // _WIDTH][index % _WIDTH]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        at, within = divmod(index % self._length, _WIDTH)
        return self._blocks[at][within]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T_co]:
        return chain.from_iterable(self._blocks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self._blocks == other._blocks

    def __hash__(self) -> int:
        return hash(self._blocks)

    def __repr__(self) -> str:
        return f"Vector.of({list(self)!r})"


def as_tuples(value: Any, levels: int = 100) -> Any:
    """``value`` with a tuple for every vector in it, also within lists, tuples and dicts, ``levels`` deep.

    >>> as_tuples({"seen": [Vector.of("ab"), 1]})
    {'seen': [('a', 'b'), 1]}
    """
    kind = type(value)
    if levels and (kind is tuple or kind is Vector):
        return tuple(as_tuples(item, levels - 1) for item in value)
    if levels and kind is list:
        return [as_tuples(item, levels - 1) for item in value]
    if levels and kind is dict:
        return {key: as_tuples(item, levels - 1) for key, item in value.items()}
    return value
