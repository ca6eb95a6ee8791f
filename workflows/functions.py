"""Understudy's own functions, which every YAML file may name under ``call``. All are pure.

>>> fill("{n} of {items}", n=2, items=["tea", "rice"])
'2 of tea, rice'
>>> chunks(["a", "b", "c"], 2)
[['a', 'b'], ['c']]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..agents.messages import Finding, PlannedStep
from ..core.errors import UnderstudyError
from .values import attribute, field_names, hint, kind

T = TypeVar("T")

PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def combine(steps: Sequence[PlannedStep], findings: Sequence[Finding | None]) -> Finding:
    """One finding from those of a plan's steps: what the steps found whose results no other step reads.

    Such steps answer the request, or each a part of it; the others only lead there, and are among the sources.
    The finding abstains where one of its parts does, or one on which a part rests, and is as confident as the least
    confident of them: who computes with a doubtful value has a doubtful result.
    """
    read = {number for step in steps for number in step.needs}
    last = [finding for number, finding in enumerate(findings, 1) if number not in read and finding is not None]
    sources = [source for finding in findings if finding is not None for source in finding.sources]
    return Finding(
        answer="; ".join(finding.answer for finding in last),
        values=tuple(dict.fromkeys(value for finding in last for value in finding.values)),
        sources=tuple(source for place, source in enumerate(sources) if source not in sources[:place]),
        abstained=not last or any(finding is None or finding.abstained for finding in findings),
        confidence=min((finding.confidence for finding in findings if finding is not None), default=0.0),
    )


def same(value: T) -> T:
    """What it is given: for a step that only joins, merges or names something."""
    return value


def record(**fields: Any) -> dict[str, Any]:
    """A mapping of its inputs."""
    return fields


def merge(mappings: Sequence[Any]) -> dict[str, Any]:
    """One mapping of several mappings or messages; of a field that several have, the last."""
    merged: dict[str, Any] = {}
    for one in mappings:
        if one is not None:
            if not isinstance(one, Mapping) and not field_names(one):
                raise UnderstudyError(f"merge takes mappings, not {kind(one)}")
            merged |= {name: attribute(one, name) for name in field_names(one)}
    return merged


def fill(template: str, **values: Any) -> str:
    """The text with each ``{name}`` replaced by that input; a list is written with commas.

    Raises UnderstudyError for a name that is not given.
    """
    def replaced(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in values:
            raise UnderstudyError(f"the template has {{{name}}}, which is not given", mend=hint(name, values))
        value = values[name]
        return ", ".join(map(str, value)) if _is_list(value) else str(value)

    return PLACE.sub(replaced, template)


def join_texts(texts: Sequence[str], between: str = "\n") -> str:
    """One text of several; what is null is left out."""
    return between.join(str(text) for text in texts if text is not None)


def split_text(text: str, by: str = "\n") -> list[str]:
    """The parts of a text, without blanks around them; empty ones are left out."""
    return [part.strip() for part in text.split(by) if part.strip()] if by else text.split()


def chunks(items: Sequence[T], size: int) -> list[list[T]]:
    """Lists of ``size`` items each, in their order; the last may be shorter."""
    if size < 1:
        raise UnderstudyError(f"chunks of {size} items", mend="give a size of at least 1")
    every = list(items)
    return [every[start : start + size] for start in range(0, len(every), size)]


def count(values: Sequence[Any]) -> dict[str, int]:
    """How often each value is there, the most frequent first; what is null is left out."""
    found: dict[str, int] = {}
    for value in values:
        if value is not None:
            found[str(value)] = found.get(str(value), 0) + 1
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def total(numbers: Sequence[float]) -> float:
    """The sum; what is null is left out."""
    return sum(number for number in numbers if number is not None)


def first(values: Sequence[T | None]) -> T | None:
    """The first that is not null; null where all are."""
    return next((value for value in values if value is not None), None)


def best(values: Sequence[T | None], by: str = "confidence") -> T | None:
    """The one with the highest field ``by``, the earliest of several; null where all are."""
    known = [value for value in values if value is not None]
    return max(known, key=lambda value: attribute(value, by)) if known else None


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        combine, same, record, merge, fill, join_texts, split_text, chunks, count, total, first, best,
    )
}  # fmt: skip
"""By name."""
