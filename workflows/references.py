"""References: whether what a team file names is there: roles, files, agents, steps, names in expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .expressions import Expression
from .formats import END
from .places import Confined, confined, missing
from .roles import RoleFinder, is_role_path
from .shapes import Report
from .values import ExpressionError, hint
from .yaml_document import KeyPath

DEFAULT_STEPS = ("plan", "work", "answer")
ALONE = "answer"
"""Steps of the workflow that is meant where none is written: with a planner, and with one agent."""

TEAM_WORDS = ("cast", "name", "does")


def check_references(team: Mapping[str, Any], report: Report) -> list[Path]:
    """Report every name in the team's document that leads nowhere. Returns the role files it names."""
    base = report.document.file.parent
    agents = _mapping(team.get("agents"))
    role_files = check_agents(agents, RoleFinder(base, str(team.get("backbone", "default"))), report)
    check_knowledge(_mapping(team.get("knowledge")), base, report)
    workflow = _mapping(team.get("workflow"))
    steps = _mapping(workflow.get("steps"))
    default = DEFAULT_STEPS if planners(agents) else (ALONE,)
    # A lone agent says by its role what it takes, so that no names of inputs are known here.
    inputs = _mapping(team.get("input", {"request": "text"} if "workflow" in team or planners(agents) else {}))
    scope = Scope(report, tuple(inputs), tuple(steps) if "workflow" in team else default)
    if "workflow" in team:
        check_workflow(workflow, steps, tuple(agents), scope)
    else:
        check_default(team, agents, report)
    for name, text in _mapping(team.get("output")).items():
        scope.check(text, ("output", name))
    check_tests(team, tuple(inputs), report)
    return role_files


def check_agents(agents: Mapping[str, Any], roles: RoleFinder, report: Report) -> list[Path]:
    """Report agents whose role or files are not there. Returns the role files they name."""
    files: list[Path] = []
    for name, written in agents.items():
        agent = {"role": written} if isinstance(written, str) else _mapping(written)
        path: KeyPath = ("agents", name) if isinstance(written, str) else ("agents", name, "role")
        role = agent.get("role")
        if isinstance(role, str) and role.strip():
            if is_role_path(role):
                files.extend(check_file(role, roles.base, path, report, "role file"))
            elif roles.find(role) is None:
                report.add(path, f"unknown role '{role[:60]}'", why="it is neither shipped nor learned",
                           suggestion=roles.suggestion(role))
        kinds: set[str] = set()
        for number, tool in enumerate(_list(agent.get("tools"))):
            for kind, file in _mapping(tool).items():
                if kind in kinds:
                    report.add(("agents", name, "tools", number, kind), f"a second {kind} tool", key=True,
                               why="an agent knows its tools by their kind", suggestion="give it to another agent")
                kinds.add(kind)
                check_file(file, roles.base, ("agents", name, "tools", number, kind), report, "file")
        check_file(agent.get("history"), roles.base, ("agents", name, "history"), report, "file")
    return files


def check_knowledge(knowledge: Mapping[str, Any], base: Path, report: Report) -> None:
    """Report knowledge files that are not there or lie outside the team's folder."""
    store = knowledge.get("store")
    if isinstance(store, str):
        place = confined(store, base)
        if isinstance(place, Confined):
            report.add(("knowledge", "store"), place.what, why=place.why)
    added = knowledge.get("add")
    for number, pattern in enumerate(added if isinstance(added, list) else []):
        check_file(pattern, base, ("knowledge", "add", number), report, "file", glob=True)


def check_file(written: Any, base: Path, path: KeyPath, report: Report, what: str,
               glob: bool = False) -> list[Path]:
    """Report a path that leaves the folder ``base`` or where nothing is. Returns the file that is there."""
    if not isinstance(written, str) or not written.strip():
        return []
    place = confined(written, base, glob=glob)
    if isinstance(place, Confined):
        report.add(path, place.what, why=place.why)
        return []
    if place is None:
        near = missing(written, base)
        report.add(path, f"the {what} '{written}' does not exist",
                   suggestion=f"did you mean '{near}'?" if near else "a path is relative to this file")
        return []
    return [place]


class Scope:
    """The names that expressions of one file may use."""

    def __init__(self, report: Report, inputs: tuple[str, ...], steps: tuple[str, ...]) -> None:
        self.report = report
        self.inputs = inputs
        self.steps = steps

    def check(self, written: Any, path: KeyPath, each: bool = False) -> None:
        """Report names in the expression ``written`` that are not in scope; ``each``: item and index are."""
        expression = _expression(written)
        if expression is None:
            return
        names = ("input", "team", *self.steps, *(("item", "index") if each else ()))
        for name in sorted(expression.names()):
            if name not in names:
                why = "only a step with 'each' has items" if name in ("item", "index") else ""
                self.report.add(path, f"unknown name '{name[:60]}' in '{expression.text[:80]}'", why=why,
                                suggestion="" if why else hint(name, names), offset=expression.offset_of(name))
        for root, *rest in expression.paths():
            known = {"input": self.inputs, "team": TEAM_WORDS}.get(root)
            if known and rest and rest[0] not in known:
                self.report.add(path, f"{root} has no '{rest[0][:60]}'", suggestion=hint(rest[0], known),
                                offset=expression.offset_of(root))


def check_workflow(workflow: Mapping[str, Any], steps: Mapping[str, Any], agents: tuple[str, ...],
                   scope: Scope) -> None:
    """Report steps that name agents, steps or values that are not there."""
    report = scope.report
    start = workflow.get("start")
    if isinstance(start, str) and start not in steps:
        report.add(("workflow", "start"), f"unknown step '{start[:60]}'", suggestion=hint(start, steps))
    for name, written in steps.items():
        step, path = _mapping(written), ("workflow", "steps", name)
        check_actor(step, path, agents, report)
        each = "each" in step
        for word in ("at_once", "failure"):
            if word in step and not each:
                report.add((*path, word), f"'{word}' without 'each'", key=True,
                           why="it says how the items of a list are run",
                           suggestion="add each: …, or remove it")
        scope.check(step.get("each"), (*path, "each"))
        scope.check(step.get("agent_from"), (*path, "agent_from"), each)
        for word, text in _mapping(step.get("input")).items():
            scope.check(text, (*path, "input", word), each)
        if "then" in step and "routes" in step:
            report.add((*path, "then"), "'then' and 'routes' in one step", key=True,
                       why="the next step would be said twice", suggestion="add {to: …} as the last route")
        for target, at in _targets(step, path):
            if target != END and target not in steps:
                report.add(at, f"unknown step '{target[:60]}'", suggestion=hint(target, (*steps, END)))
        for number, route in enumerate(_list(step.get("routes"))):
            scope.check(_mapping(route).get("when"), (*path, "routes", number, "when"))


def check_actor(step: Mapping[str, Any], path: KeyPath, agents: tuple[str, ...], report: Report) -> None:
    """Report a step that nothing does, or two things do, or an unknown agent."""
    doers = [word for word in ("agent", "agent_from", "call") if word in step]
    if len(doers) > 1:
        report.add((*path, doers[1]), f"'{doers[0]}' and '{doers[1]}' in one step", key=True,
                   why="a step is done by one agent or function", suggestion="remove one of them")
    elif not doers:
        report.add(path, "the step has no agent", key=True, why="something has to do it",
                   suggestion="add agent: NAME, agent_from: an expression that gives the name, or call: FUNCTION")
    agent = step.get("agent")
    if isinstance(agent, str) and agent not in agents:
        report.add((*path, "agent"), f"unknown agent '{agent[:60]}'", suggestion=hint(agent, agents))


def check_default(team: Mapping[str, Any], agents: Mapping[str, Any], report: Report) -> None:
    """Report a team that says no workflow and for which none can be taken as meant."""
    if len(agents) > 1 and not planners(agents):
        report.add(("agents",), "no agent plans and there is no workflow", key=True,
                   why="with several agents one must have the role planner, or the steps must be written",
                   suggestion="add planner: {role: planner}, or a workflow")


def planners(agents: Mapping[str, Any]) -> list[str]:
    """The names of the agents whose role is the planner."""
    return [name for name, agent in agents.items()
            if agent == "planner" or (isinstance(agent, dict) and agent.get("role") == "planner")]


def check_tests(team: Mapping[str, Any], inputs: tuple[str, ...], report: Report) -> None:
    """Report tests that give or expect fields that the team does not have."""
    outputs = tuple(_mapping(team.get("output")))
    for number, test in enumerate(_list(team.get("tests"))):
        for word, what, known in (("input", "input", inputs), ("expect", "output", outputs)):
            for name in _mapping(_mapping(test).get(word)):
                if known and name not in known:
                    report.add(("tests", number, word, name), f"the team's {what} has no '{name[:60]}'",
                               suggestion=hint(name, known), key=True)


def _targets(step: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[str, KeyPath]]:
    if isinstance(step.get("then"), str):
        yield step["then"], (*path, "then")
    for number, route in enumerate(_list(step.get("routes"))):
        if isinstance(_mapping(route).get("to"), str):
            yield route["to"], (*path, "routes", number, "to")


def _expression(written: Any) -> Expression | None:
    if not isinstance(written, str):
        return None
    try:
        return Expression.parse(written)
    except ExpressionError:
        return None  # reported by its shape


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
