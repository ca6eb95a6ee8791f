"""The names that expressions see: the input, the team, the outputs of steps, growing lists, the item of an each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Scope(Mapping[str, Any]):
    """A view of maps that are never changed, made in constant time however many steps there are."""

    __slots__ = ("_lists", "_outputs", "_own")

    def __init__(
        self, own: Mapping[str, Any], outputs: Mapping[str, Any], lists: Mapping[str, Any]
    ) -> None:
        self._own = own
        self._outputs = outputs
        self._lists = lists

    def __getitem__(self, name: str) -> Any:
        if name in self._own:
            return self._own[name]
        if name in self._lists:
            return self._lists[name]
        return self._outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._own, **self._outputs, **self._lists})

    def __len__(self) -> int:
        return len({**self._own, **self._outputs, **self._lists})

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._outputs or name in self._lists

    def with_outputs(self, others: Mapping[str, Any]) -> Scope:
        """The same with the outputs of ``others`` where there are none."""
        return Scope(self._own, {**others, **self._outputs}, self._lists)

    def of_item(self, **own: Any) -> Scope:
        """The same with ``item`` and ``index``."""
        return Scope({**self._own, **own}, self._outputs, self._lists)
