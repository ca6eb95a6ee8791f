"""How a function wants its arguments, read from its signature once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameters:
    """How a function is called.

    Attributes:
        needed: the parameters that have no default.
        takes_value: whether one takes the value that the step is given.
        by_name: whether all go by name.
        woven: it is a coroutine function, to be awaited in the event loop; others get a thread.
    """

    needed: tuple[str, ...] = ()
    takes_value: bool = True
    by_name: bool = False
    woven: bool = False


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """How ``function`` wants its arguments; one that does not tell gets the value."""
    woven = inspect.iscoroutinefunction(function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Parameters(woven=woven)
    needed = [
        one for one in parameters
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]  # fmt: skip
    takes_value = bool(needed) or any(one.kind is not one.VAR_KEYWORD for one in parameters)
    by_name = len(needed) > 1 or any(one.kind is one.KEYWORD_ONLY for one in needed)
    return Parameters(tuple(one.name for one in needed), takes_value, by_name, woven)
