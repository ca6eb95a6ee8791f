"""Requests from outside: a text or plain fields become the message that a role or a team takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from ..core.errors import UnderstudyError
from .messages import Filled, Message, first_mistake

M = TypeVar("M", bound=Message)
_DOUBT = set(Filled.model_fields)


def message_from(takes: type[M], request: str | Mapping[str, Any] | Message, where: str) -> M:
    """The message of type ``takes`` in ``request``: its fields, another message's, or the text of its one field.

    >>> from understudy.agents.messages import Task
    >>> message_from(Task, "Which neighbours of France use the euro?", "desk").request
    'Which neighbours of France use the euro?'

    Raises UnderstudyError with the field that is missing, unknown or of the wrong type, and ``where``.
    """
    if isinstance(request, takes):
        return request
    if isinstance(request, str):
        needed = [name for name, info in takes.model_fields.items() if info.is_required()]
        if not takes.model_fields:
            raise UnderstudyError("it takes nothing", where=where, mend="leave the request out, or give {}")
        if len(needed) != 1:
            what = f"it takes {len(takes.model_fields)} fields ({', '.join(takes.model_fields)})"
            raise UnderstudyError(what, where=where, mend="give them by name, as JSON")
        request = {needed[0]: request}
    given: object = request  # whatever its annotation says: it comes from outside
    if not isinstance(given, Mapping | Message):
        mend = f"it takes {', '.join(takes.model_fields)}"
        raise UnderstudyError("a request is a text, or fields by name", where=where, mend=mend)
    values = given.model_dump() if isinstance(given, Message) else dict(given)
    if isinstance(given, Filled):
        values = {name: value for name, value in values.items() if name in takes.model_fields or name not in _DOUBT}
    try:
        return takes.model_validate(values)
    except ValidationError as error:
        mend = f"it takes {', '.join(takes.model_fields) or 'nothing'}"
        raise UnderstudyError(first_mistake(error), where=where, mend=mend) from None
