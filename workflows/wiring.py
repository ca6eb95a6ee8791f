"""Wiring: from steps in the order in which they were declared to a graph with routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..agents.messages import Message
from .expressions import Expression
from .graph import END, Graph, Route, Step, WorkflowError
from .limits import Limits
from .values import hint

INPUT = ("input",)
"""What a step comes after that begins the run, beside the first."""


def wired(
    name: str,
    takes: type[Message] | None,
    steps: Mapping[str, Step],
    after: Mapping[str, tuple[str, ...] | None],
    routes: Mapping[str, Sequence[Route]],
    output: Mapping[str, Expression],
    limits: Limits,
    start: str | tuple[str, ...] | None = None,
) -> Graph:
    """The graph: a step follows the one before it unless that has routes or ``after`` says otherwise.

    Several steps after the same one run side by side; those after the input begin beside the first. Raises
    WorkflowError for no steps, or a name unknown or taken.
    """
    if not steps:
        raise WorkflowError("it has no steps", where=name, mend="add one with flow.step(…)")
    failing = {step.on_error for step in steps.values() if step.on_error not in (None, END)}
    begin = [step for step in steps if after[step] == INPUT]
    after = {step: () if step in begin else said for step, said in after.items()}
    named = {*routes, *(other for each in after.values() for other in each or ()), *map(str, failing)}
    unknown = sorted(named - set(steps))
    if unknown:
        raise WorkflowError(f"there is no step {unknown[0]!r}", where=name, mend=hint(unknown[0], steps))
    guarded = next((step for step in steps.values() if step.on_error is not None), None)
    if guarded is not None and "error" in {*steps, *(step.into for step in steps.values())}:
        why = f"where a step has on_error, as {guarded.name} has, 'error' is what went wrong"
        raise WorkflowError(f"nothing else may be called 'error' here: {why}", where=name, mend="give it another name")
    order = list(steps)
    before: dict[str, tuple[str, ...]] = {}
    for place, step in enumerate(order):
        said = after[step]
        if said is None:
            previous = order[place - 1] if place else None
            said = (previous,) if previous is not None and not routes.get(previous) else ()
        before[step] = said
    made: dict[str, Step] = {}
    for step in order:
        ways = tuple(routes.get(step, ()))
        followers = tuple(other for other in order if step in before[other])
        if followers:
            # Steps that come after this one by their own word run beside whatever the routes choose.
            if ways:
                raise WorkflowError(
                    f"step {step} has routes, and {followers[0]} comes after it",
                    where=name,
                    mend=f"lead to {followers[0]} by a route, or take the routes away",
                )
            ways = (Route(followers if len(followers) > 1 else followers[0]),)
        join = before[step] if len(before[step]) > 1 else steps[step].join
        made[step] = replace(steps[step], routes=ways or (Route(END),), join=join)
    given = order[0] if start is None else start
    first = tuple(dict.fromkeys([*((given,) if isinstance(given, str) else given), *begin]))
    return Graph(name, made, first if len(first) > 1 else first[0], takes, output, limits)
