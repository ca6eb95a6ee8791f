"""From the document of a team to its graph: the workflow as written, or the one that is meant where none is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.messages import Message
from .calls import CALLS
from .expressions import Expression
from .graph import END, Graph, Route, Step
from .limits import Limits
from .references import ALONE, DEFAULT_STEPS, planners


def graph_of(document: Mapping[str, Any], takes: type[Message] | None = None) -> Graph:
    """The graph of a team's document that has no mistakes.

    Without a ``workflow`` a team with a planner plans, works through the plan and combines the findings, and a lone
    agent answers by itself.
    """
    output = {name: expression_of(text) for name, text in document.get("output", {}).items()}
    limits = Limits(**document.get("limits", {}))
    name = str(document["team"])
    if "workflow" in document:
        workflow = document["workflow"]
        steps = {step: step_of(step, written) for step, written in workflow["steps"].items()}
        return Graph(name, steps, str(workflow["start"]), takes, output, limits)
    agents = document["agents"]
    planner = next(iter(planners(agents)), None)
    if planner is None:
        alone = Step(ALONE, agent=next(iter(agents)), routes=(Route(END),))
        return Graph(name, {ALONE: alone}, ALONE, takes, output, limits)
    return Graph(name, planned(planner), DEFAULT_STEPS[0], takes, output or PLANNED_OUTPUT, limits)


def planned(planner: str) -> dict[str, Step]:
    """The steps that are meant for a team with a planner: it plans, the cast works, the findings are combined."""
    plan, work, answer = DEFAULT_STEPS
    return {
        plan: Step(
            plan, agent=planner, routes=(Route(work),),
            input={"request": Expression.parse("input.request"), "cast": Expression.parse("team.cast")},
        ),
        work: Step(
            work, agent_from=Expression.parse("item.agent"), each=Expression.parse(f"{plan}.steps"), at_once=4,
            input={"request": Expression.parse("item.request"), "given": Expression.parse("item.needs")},
            routes=(Route(answer),),
        ),
        answer: Step(
            answer, call=CALLS["combine"], routes=(Route(END),),
            input={"steps": Expression.parse(f"{plan}.steps"), "findings": Expression.parse(work)},
        ),
    }  # fmt: skip


PLANNED_OUTPUT = {name: Expression.parse(f"answer.{name}") for name in ("answer", "values", "sources", "abstained")}
"""What a planned team gives where its file does not say."""


def step_of(name: str, written: Mapping[str, Any]) -> Step:
    """A step as its document describes it."""
    if "routes" in written:
        routes = tuple(
            Route(route["to"], expression_of(route["when"]) if "when" in route else None, route.get("at_most"))
            for route in written["routes"]
        )
    else:
        routes = (Route(written.get("then", END)),)
    each = written.get("each")
    agent_from = written.get("agent_from")
    return Step(
        name,
        agent=written.get("agent"),
        agent_from=None if agent_from is None else expression_of(agent_from),
        call=CALLS[written["call"]] if "call" in written else None,
        input={key: expression_of(text) for key, text in written.get("input", {}).items()},
        each=None if each is None else expression_of(each),
        at_once=int(written.get("at_once", 8)),
        failure=written.get("failure", "fail_fast"),
        routes=routes,
    )


def expression_of(written: Any) -> Expression:
    """An expression as it is written in a file: a text, or ``{value: constant}``."""
    return Expression.constant(written["value"]) if isinstance(written, dict) else Expression.parse(written)
