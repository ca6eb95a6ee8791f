"""The members of a group: who they are, what each is given, who is named next, and when the talk ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ...agents.messages import CastMember, Message, Task
from ..expressions import Expression
from ..flow import Doer, Workflow
from ..graph import END, WorkflowError
from ..parameters import parameters_of
from ..refs import Ref
from ..values import attribute, field_names, hint

Until: TypeAlias = "Ref | Expression | Callable[..., Any] | None"
"""When a talk ends: a condition, as ``Ref("talk")[-1].abstained``; a function of ``talk``, or of what was said last."""


def cast_of(
    agents: Sequence[Doer], group: str, *, least: int = 2, others: Sequence[Doer] = (), **counts: int
) -> dict[str, Doer]:
    """The members by name: an agent's own, a function's, or the name itself of an agent that is given to the run.

    Raises WorkflowError for fewer than ``least``, for a name that two of them have, or one of them and another agent
    among ``others``, and for ``counts`` under 1.
    """
    for what, count in counts.items():
        if count < 1:
            raise WorkflowError(f"{what} is {count}", where=group, mend="1 or more")
    names = [_name(one) for one in agents]
    if len(names) < least:
        raise WorkflowError(f"it needs {least} members and has {len(names)}", where=group, mend="give it more agents")
    cast = dict(zip(names, agents, strict=True))
    known: dict[str, Doer] = {}
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    reached = [one for one in others if hasattr(one, "handle")]  # by name; a function is only called
    twice += [_name(one) for one in (*agents, *reached) if known.setdefault(_name(one), one) != one]
    if twice:
        mend = "give each a name of its own, functions by def"
        raise WorkflowError(f"two of them are called {twice[0]!r}", where=group, mend=mend)
    return cast


def described(cast: Mapping[str, Doer]) -> tuple[CastMember, ...]:
    """The cast as a planner or a chooser reads it: what an agent ``does``, the first line that documents a function."""
    return tuple(CastMember(name=name, does=_does(one)) for name, one in cast.items())


def hearing(talk: Ref) -> dict[str, Ref]:
    """What was said, by the names that members have for it: messages, a Task's values, and the answers as texts."""
    return {"talk": talk, "given": talk, "answers": talk.answer}


def input_of(doer: Doer, takes: type[Message], **known: Any) -> dict[str, Any]:
    """The ``input`` of a step of ``doer``, by the fields of what an agent takes, or the parameters of a function.

    A name in ``known``, such as ``talk``, means that, one that the request has a field for, that field.
    A function is given the request itself under any other name. An agent that is only named takes a :class:`Task`;
    one that says nothing of what it takes is given what the step before gave. Raises WorkflowError for a field that
    an agent needs and nobody has.
    """
    request, fields = Ref("input"), takes.model_fields
    wanted = Task if isinstance(doer, str) else getattr(doer, "takes", None)
    if not (isinstance(wanted, type) and issubclass(wanted, Message)):
        if not callable(doer):
            return {}
        parameters = parameters_of(doer)
        names = [*parameters.needed, *(name for name in parameters.optional if name in {*known, *fields, "input"})]
        return {name: known.get(name, request[name] if name in fields else request) for name in names}
    if issubclass(wanted, Task) and "given" in fields and "given" in known:
        known["given"] = Expression.parse(f"[input.given, {known['given']}]")
    missing = [name for name, field in wanted.model_fields.items() if field.is_required()]
    missing = [name for name in missing if name not in known and name not in fields]
    if missing:
        raise WorkflowError(
            f"{_name(doer)} takes a {wanted.message_name}, and nobody gives its {missing[0]!r}",
            where=_name(doer), mend=f"there is: {', '.join(dict.fromkeys([*known, *fields]))}",
        )  # fmt: skip
    return {name: known.get(name, request[name]) for name in wanted.model_fields if name in known or name in fields}


def naming(cast: Mapping[str, Doer], field: str) -> Callable[[Any], Awaitable[str | None]]:
    """A function that gives the name in ``field`` of a reply; None for a reply without one.

    It raises WorkflowError, which names the cast, for a name that is not of it.
    """

    async def named(reply: Any, /) -> str | None:
        if field not in field_names(reply):
            return None
        name = attribute(reply, field)
        return None if name in (None, "") else among(cast, name)

    return named


def among(cast: Mapping[str, Doer], name: Any) -> str:
    """``name``, which is one of the cast. Raises WorkflowError, which names the cast, where it is not."""
    if not isinstance(name, str) or name not in cast:
        near = hint(str(name), cast) or ""
        mend = near if near.startswith("did") else "name one of them"
        raise WorkflowError(f"{name!r} is not of the cast: {', '.join(cast)}", mend=mend)
    return name


def heard(flow: Workflow, said: Ref, until: Until) -> Ref:
    """The step from which the talk goes on after ``said``; it ends there where ``until`` holds."""
    if until is None:
        return said
    if not callable(until):
        flow.route(said, END, when=until)
        return said
    over = flow.step(until, name=f"{said}_heard", after=said)
    flow.route(over, END, when=over)
    return over


async def same(value: Any, /) -> Any:
    """What was given: for a step at which others meet."""
    return value


def _name(one: Doer) -> str:
    if isinstance(one, str):
        return one
    return str(getattr(one, "name", None) or getattr(one, "__name__", None) or type(one).__name__)


def _does(one: Doer) -> str:
    text = "" if isinstance(one, str) else getattr(one, "does", None) or getattr(one, "__doc__", None) or ""
    return str(text).strip().partition("\n")[0]
