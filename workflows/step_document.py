"""From the steps of a graph to how a team file says them: what :mod:`.team_graph` reads, the other way round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Any

from ..agents.messages import Message
from ..agents.retry import Retry
from ..agents.role_document import kind_of
from ..core.errors import UnderstudyError
from .calls import CALLS, declared
from .expressions import Expression
from .function_names import called
from .graph import END, Graph, Question, Route, Step, WorkflowError
from .limits import Budget, Limits
from .pattern_graph import PatternFlow, PatternGraph

TeamPath = Callable[[str, Any], str]
"""The path that a file may write for the team that does the step of that name."""


def workflow_document(graph: Graph, team_path: TeamPath) -> dict[str, Any]:
    """The ``workflow`` of a team file. Raises WorkflowError for all steps that YAML cannot say."""
    if isinstance(graph, PatternGraph):
        return {"pattern": graph.pattern}
    steps: dict[str, Any] = {}
    unsaid: list[UnderstudyError] = []
    for name, step in graph.steps.items():
        try:
            steps[name] = step_document(step, graph.name, team_path)
        except UnderstudyError as error:
            unsaid.append(error)
    if len(unsaid) == 1:
        raise unsaid[0]
    if unsaid:
        lines = "".join(f"\n{error}" for error in unsaid)
        raise WorkflowError(f"{len(unsaid)} steps that a file cannot say{lines}", where=graph.name)
    return {"start": graph.start if isinstance(graph.start, str) else list(graph.start), "steps": steps}


def step_document(step: Step, team: str, team_path: TeamPath) -> dict[str, Any]:
    """One step of ``team``; see :func:`workflow_document`."""
    where = f"{team}, step {step.name}"
    made: dict[str, Any] = {}
    if step.agent is not None:
        made["agent"] = step.agent
    if step.agent_from is not None:
        if not isinstance(step.agent_from, Expression):
            what = f"a function chooses the agent: {called(step.agent_from)}"
            raise WorkflowError(what, where=where, mend="choose it by an expression: agent=plan.item.agent")
        made["agent_from"] = written(step.agent_from, where)
    if step.call is not None:
        made["call"] = function_name(step.call, where)
    if step.workflow is not None:
        if isinstance(step.workflow, PatternFlow):
            made["pattern"] = step.workflow.pattern
        else:
            made["team"] = team_path(step.name, step.workflow)
    if step.ask is not None:
        made |= _question(step.ask, where)
    if step.sleep is not None:
        made["sleep"] = _seconds(step.sleep, where)
    if step.input:
        made["input"] = {name: written(expression, f"{where}, input {name}") for name, expression in step.input.items()}
    if step.each is not None:
        made["each"] = written(step.each, where)
        made |= {"at_once": step.at_once} if step.at_once != Step.at_once else {}
    if step.failure != Step.failure:
        made["failure"] = step.failure
    if step.join:
        made["after"] = list(step.join)
    if step.merge is not None:
        if not isinstance(step.merge, str):
            what = f"a function merges what came: {called(step.merge)}"
            raise WorkflowError(what, where=where, mend="name a rule: merge='majority', or let a step's function merge")
        made["merge"] = step.merge
    made |= {name: getattr(step, name) for name in ("on_error", "seconds", "into") if getattr(step, name) is not None}
    if step.retry is not None:
        made["retry"] = _retry(step.retry, where)
    return made | ways_document(step.routes, where)


def ways_document(routes: Sequence[Route], where: str) -> dict[str, Any]:
    """The ways on from a step: nothing where it ends the branch, ``then`` where one is always open, else ``routes``."""
    if len(routes) == 1 and routes[0].when is None and routes[0].at_most is None:
        target = _targets(routes[0])
        return {} if target == END else {"then": target}
    return {"routes": [
        {
            "to": _targets(route),
            **({} if route.when is None else {"when": written(route.when, where)}),
            **({} if route.at_most is None else {"at_most": route.at_most}),
        }
        for route in routes
    ]}  # fmt: skip


def limits_document(limits: Limits) -> dict[str, Any]:
    """The ``limits`` of a team file; {} where there are none."""
    agents = {name: _budget(budget) for name, budget in limits.agents.items()}
    stop = {} if limits.on_exceed == Limits.on_exceed else {"on_exceed": limits.on_exceed}
    depth = {} if limits.depth is None else {"depth": limits.depth}
    return {**_budget(limits), **depth, **stop, **({"agents": agents} if agents else {})}


def fields_document(kind: type[Message], where: str) -> dict[str, Any]:
    """The fields of a message type as a file has them. Raises WorkflowError for one that a file cannot say."""
    made = {}
    for name, info in kind.model_fields.items():
        try:
            made[name] = kind_of(info.annotation)
        except (UnderstudyError, TypeError) as error:
            shown = getattr(info.annotation, "__name__", str(info.annotation))
            raise WorkflowError(f"the field '{name}' has the type {shown}, which a file cannot say", where=where,
                                mend="use str, int, float, bool, Literal[…] or tuple[…, ...]") from error  # fmt: skip
        if not info.is_required():
            what = f"the field '{name}' of {kind.message_name} has a default, which a file cannot say"
            raise WorkflowError(what, where=where, mend="make it required")
    return made


def written(expression: Expression, where: str) -> Any:
    """An expression as a file has it: its text, or ``{value: constant}``. Raises WorkflowError for a strange value."""
    if not expression.is_constant:
        return expression.text
    return {"value": plain(expression.evaluate({}), where)}


def plain(value: Any, where: str) -> Any:
    """A constant that YAML has. Raises WorkflowError for any other."""
    if value is None or type(value) in (bool, int, str) or (type(value) is float and abs(value) < float("inf")):
        return value
    if type(value) is list:
        return [plain(part, where) for part in value]
    if type(value) is dict and all(type(name) is str for name in value):
        return {name: plain(part, where) for name, part in value.items()}
    mend = "write a list instead of a tuple" if type(value) is tuple else "use texts, numbers, lists and dicts"
    raise WorkflowError(f"a constant of type {type(value).__name__}, which YAML does not have", where=where, mend=mend)


def function_name(function: Callable[..., Any], where: str) -> str:
    """The name under which a function is registered. Raises WorkflowError where it is not."""
    for name in sorted(CALLS, key=lambda name: name in declared()):  # a package's is imported last
        with suppress(UnderstudyError):
            if CALLS[name] is function:
                return name
    known = getattr(function, "__name__", "")
    mend = f'understudy.register("{known if known.isidentifier() else "NAME"}", …), in a file for --functions FILE.py'
    raise WorkflowError(f"the function {called(function)} is not registered", where=where, mend=mend)


def _targets(route: Route) -> str | list[str]:
    return route.to if isinstance(route.to, str) else list(route.to)


def _question(ask: Question, where: str) -> dict[str, Any]:
    said = written(ask.text, where)
    fixed = isinstance(said, dict) and isinstance(said["value"], str)
    made = {"ask": said["value"]} if fixed else {"ask_from": said}
    if ask.choices:
        made["choices"] = plain(list(ask.choices), f"{where}, choices")
    if ask.gives is not None:
        made["gives"] = fields_document(ask.gives, f"{where}, gives")
    return made


def _seconds(expression: Expression, where: str) -> Any:
    said = written(expression, where)
    number = isinstance(said, dict) and type(said["value"]) in (int, float)
    return said["value"] if number else said


def _retry(retry: Retry, where: str) -> Any:
    if retry.on != Retry.on:
        names = ", ".join(error.__name__ for error in retry.on)
        raise WorkflowError(f"it is tried again after {names} alone, which YAML cannot say", where=where,
                            mend="leave Retry(on=…) out")
    given = {one.name: getattr(retry, one.name) for one in fields(Retry) if getattr(retry, one.name) != one.default}
    if set(given) <= {"attempts"}:
        return retry.attempts
    return given


def _budget(budget: Budget) -> dict[str, Any]:
    names = [one.name for one in fields(Budget)]
    return {name: value for name in names if (value := getattr(budget, name)) is not None}
