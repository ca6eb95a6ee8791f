"""A registered function in place of a role: an agent that needs no head, and nothing to be learned."""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from ..agents.messages import Finding, Message, Task, first_mistake
from ..agents.role import Role
from ..core.errors import UnderstudyError
from .calls import CALLS
from .fitting import Fit, fit
from .kinds import kind_of
from .values import kind

if TYPE_CHECKING:
    from ..agents.role import Ask, Context


class Given(Message, message_name="call.Given"):
    """The answer of a function that does not say what it returns, where that is neither a message nor a text."""

    value: Any


def _nothing(*_: Any) -> None:
    raise UnderstudyError("a role without a function")


@dataclass(frozen=True)
class FunctionRole(Role):
    """What ``function`` does, as a role.

    It takes a message with the function's parameters as fields: a Task where these are ``request``, or ``request`` and
    ``given``, and the very message where its one parameter is annotated as one. It gives what the function returns: a
    message as it is, a text as a Finding of that ``answer``, anything else as a message with one field ``value``.

    Attributes:
        function: plain (it runs in a thread) or async.
        parameters: those that get a field each; None: the one gets the message itself.
        wrapped: the field that holds what the function returns; None where that is the message.
    """

    function: Callable[..., Any] = _nothing
    parameters: tuple[str, ...] | None = ()
    wrapped: str | None = None

    async def handle(self, message: Any, context: Context, ask: Ask) -> Message:
        """What the function makes of ``message``. Raises UnderstudyError for an answer that its type does not allow."""
        given = (message,) if self.parameters is None else ()
        named = {name: getattr(message, name) for name in self.parameters or ()}
        if inspect.iscoroutinefunction(self.function):
            return self.answer(await self.function(*given, **named))
        found = await asyncio.to_thread(self.function, *given, **named)
        return self.answer(await found if inspect.isawaitable(found) else found)

    def answer(self, found: Any) -> Message:
        """What the function returned, as a message of the type that it gives. Raises UnderstudyError."""
        from pydantic import ValidationError

        if isinstance(found, self.gives):
            return found
        if isinstance(found, str) and self.gives in (Message, Finding):
            return Finding(answer=found, values=(found,))  # the value that a later task is given
        if self.gives is Message:
            return Given(value=found)
        if self.wrapped is None and not isinstance(found, Mapping):
            shown = found.message_name if isinstance(found, Message) else kind(found)
            what = f"the function '{self.name}' gave {shown}, not {self.gives.message_name}"
            raise UnderstudyError(what, mend="annotate what it returns")
        try:
            return self.gives.model_validate(dict(found) if self.wrapped is None else {self.wrapped: found})
        except ValidationError as error:
            raise UnderstudyError(f"the function '{self.name}' gave a wrong {first_mistake(error)}") from None


def is_function(agent: Any) -> bool:
    """Whether a registered function does what ``agent`` does, so that it needs no head."""
    return isinstance(getattr(agent, "role", None), FunctionRole)


def function_role(name: str) -> FunctionRole:
    """The role that the function registered as ``name`` plays.

    Raises UnderstudyError where there is no such function, or where its parameters are not the fields of a message.
    """
    function = CALLS[name]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        what = f"the function '{name}' does not tell its parameters"
        raise UnderstudyError(what, mend="wrap it in a Python function") from None
    hints = _hints(function)
    whole = _whole(parameters, hints)
    takes = whole or _takes(name, parameters, hints)
    does = (inspect.getdoc(function) or name).split("\n\n")[0].replace("\n", " ")
    gives, wrapped = _gives(name, hints.get("return", Any))
    names = None if whole else tuple(one.name for one in parameters)
    return FunctionRole(name, does, takes, gives, function=function, parameters=names, wrapped=wrapped)


def _whole(parameters: list[inspect.Parameter], hints: Mapping[str, Any]) -> type[Message] | None:
    """The message type of a function's only needed parameter."""
    needed = [one for one in parameters if one.default is one.empty and one.kind not in _OPEN]
    kind = hints.get(needed[0].name) if len(needed) == 1 else None
    return kind if _is_message(kind) else None


def _takes(name: str, parameters: list[inspect.Parameter], hints: Mapping[str, Any]) -> type[Message]:
    fields: dict[str, Any] = {}
    for one in parameters:
        if one.kind in _OPEN or one.kind is one.POSITIONAL_ONLY:
            what = f"the parameter '{one}' of the function '{name}' is no field of a message"
            raise UnderstudyError(what, mend="an agent's function has parameters with names")
        fields[one.name] = (hints.get(one.name, Any), ... if one.default is one.empty else one.default)
    if "request" in fields and set(fields) <= set(Task.model_fields) and _takes_text(fields["request"][0]):
        return Task
    return _message(f"call.{name}.takes", fields)


def _gives(name: str, returned: Any) -> tuple[type[Message], str | None]:
    """The type of the answers, and the field in which they hold what the function returns."""
    if _is_message(returned):
        return returned, None
    union = get_origin(returned) in (Union, types.UnionType) and all(map(_is_message, get_args(returned)))
    if returned is Any or union:
        return Message, None
    if returned is str:
        return Finding, "answer"
    return _message(f"call.{name}.gives", {"value": (returned, ...)}), "value"


def _message(name: str, fields: Mapping[str, Any]) -> type[Message]:
    from pydantic import create_model
    from pydantic.errors import PydanticUserError

    bad = next((field for field in fields if field.startswith("_") or hasattr(Message, field)), None)
    if bad is not None:
        raise UnderstudyError(f"a field cannot be called '{bad}'", where=name, mend="rename the parameter")
    named: Any = {"message_name": name}
    try:
        title = name.replace(".", "_")
        made: type[Message] = create_model(title, __base__=Message, __cls_kwargs__=named, **dict(fields))
    except (PydanticUserError, NameError, TypeError, ValueError) as error:
        raise UnderstudyError(f"its parameters make no message: {error}", where=name) from None
    return made


def _takes_text(hint: Any) -> bool:
    return fit(kind_of(str), kind_of(hint)) is not Fit.NEVER


def _is_message(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Message)


def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return get_type_hints(function)
    except Exception:  # an annotation that names what is not there: nothing is known of the types
        return {}


_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
