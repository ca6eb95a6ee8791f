"""Round robin: all speak in turn."""

from __future__ import annotations

from collections.abc import Sequence

from ...agents.messages import Message, Task
from ..flow import Doer, Workflow
from ..graph import END
from ..limits import Limits
from ..refs import Ref
from .members import Until, cast_of, heard, hearing, input_of


def round_robin(
    agents: Sequence[Doer], *, rounds: int, until: Until = None, takes: type[Message] = Task,
    name: str = "round_robin", limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """All speak in turn, in the order given, at most ``rounds`` times each, and hear all that was said.

    For a draft that writer and critic pass to and fro, or a line of experts that each add their part. Elsewhere:
    AutoGen's RoundRobinGroupChat; with one round CrewAI's sequential process.

    Its output is ``last`` and ``talk``. ``until`` is looked at after each turn. Raises WorkflowError for fewer than
    two agents, or two of one name.
    """
    cast = cast_of(agents, name, rounds=rounds)
    flow = Workflow(name, takes, output={"last": Ref("talk")[-1], "talk": Ref("talk")}, limits=limits)
    talk = flow.growing("talk")
    turns = [
        flow.step(one, input=input_of(one, takes, **hearing(talk)), after=[], into=talk)
        for one in cast.values()
    ]
    for turn, following in zip(turns, turns[1:], strict=False):
        flow.route(heard(flow, turn, until), following)
    end = heard(flow, turns[-1], until)
    if rounds > 1:
        flow.route(end, turns[0], at_most=rounds - 1)
    flow.route(end, END)
    return flow
