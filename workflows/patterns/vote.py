"""Vote: all answer the same question, and a rule makes one answer of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...agents.messages import Finding, Message, Task
from ..annotations import signature_of
from ..flow import Doer, Workflow
from ..graph import Failure, WorkflowError
from ..inference import field_of, names_of
from ..kinds import ANYTHING, Kind, Plain
from ..limits import Limits
from ..merged_kinds import merged_kind
from ..merging import MERGES, merged
from ..outputs import gives_of
from ..refs import Ref
from ..values import attribute, hint
from .members import cast_of, input_of, same


def vote(
    agents: Sequence[Doer], rule: str | Callable[[Mapping[str, Any]], Any] = "majority", *, by: str | None = None,
    failure: Failure = "fail_fast", takes: type[Message] = Task, name: str = "vote", limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """All are asked side by side, and hear nothing of each other; ``rule`` makes one answer of theirs.

    For agents that are each right more often than not, and wrong in different ways. Elsewhere: voting by
    parallelisation in LangGraph, a mixture of agents in AutoGen.

    ``rule`` is one of :data:`..merging.MERGES` (``majority``, ``best``, ``union``, …), or a function of a mapping from
    member to answer. It is applied to the field ``by`` of each answer, which is ``answer`` for the majority of
    Findings, or to the whole. Who abstains has no vote there, nor who failed with ``failure="collect"``. The output
    is ``vote`` and ``votes``, by member. Raises WorkflowError as :func:`.round_robin` does, for an unknown rule, and
    for one that certainly cannot make anything of what the members say that they give.
    """
    cast = cast_of(agents, name)
    if isinstance(rule, str) and rule not in MERGES:
        raise WorkflowError(f"there is no rule {rule!r}", where=name, mend=hint(rule, MERGES))
    flow = Workflow(name, takes, output={"vote": Ref("vote"), "votes": Ref("votes")}, limits=limits)

    def ballot(answer: Any) -> Any:
        field = by or ("answer" if rule == "majority" and isinstance(answer, Finding) else None)
        if answer is None or ((field or rule == "majority") and getattr(answer, "abstained", False)):
            return None
        return answer if field is None else attribute(answer, field)

    def by_member(outputs: Mapping[str, Any]) -> dict[str, Any]:
        return dict(zip(cast, outputs.values(), strict=True))  # a step cannot have every name that an agent may have

    async def counted(votes: Mapping[str, Any], /) -> Any:
        if all(answer is None for answer in votes.values()):
            raise WorkflowError("nobody gave an answer", mend="see the errors of the steps before")
        return merged(rule, {member: ballot(answer) for member, answer in votes.items()})

    kind = _voted(cast, rule, by, name)
    if isinstance(kind, Plain):
        counted.__annotations__["return"] = kind.cls  # so that what is asked of the vote is checked

    question = flow.step(same, name="question")
    answers = [flow.step(one, input=input_of(one, takes), after=question, failure=failure) for one in cast.values()]
    flow.step(same, after=answers, merge=by_member, name="votes")
    flow.step(counted, name="vote")
    return flow


def _voted(cast: Mapping[str, Doer], rule: str | Callable[..., Any], by: str | None, group: str) -> Kind:
    """The kind of the vote. Raises WorkflowError where the rule cannot make one."""
    ballots: dict[str, Kind] = {}
    for member, doer in cast.items():
        gives = signature_of(doer).gives if callable(doer) and not hasattr(doer, "handle") else gives_of(doer)
        field = by or ("answer" if rule == "majority" and gives == Plain(Finding) else None)
        counted = gives if field is None or gives is ANYTHING else field_of(gives, field)
        if counted is None:
            what = f"{member} gives {gives}, which has no {field!r} to be counted"
            raise WorkflowError(what, where=group, mend=hint(str(field), names_of(gives)))
        ballots[member] = counted
    kind, mistake = merged_kind(rule, ballots)
    if mistake:
        raise WorkflowError(mistake, where=group, mend="choose another rule, or count by a field")
    return kind
