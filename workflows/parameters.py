"""How a function wants its arguments, read from its signature once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import UnderstudyError


@dataclass(frozen=True)
class Parameters:
    """How a function is called.

    Attributes:
        needed: the parameters that have no default.
        optional: those that have one and may be given by name.
        value: the parameter that takes what the step is given; None: there is none.
        positional: ``value`` has no name that it could be given by.
        woven: it is a coroutine function, to be awaited in the event loop; others get a thread.
    """

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    value: str | None = "value"
    positional: bool = True
    woven: bool = False

    def arguments(self, value: Any, scope: Mapping[str, Any], item: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and named arguments.

        A parameter that has the name of something in ``scope`` gets that; with a default it may be missing there. A
        single one without a default, of another name, gets ``value``: what the step before gave. For an ``item`` of
        an each it is the item whatever its name. Raises UnderstudyError where a name means nothing.
        """
        if self.value is not None and not self.needed and not self.optional:
            return (value,), {}
        named = {name: scope[name] for name in self.optional if name in scope} if self.optional else {}
        if len(self.needed) > 1:
            for name in self.needed:
                if name not in scope:
                    mend = f"there is: {', '.join(scope)}; or give the step an input, or the parameter a default"
                    raise UnderstudyError(f"nothing is named {name!r}", mend=mend)
                named[name] = scope[name]
            return (), named
        if self.value is None or (not self.needed and named):
            return (), named
        given = value if item or self.positional or self.value not in scope else scope[self.value]
        if self.positional or self.value not in self.needed:
            return (given,), named
        named[self.value] = given
        return (), named


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """How ``function`` wants its arguments; one that does not tell gets the value."""
    woven = inspect.iscoroutinefunction(function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Parameters(woven=woven)
    kinds = {one.name: one.kind for one in parameters}
    plain = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    needed = tuple(one.name for one in plain if one.default is one.empty)
    optional = tuple(one.name for one in plain if one.default is not one.empty and one.kind is not one.POSITIONAL_ONLY)
    if len(needed) == 1:
        unnamed = kinds[needed[0]] is inspect.Parameter.POSITIONAL_ONLY
        return Parameters(needed, optional, needed[0], unnamed, woven)
    first = next((one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.KEYWORD_ONLY)), None)
    return Parameters(needed, optional, None if needed else first, True, woven)
