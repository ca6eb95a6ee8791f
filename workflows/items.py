"""Items of an ``each``: what they wait for, which may start, and what their expressions see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .scope import Scope
from .state import Visit
from .values import field_names

_PLAIN = (int, float, str, bool, list, tuple, type(None))


def positions(items: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    """For each item, the 0-based indexes of the items that it ``needs``; () where no item has such a field.

    ``needs`` counts from 1. What is not a list of whole numbers is somebody else's field and means nothing here.
    """
    found = [_needs(item) for item in items]
    return tuple(tuple(need - 1 for need in needs or ()) for needs in found) if any(found) else ()


def _needs(item: Any) -> Sequence[int] | None:
    if type(item) in _PLAIN or "needs" not in field_names(item):
        return None
    needs = item["needs"] if isinstance(item, Mapping) else item.needs
    whole = isinstance(needs, list | tuple) and all(type(need) is int for need in needs)
    return needs if whole else None


def ahead(visit: Visit) -> int | None:
    """The first item that waits for nobody any more; None where all wait or are under way."""
    if not visit.needs and visit.cursor < len(visit.slots) and visit.slots[visit.cursor].status == "waiting":
        return visit.cursor
    for index in range(visit.cursor, len(visit.slots)):
        if visit.slots[index].status == "waiting":
            if not visit.needs:
                return index
            needs = visit.needs[index]
            # A need that is no earlier item can never be met: the item may go on, to fail saying so.
            if all(not 0 <= need < index or visit.slots[need].status in ("done", "failed") for need in needs):
                return index
    return None


def item_scope(scope: Scope, item: Any, index: int, found: Sequence[Any] | None) -> Scope:
    """``scope`` with ``item`` and ``index``; ``item.needs`` is what the needed items gave."""
    shown = item
    if found is not None and _needs(item) is not None:
        names = field_names(item)
        shown = {name: item[name] if isinstance(item, Mapping) else getattr(item, name) for name in names}
        shown["needs"] = list(found or ())
    return scope.of_item(item=shown, index=index)
