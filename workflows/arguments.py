"""What an effect is given: the message for an agent, the arguments for a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from ..agents.messages import Message, first_mistake
from ..agents.requests import message_from
from ..core.errors import UnderstudyError
from .function_names import called
from .parameters import Parameters, parameters_of
from .state import Start
from .values import field_names
from .vector import as_tuples


def message_for(agent: Any, start: Start) -> Message:
    """The message of the type that ``agent`` takes.

    From the step's ``input`` where it has one. Otherwise the value itself, if it has that type, or a message whose
    fields are looked up by name: in the item or the output before, in the workflow's input, in the team (``cast``);
    ``given`` is what the needed items gave. Raises UnderstudyError for what is missing or wrong.
    """
    takes = getattr(agent, "takes", None)
    if not (isinstance(takes, type) and issubclass(takes, Message)):
        if start.arguments is None and isinstance(start.value, Message):
            return start.value
        raise UnderstudyError(
            f"it is not known what the agent {agent_name(start)!r} takes",
            where=start.step,
            mend="give the agent a `takes`, or hand it a message from the step before",
        )
    if start.arguments is not None:
        fields: Mapping[str, Any] = as_tuples(start.arguments)
    elif isinstance(start.value, takes):
        return start.value
    else:
        fields = _by_name(takes, start)
    try:
        made = takes.model_validate(dict(fields))
    except ValidationError as error:
        raise UnderstudyError(
            f"{takes.message_name}.{first_mistake(error)}",
            where=start.step,
            mend=f"its input has to give: {', '.join(takes.model_fields)}",
        ) from None
    return made


def input_for(flow: Any, start: Start) -> Any:
    """What the run begins with that does ``start`` with the workflow ``flow``.

    For a workflow that takes any value the step's ``input`` or the value itself; otherwise a message as for an agent,
    where a text stands for the one field that it needs. Raises UnderstudyError for what is missing or wrong.
    """
    if flow.takes is None:
        return start.value if start.arguments is None else as_tuples(dict(start.arguments))
    if start.arguments is None and isinstance(start.value, str):
        return message_from(flow.takes, start.value, start.step)
    return message_for(flow, start)


def agent_name(start: Start) -> str:
    """The agent of ``start`` by name."""
    return str(getattr(start.agent, "name", start.agent))


def _by_name(takes: type[Message], start: Start) -> dict[str, Any]:
    found: dict[str, Any] = {}
    item = start.scope.get("item")
    for name in takes.model_fields:
        if name == "given" and "needs" in field_names(item):
            found[name] = item["needs"] if isinstance(item, Mapping) else getattr(item, "needs", ())
            continue
        for place in (item, start.value, start.scope.get("input"), start.scope.get("team")):
            if name in field_names(place):
                found[name] = place[name] if isinstance(place, Mapping) else getattr(place, name)
                break
    return found


def call_arguments(
    function: Callable[..., Any], start: Start, parameters: Parameters | None = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments for a function: those of the step's ``input``, or by :class:`Parameters`.

    Raises UnderstudyError where a name means nothing.
    """
    if start.arguments is not None:
        return (), dict(start.arguments)
    parameters = parameters or parameters_of(function)
    try:
        return parameters.arguments(start.value, start.scope, start.index is not None)
    except UnderstudyError as error:
        what = f"{error.what} for the function {called(function)}"
        raise UnderstudyError(what, where=start.step, mend=error.mend) from None
