"""Debate: all answer, read each other's answers and answer again, and a judge decides."""

from __future__ import annotations

from collections.abc import Sequence

from ...agents.messages import Message, Task
from ..flow import Doer, Workflow
from ..limits import Limits
from ..refs import Ref
from .members import cast_of, described, hearing, input_of, same


def debate(
    agents: Sequence[Doer], judge: Doer, rounds: int, *, takes: type[Message] = Task, name: str = "debate",
    limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """In each of ``rounds`` rounds all speak side by side, knowing the rounds before; then ``judge`` has the last word.

    For questions on which a first answer is often wrong, and worth several times its cost (Du et al. 2023,
    arXiv:2305.14325). Elsewhere: AutoGen's pattern of multi-agent debate.

    ``talk`` is a list of rounds, each a list of what was said, in the order of ``agents``. The output is ``verdict``
    and ``talk``. Raises WorkflowError as :func:`.round_robin` does.
    """
    cast = cast_of(agents, name, others=(judge,), rounds=rounds)
    flow = Workflow(name, takes, output={"verdict": Ref("verdict"), "talk": Ref("talk")}, limits=limits)
    talk = flow.growing("talk")

    question = flow.step(same, name="question")
    said = [
        flow.step(one, input=input_of(one, takes, **hearing(talk)), after=question)
        for one in cast.values()
    ]
    met = flow.step(same, after=said, merge="list", into=talk, name="round")
    verdict = flow.step(judge, input=input_of(judge, takes, **hearing(talk), cast=described(cast)),
                        name="verdict", after=[])  # fmt: skip
    if rounds > 1:
        flow.route(met, said, at_most=rounds - 1)
    flow.route(met, verdict)
    return flow
