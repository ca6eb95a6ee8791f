"""Merge rules: how the outputs of the steps that meet in a join become one value.

A rule is a pure function of a mapping from step to output, in the order of the join. An output of None is that of a
branch that brought nothing: ``list`` and ``dict`` show it, ``all`` and ``any`` count it as false, the others pass it
over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..agents.messages import Filled
from ..core.errors import UnderstudyError
from .values import ExpressionError, attribute, hint, kind
from .vector import Vector

Outputs = Mapping[str, Any]
Rule = Callable[[Outputs], Any]


def merged(rule: str | Rule, outputs: Outputs) -> Any:
    """One value from ``outputs``, by the name of a rule or by a function. Raises UnderstudyError where it cannot."""
    if isinstance(rule, str):
        if rule not in MERGES:
            raise UnderstudyError(f"merge: there is no rule '{rule}'", mend=hint(rule, MERGES))
        return MERGES[rule](outputs)
    try:
        return rule(outputs)
    except Exception as error:
        raise UnderstudyError(f"merge: {type(error).__name__}: {error}") from error


def _list(outputs: Outputs) -> list[Any]:
    return list(outputs.values())


def _dict(outputs: Outputs) -> dict[str, Any]:
    return dict(outputs)


def _first(outputs: Outputs) -> Any:
    return next(_brought(outputs.values()), None)


def _last(outputs: Outputs) -> Any:
    return next(_brought(reversed(tuple(outputs.values()))), None)


def _concat(outputs: Outputs) -> Any:
    found = {step: value for step, value in outputs.items() if value is not None}
    if found and all(isinstance(value, str) for value in found.values()):
        return "".join(found.values())
    for step, value in found.items():
        if not isinstance(value, list | tuple | Vector):
            raise _unfit("concat", step, value, "lists alone or texts alone")
    return [item for value in found.values() for item in value]


def _union(outputs: Outputs) -> list[Any]:
    items: list[Any] = []
    for value in _brought(outputs.values()):
        items.extend(value) if isinstance(value, list | tuple | Vector) else items.append(value)
    return [item for item, _ in _counted(items)]


def _sum(outputs: Outputs) -> Any:
    for step, value in outputs.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _unfit("sum", step, value, "numbers")
    return sum(_brought(outputs.values()))


def _all(outputs: Outputs) -> bool:
    return all(outputs.values())


def _any(outputs: Outputs) -> bool:
    return any(outputs.values())


def _majority(outputs: Outputs) -> Any:
    votes = _counted(_brought(outputs.values()))
    return max(votes, key=lambda vote: vote[1])[0] if votes else None


def _best(outputs: Outputs) -> Any:
    best, highest = None, None
    for step, value in outputs.items():
        if value is None:
            continue
        try:
            confidence = attribute(value, "confidence")
        except ExpressionError:
            confidence = None
        if isinstance(confidence, bool) or not isinstance(confidence, int | float):
            raise _unfit("best", step, value, "values with a number under 'confidence'")
        if highest is None or confidence > highest:
            best, highest = value, confidence
    return best


def _brought(values: Iterable[Any]) -> Any:
    return (value for value in values if value is not None)


def _counted(values: Iterable[Any]) -> list[tuple[Any, int]]:
    """Each value that there is, once, in the order of their first appearance, and how often it is there."""
    places: dict[Any, int] = {}
    rest: list[int] = []  # the places of those that cannot be hashed
    found: list[tuple[Any, int]] = []
    for value in values:
        try:
            place = places.setdefault(_key(value), len(found))
        except TypeError:
            place = next((one for one in rest if _key(found[one][0]) == _key(value)), len(found))
            if place == len(found):
                rest.append(place)
        if place == len(found):
            found.append((value, 1))
        else:
            found[place] = found[place][0], found[place][1] + 1
    return found


def _key(value: Any) -> Any:
    if isinstance(value, Filled):  # who says the same with less certainty says the same
        value = value.model_copy(update=_CERTAIN)
    return isinstance(value, bool), value  # 1 equals True, and is no vote for it


_CERTAIN = {name: info.default for name, info in Filled.model_fields.items()}


def _unfit(rule: str, step: str, value: Any, wants: str) -> UnderstudyError:
    mend = "choose another rule, or give a function of a mapping from step to output"
    return UnderstudyError(f"merge: '{rule}' takes {wants}, and {step} gave {kind(value)}", mend=mend)


MERGES: Mapping[str, Rule] = {
    "list": _list, "dict": _dict, "first": _first, "last": _last, "concat": _concat, "union": _union, "sum": _sum,
    "all": _all, "any": _any, "majority": _majority, "best": _best,
}  # fmt: skip
"""The rules by name."""
