"""From the document of a team to its graph: the workflow as written, or the one that is meant where none is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.messages import Message
from . import forms
from .calls import CALLS
from .expressions import Expression
from .graph import END, Graph, Question, Route, Step
from .limits import Budget, Limits
from .meant import ALONE, DEFAULT_STEPS, planners
from .pattern_graph import PatternFlow, pattern_graph

NOBODY: Mapping[str, Any] = {}
NO_PATTERNS: Mapping[str, PatternFlow] = {}

WHOLE = ""
"""Stands for the name of a step where a pattern is the whole workflow."""


def graph_of(document: Mapping[str, Any], takes: type[Message] | None = None,
             teams: Mapping[str, Any] = NOBODY, patterns: Mapping[str, PatternFlow] = NO_PATTERNS) -> Graph:
    """The graph of a team's document that has no mistakes.

    Without a ``workflow`` a team with a planner plans, works through the plan and combines the findings, and a lone
    agent answers by itself. ``teams``: those that do steps, by the paths that the document has for them;
    ``patterns``: by the steps, or :data:`WHOLE`.
    """
    output = {name: expression_of(text) for name, text in document.get("output", {}).items()}
    limits = limits_of(document.get("limits", {}))
    name = str(document["team"])
    if "workflow" in document:
        workflow = document["workflow"]
        if "pattern" in workflow:
            return pattern_graph(patterns[WHOLE], name, takes, output, limits)
        written = workflow["steps"]
        steps = {step: step_of(step, written[step], written, name, teams, patterns) for step in written}
        start = forms.steps(workflow.get("start", next(iter(steps))))
        return Graph(name, steps, start if len(start) > 1 else start[0], takes, output, limits)
    agents = document.get("agents", {})
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


def step_of(name: str, written: Mapping[str, Any], others: Mapping[str, Any], team: str = "team",
            teams: Mapping[str, Any] = NOBODY, patterns: Mapping[str, PatternFlow] = NO_PATTERNS) -> Step:
    """A step as its document describes it, among ``others``."""
    after = forms.steps(written["after"]) if "after" in written else ()
    return Step(
        name,
        agent=written.get("agent"),
        agent_from=_optional(written, "agent_from"),
        call=CALLS[written["call"]] if "call" in written else None,
        workflow=teams[written["team"]] if "team" in written else patterns[name] if "pattern" in written else None,
        ask=question_of(name, written, team),
        sleep=_optional(written, "sleep"),
        input={key: expression_of(text) for key, text in written.get("input", {}).items()},
        each=_optional(written, "each"),
        at_once=int(written.get("at_once", 8)),
        failure=written.get("failure", "fail_fast"),
        routes=tuple(map(route_of, forms.ways(name, written, others))) or (Route(END),),
        join=after if len(after) > 1 else (),
        merge=written.get("merge"),
        on_error=written.get("on_error"),
        retry=forms.retry(written.get("retry")),
        seconds=written.get("seconds"),
        into=written.get("into"),
    )


def route_of(written: Mapping[str, Any]) -> Route:
    """A route as it is written in its long form."""
    targets = forms.steps(written["to"])
    return Route(targets if len(targets) > 1 else targets[0], _optional(written, "when"), written.get("at_most"))


def question_of(name: str, written: Mapping[str, Any], team: str) -> Question | None:
    """What the step ``name`` of ``team`` asks of a person: ``ask`` as it stands, or what ``ask_from`` gives."""
    if "ask" not in written and "ask_from" not in written:
        return None
    from ..agents.role_document import message_type_of

    text = Expression.constant(written["ask"]) if "ask" in written else expression_of(written["ask_from"])
    gives = message_type_of(f"{team}.{name}.gives", written["gives"], name) if "gives" in written else None
    return Question(text, tuple(written.get("choices", ())), gives)


def limits_of(written: Mapping[str, Any]) -> Limits:
    """Limits as they are written."""
    agents = {name: Budget(**budget) for name, budget in written.get("agents", {}).items()}
    return Limits(**{**written, "agents": agents})


def _optional(written: Mapping[str, Any], key: str) -> Expression | None:
    return expression_of(written[key]) if key in written else None


def expression_of(written: Any) -> Expression:
    """An expression as it is written in a file: a text, a number, or ``{value: constant}``."""
    if isinstance(written, dict):
        return Expression.constant(written["value"])
    return Expression.parse(written) if isinstance(written, str) else Expression.constant(written)
