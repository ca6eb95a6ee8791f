"""Selector: somebody chooses who speaks next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...agents.messages import Message, Task
from ..flow import Doer, Workflow
from ..graph import END
from ..limits import Limits
from ..refs import Ref, length
from .members import Until, among, cast_of, described, heard, hearing, input_of, naming


def selector(
    agents: Sequence[Doer], choose: Doer, *, turns: int, until: Until = None, field: str = "agent",
    takes: type[Message] = Task, name: str = "selector", limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """Before each of at most ``turns`` turns ``choose`` says who speaks: one of the cast, or nobody, which ends it.

    For open talk in which the next speaker depends on what was said. Elsewhere: AutoGen's SelectorGroupChat, a
    supervisor in LangGraph.

    ``choose`` is an agent whose reply has the name in ``field`` (a role that ``gives`` a choice of the names scores
    them), or a function that gives a name, a mapping from names to scores, of which the highest is taken, or None.
    It may take ``talk`` and ``cast``, beside the fields of the request. A name that is not of the cast fails the
    run, naming the cast. The output is ``last`` and ``talk``. Raises WorkflowError as :func:`.round_robin` does.
    """
    cast = cast_of(agents, name, others=(choose,), turns=turns)
    flow = Workflow(name, takes, output={"last": Ref("talk")[-1], "talk": Ref("talk")}, limits=limits)
    talk = flow.growing("talk")
    found = naming(cast, field)

    async def chosen(choice: Any, /) -> str | None:
        if isinstance(choice, str):
            return among(cast, choice)
        if isinstance(choice, Mapping) and field not in choice:
            scores = {among(cast, one): score for one, score in choice.items()}
            return max((one for one in cast if one in scores), key=scores.__getitem__, default=None)
        return await found(choice)

    choice = flow.step(choose, input=input_of(choose, takes, **hearing(talk), cast=described(cast)),
                       name="choose", after=[])  # fmt: skip
    speaker = flow.step(chosen, after=[])
    flow.route(choice, speaker, at_most=turns)
    for member, one in cast.items():
        turn = flow.step(one, input=input_of(one, takes, **hearing(talk)), after=[], into=talk)
        flow.route(speaker, turn, when=speaker == member)
        end = heard(flow, turn, until)
        flow.route(end, choice, when=length(talk) < turns)
        flow.route(end, END)
    flow.route(speaker, END)
    return flow
