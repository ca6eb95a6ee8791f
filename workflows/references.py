"""References: whether what a team file names is there: roles, files, teams, agents, steps, names in expressions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import forms
from .meant import ALONE, DEFAULT_STEPS, REQUEST, planners
from .pattern_references import check_patterns
from .places import Confined, confined, missing
from .roles import RoleFinder, is_role_path
from .shapes import Report
from .step_references import Scope, check_call, check_workflow, guarded, lists
from .team_graph import WHOLE
from .values import hint
from .yaml_document import KeyPath

ROLE_ONLY = ("tools", "passages", "history")
"""Keys of an agent that only a role has use for."""

OF_A_RUN = ("status", "path", "error")
"""What a test may expect beside the fields of the output, where the output has no field of that name."""

LIMIT = "$limits"
"""Asks in place of a step where a limit is used up and ``on_exceed`` is ``ask``."""


@dataclass(frozen=True)
class NamedFile:
    """A team or role file that a team's document names at ``path``."""

    path: KeyPath
    file: Path
    format: Literal["team", "role"]


def check_references(team: Mapping[str, Any], report: Report) -> list[NamedFile]:
    """Report every name in the team's document that leads nowhere. Returns the team and role files it names."""
    base = report.document.file.parent
    agents = _mapping(team.get("agents"))
    files = check_agents(agents, RoleFinder(base, str(team.get("backbone", "default"))), report)
    check_knowledge(_mapping(team.get("knowledge")), base, report)
    workflow = _mapping(team.get("workflow"))
    steps = _mapping(workflow.get("steps"))
    default = DEFAULT_STEPS if planners(agents) else (ALONE,)
    # A lone agent says by its role what it takes, so that no names of inputs are known here.
    inputs = _mapping(team.get("input", REQUEST if "workflow" in team or planners(agents) else {}))
    known = tuple(steps) if "workflow" in team else default
    patterns = check_patterns(team, agents, report)
    if WHOLE in patterns:
        known = tuple(patterns[WHOLE].steps)
    grown = (*patterns[WHOLE].lists, *patterns[WHOLE].output) if WHOLE in patterns else lists(steps)
    scope = Scope(report, tuple(inputs), known, grown, guarded(steps))
    if "workflow" in team:
        check_workflow(workflow, agents, scope)
        files += check_teams(steps, base, report)
    else:
        check_default(agents, report)
    unknown = "pattern" in workflow and WHOLE not in patterns  # what a pattern with a mistake would give
    for name, text in _mapping(team.get("output") if not unknown else None).items():
        scope.check(text, ("output", name))
    for name in _mapping(_mapping(team.get("limits")).get("agents")):
        if name not in agents:
            mend = hint(name, agents) or "name an agent of the team"
            report.add(("limits", "agents", name), f"unknown agent '{name[:60]}'", suggestion=mend, key=True)
    check_tests(team, tuple(inputs), steps, known, report)
    return files


def check_agents(agents: Mapping[str, Any], roles: RoleFinder, report: Report) -> list[NamedFile]:
    """Report agents whose role, function or files are not there. Returns the role files they name."""
    files: list[NamedFile] = []
    for name, written in agents.items():
        agent, here = forms.agent(written), ("agents", name)
        path: KeyPath = here if isinstance(written, str) else (*here, "role")
        role = agent.get("role")
        if isinstance(role, str) and role.strip():
            if is_role_path(role):
                found = check_file(role, roles.base, path, report, "role file")
                files += [NamedFile(path, found, "role")] if found is not None else []
            elif roles.find(role) is None:
                report.add(path, f"unknown role '{role[:60]}'", why="it is neither shipped nor learned",
                           suggestion=roles.suggestion(role))
        check_call(agent.get("call"), (*here, "call"), report)
        for word in ROLE_ONLY:
            if word in agent and "call" in agent and "role" not in agent:
                report.add((*here, word), f"'{word}' and 'call' in one agent", key=True,
                           why="a function is given the fields of a message and nothing else", suggestion="remove it")
        kinds: set[str] = set()
        for number, written_tool in enumerate(_list(agent.get("tools"))):
            for kind, file in forms.tool(written_tool).items():
                at: KeyPath = (*here, "tools", number, *(() if isinstance(written_tool, str) else (kind,)))
                if kind in kinds:
                    report.add(at, f"a second {kind} tool", key=True,
                               why="an agent knows its tools by their kind", suggestion="give it to another agent")
                kinds.add(kind)
                check_file(file, roles.base, at, report, "file")
        check_file(agent.get("history"), roles.base, (*here, "history"), report, "file")
    return files


def check_knowledge(knowledge: Mapping[str, Any], base: Path, report: Report) -> None:
    """Report knowledge files that are not there or lie outside the team's folder."""
    store = knowledge.get("store")
    if isinstance(store, str):
        place = confined(store, base, allow=report.document.allow)
        if isinstance(place, Confined):
            report.add(("knowledge", "store"), place.what, why=place.why, suggestion=place.mend)
    added = knowledge.get("add")
    for number, pattern in enumerate(added if isinstance(added, list) else []):
        check_file(pattern, base, ("knowledge", "add", number), report, "file", glob=True)


def check_teams(steps: Mapping[str, Any], base: Path, report: Report) -> list[NamedFile]:
    """Report steps whose team is not there. Returns the team files that they name."""
    files: list[NamedFile] = []
    for name, step in steps.items():
        path: KeyPath = ("workflow", "steps", name, "team")
        found = check_file(_mapping(step).get("team"), base, path, report, "team file")
        files += [NamedFile(path, found, "team")] if found is not None else []
    return files


def check_file(written: Any, base: Path, path: KeyPath, report: Report, what: str, glob: bool = False) -> Path | None:
    """Report a path that leaves the folder ``base`` or where nothing is. Returns the file that is there."""
    if not isinstance(written, str) or not written.strip():
        return None
    place = confined(written, base, glob=glob, allow=report.document.allow)
    if isinstance(place, Confined):
        report.add(path, place.what, why=place.why, suggestion=place.mend)
        return None
    if place is None:
        near = missing(written, base)
        report.add(path, f"the {what} '{written}' does not exist",
                   suggestion=f"did you mean '{near}'?" if near else "a path is relative to this file")
    return place


def check_default(agents: Mapping[str, Any], report: Report) -> None:
    """Report a team that says no workflow and for which none can be taken as meant."""
    if not agents and "agents" not in report.document.value:
        report.add((), "the key 'agents' is missing", key=True, why="without a workflow the team needs agents",
                   suggestion="add agents: {NAME: ROLE}, or a workflow")
    if len(agents) > 1 and not planners(agents):
        report.add(("agents",), "no agent plans and there is no workflow", key=True,
                   why="with several agents one must have the role planner, or the steps must be written",
                   suggestion="add planner: {role: planner}, or a workflow")


def check_tests(team: Mapping[str, Any], inputs: tuple[str, ...], steps: Mapping[str, Any],
                known_steps: Collection[str], report: Report) -> None:
    """Report tests that give, answer or expect what the team does not have."""
    outputs = tuple(_mapping(team.get("output")))
    asking = tuple(name for name, step in steps.items() if {"ask", "ask_from"} & set(_mapping(step)))
    inner = tuple(name for name, step in steps.items() if "team" in _mapping(step))
    for number, written in enumerate(_list(team.get("tests"))):
        test, path = forms.test(written), ("tests", number)
        if isinstance(test.get("input"), str) and (len(inputs) > 1 or team.get("input") == {}):
            at: KeyPath = path if isinstance(written, str) else (*path, "input")
            fields = ", ".join(f"{name}: …" for name in inputs)
            report.add(at, f"a text for an input of {len(inputs)} fields", why="a text is a request of one field",
                       suggestion=f"write input: {{{fields}}}")
        for word, what, known in (("input", "input", inputs), ("expect", "output", (*outputs, *OF_A_RUN))):
            for name in _mapping(test.get(word)):
                if name not in known and (inputs or team.get("input") == {} if word == "input" else outputs):
                    report.add((*path, word, name), f"the team's {what} has no '{name[:60]}'",
                               suggestion=hint(name, known), key=True)
        if "path" not in outputs:
            for at, name in _path(_mapping(test.get("expect")).get("path"), (*path, "expect", "path")):
                if name not in known_steps:
                    report.add(at, f"unknown step '{name[:60]}'", suggestion=hint(name, known_steps))
        for at, name in _answered(test.get("answers"), (*path, "answers")):
            if name.partition("/")[0] not in (inner if "/" in name else asking) and name != LIMIT:
                report.add((*at, name), f"no step '{name[:60]}' asks", key=True,
                           suggestion=hint(name, asking) or "a step asks with ask: QUESTION")
            elif isinstance(choices := _mapping(steps.get(name)).get("choices"), list):
                given = _mapping(_answers(test, at[len(path) + 1 :])).get(name)
                shown = [repr(one) for one in choices]
                if isinstance(given, str | int | float) and repr(given) not in shown:
                    report.add((*at, name), f"{repr(given)[:60]} is not among the choices",
                               suggestion=hint(repr(given), shown))


def _answers(test: Mapping[str, Any], at: KeyPath) -> Any:
    """What a test answers, or its part ``at`` the number of a round."""
    written = test.get("answers")
    return written[at[0]] if at and isinstance(written, list) and isinstance(at[0], int) else written


def _answered(written: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The steps that a test answers, each with the path of the mapping that does."""
    for number, answers in enumerate(written if isinstance(written, list) else [written]):
        at = (*path, number) if isinstance(written, list) else path
        yield from ((at, name) for name in _mapping(answers))


def _path(written: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """The steps that an expected path names, ``contains`` and ``lacks`` among them."""
    if isinstance(written, str):
        yield path, written
    for key, part in written.items() if isinstance(written, dict) else enumerate(_list(written)):
        yield from _path(part, (*path, key))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
