"""Planner, workers, reviewer: a plan is made and worked through, and made anew until it passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...agents.messages import Message, Task
from ..annotations import signature_of
from ..flow import Doer, Workflow, is_workflow
from ..graph import END, WorkflowError
from ..inference import field_of
from ..kinds import ANYTHING
from ..limits import Limits
from ..outputs import gives_of
from ..refs import Ref
from ..values import attribute, field_names
from .function_agent import FunctionAgent
from .members import Until, among, cast_of, described, heard, hearing, input_of


def planner_worker_reviewer(
    planner: Doer, workers: Sequence[Doer], reviewer: Doer, at_most: int, *, until: Until = None,
    takes: type[Message] = Task, name: str = "planner_worker_reviewer", limits: Limits | None = None,
) -> Workflow:  # fmt: skip
    """``planner`` gives steps, each for one of ``workers``; ``reviewer`` sends it all back, at most ``at_most`` times.

    For requests that no one agent answers. Elsewhere: AutoGen's MagenticOne, CrewAI's hierarchical process,
    LangGraph's plan-and-execute.

    The planner may take ``cast``, a worker the fields of its step of the plan (a Task: ``request``, and as ``given``
    what the steps gave that it ``needs``), the reviewer ``plan`` and ``work`` (a Task: ``given``), and planner and
    reviewer the earlier reviews as ``talk``. ``until`` is when the work passes: without it when the review is True,
    has ``approved`` true, or is a Finding that does not abstain. The output is ``work`` and ``review``, also when the
    last review does not pass. A step for somebody else fails the run, naming the workers. Raises WorkflowError as
    :func:`.round_robin` does, for a worker that is a workflow, and for a planner that gives no steps.
    """
    made = signature_of(planner).gives if callable(planner) else gives_of(planner)
    if made is not ANYTHING and field_of(made, "steps") is None:
        mend = "a planner gives a Plan, or a message with such steps"
        raise WorkflowError(f"the planner gives {made}, which has no 'steps'", where=name, mend=mend)
    found = cast_of(workers, name, least=1, others=(planner, reviewer), at_most=at_most)
    if chosen := next((one for one, doer in found.items() if is_workflow(doer)), None):
        mend = "give an agent or a function that runs it"
        raise WorkflowError(f"{chosen} is a workflow, and a plan names agents and functions", where=name, mend=mend)
    cast = {one: FunctionAgent(doer) if FunctionAgent.fits(doer) else doer for one, doer in found.items()}
    flow = Workflow(name, takes, output={"work": Ref("work"), "review": Ref("review")}, limits=limits)
    reviews = flow.growing("reviews")

    def worker(item: Any) -> Doer:
        return cast[among(cast, attribute(item, "agent"))]

    plan = flow.step(planner, input=input_of(planner, takes, cast=described(cast), talk=reviews), name="plan")
    work = flow.each(plan.steps, agent=worker, name="work", at_once=4)
    seen = {**hearing(work), "plan": plan, "work": work, "talk": reviews}
    review = flow.step(reviewer, input=input_of(reviewer, takes, **seen), name="review", into=reviews)
    end = heard(flow, review, until or passes)
    flow.route(end, plan, at_most=at_most)
    flow.route(end, END)
    return flow


async def passes(review: Any, /) -> bool:
    """Whether a review lets the work pass. Raises WorkflowError for one that does not say."""
    if isinstance(review, bool):
        return review
    for field, good in (("approved", True), ("abstained", False)):
        if field in field_names(review):
            return bool(attribute(review, field)) is good
    if isinstance(review, Message) and isinstance(said := getattr(review, "value", None), bool):
        return said  # what a function gave in the place of an agent
    what = f"a review of type {type(review).__name__} does not say whether the work passes"
    raise WorkflowError(what, mend="let it be True or False, or have a field 'approved', or give until=")
