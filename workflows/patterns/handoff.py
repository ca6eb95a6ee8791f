"""Handoff: who speaks says who goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...agents.messages import Message, Task
from ..flow import Doer, Workflow
from ..graph import END, WorkflowError
from ..limits import Limits
from ..refs import Ref, length
from .members import among, cast_of, described, hearing, input_of, naming


def handoff(
    agents: Sequence[Doer], *, start: str | None = None, at_most: int = 8, field: str = "to",
    takes: type[Message] = Task, name: str = "handoff", limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """The reply of each agent names in ``field`` who goes on, from the cast only; one that names nobody is the end.

    For a desk where whoever is asked passes on what is not theirs. Elsewhere: Swarm, AutoGen's and OpenAI's;
    LangGraph's ``Command(goto=…)``.

    It begins with ``start``, or the first. All hear what was said, and may take the ``cast``. A name that is not of
    the cast fails the run, naming the cast, and so does one handoff more than ``at_most``. The output is ``last`` and
    ``talk``. Raises WorkflowError as :func:`.round_robin` does, and for a ``start`` that is not of the cast.
    """
    cast = cast_of(agents, name, at_most=at_most)
    first = next(iter(cast)) if start is None else among(cast, start)
    flow = Workflow(name, takes, output={"last": Ref("talk")[-1], "talk": Ref("talk")}, limits=limits)
    talk = flow.growing("talk")
    found = naming(cast, field)

    async def following(said: Any, turns: int) -> str | None:
        to = await found(said)
        if to is not None and turns > at_most:
            mend = "allow more by at_most, or see whether they hand on in a circle"
            raise WorkflowError(f"it is handed to {to} after {at_most} handoffs, which is all it may be", mend=mend)
        return to

    known = {**hearing(talk), "cast": described(cast)}
    turn = {
        member: flow.step(cast[member], input=input_of(cast[member], takes, **known), after=[], into=talk)
        for member in sorted(cast, key=lambda member: member != first)
    }
    follows = flow.step(following, input={"said": talk[-1], "turns": length(talk)}, after=[])
    for member, said in turn.items():
        flow.route(said, follows)
        flow.route(follows, said, when=follows == member, at_most=at_most)
    flow.route(follows, END)
    return flow
