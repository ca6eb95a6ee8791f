"""A function in the place of an agent that is chosen by name while the run goes on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from ...agents.messages import Finding, Message, Task
from ..parameters import parameters_of


class FunctionAgent:
    """Takes the message that its function's one parameter is annotated with, otherwise a :class:`Task`.

    The function is given the fields of the Task that it has parameters for, or else the message itself. A text that
    it returns becomes a :class:`Finding` of that value; anything else has to be a message.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.does = (inspect.getdoc(function) or "").partition("\n")[0]
        whole, parameters = _annotated(function), parameters_of(function)
        self.takes = whole or Task
        self._fields: tuple[str, ...] | None = None
        if whole is None and set(parameters.needed) <= set(Task.model_fields):
            optional = (name for name in parameters.optional if name in Task.model_fields)
            self._fields = (*parameters.needed, *optional)
        self._function, self._woven = function, parameters.woven

    @staticmethod
    def fits(doer: Any) -> bool:
        """Whether ``doer`` is a function, not an agent or the name of one."""
        return callable(doer) and not hasattr(doer, "handle")

    async def handle(self, message: Message) -> Message:
        """What the function makes of ``message``."""
        given = (message,) if self._fields is None else ()
        named = {name: getattr(message, name) for name in self._fields or ()}
        if self._woven:
            found = await self._function(*given, **named)
        else:
            found = await asyncio.to_thread(self._function, *given, **named)
            found = await found if inspect.isawaitable(found) else found
        return Finding(answer=found, values=(found,)) if isinstance(found, str) else found


def _annotated(function: Callable[..., Any]) -> type[Message] | None:
    try:
        hints = get_type_hints(function)
    except Exception:  # an annotation that names what is not there: nothing is known of the types
        return None
    hints.pop("return", None)
    only = next(iter(hints.values()), None) if len(hints) == 1 else None
    return only if isinstance(only, type) and issubclass(only, Message) else None
