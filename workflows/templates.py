"""Templates that ``fill`` fills: what stands in braces and is not given is found before the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .functions import PLACE
from .kinds import Constant, Kind
from .values import hint


def unfilled(given: Mapping[str, Any], template: Kind, at: str) -> Iterator[tuple[str, str, str, str]]:
    """The mistakes of a step's input for ``fill``: path, what is wrong, why, and how to mend it.

    Args:
        given: the input, by name.
        template: the kind of what stands under ``template``; nothing is said of one that is not a constant.
        at: the path of the input.
    """
    if not isinstance(template, Constant) or not isinstance(template.value, str):
        return
    there = [name for name in given if name != "template"]
    for name in dict.fromkeys(PLACE.findall(template.value)):
        if name not in there:
            mend = hint(name, there) or f"add {name}: …"
            yield f"{at}.template", f"the template has {{{name}}}, which is not given", "", mend
