"""The names that expressions see: the input, the team, the outputs of steps, growing lists, the item of an each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Scope(Mapping[str, Any]):
    """A view of maps that are never changed, made in constant time however many steps there are.

    Args:
        never: whether no road has led to the step of that name, nor can one that the run is on: to an expression it is
            null, and so are its fields.
    """

    __slots__ = ("_lists", "_never", "_outputs", "_own", "met")

    def __init__(
        self, own: Mapping[str, Any], outputs: Mapping[str, Any], lists: Mapping[str, Any],
        never: Callable[[str], bool] | None = None,
    ) -> None:  # fmt: skip
        self._own = own
        self._outputs = outputs
        self._lists = lists
        self._never = never
        self.met = False

    def untaken(self, name: str) -> bool:
        """Whether ``name`` is a step that no road has led to; :attr:`met` says whether there was one."""
        found = self._never is not None and self._never(name)
        self.met = self.met or found
        return found

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

    def of_effect(self) -> Scope:
        """What is kept with an effect: the same names, without the state of the run that knows of its roads."""
        return Scope(self._own, self._outputs, self._lists)

    def of_item(self, **own: Any) -> Scope:
        """The same with ``item`` and ``index``."""
        return Scope({**self._own, **own}, self._outputs, self._lists, self._never)
