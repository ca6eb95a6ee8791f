"""From a team to the plain values of its file, and to those of a file that is there already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..agents.messages import Task
from .formats import FORMATS, TEAM_FORMAT
from .graph import END, Graph, WorkflowError
from .meant import REQUEST, planners
from .roles import DEFAULT_BACKBONE
from .step_document import fields_document, limits_document, workflow_document, written
from .team_folder import TeamFolder
from .team_graph import PLANNED_OUTPUT, graph_of

if TYPE_CHECKING:
    from .team import Team

VARIABLE = re.compile(r"\$(?=[${])")
"""A dollar that would be read as the beginning of a variable, or as one half of a plain dollar."""

WAYS = ("then", "routes")
FROM_WORKFLOW = ("input", "workflow", "output")
"""Keys that are left out together, where the workflow is the one that is meant without them."""


def document_of(team: Team, graph: Graph, folder: TeamFolder, *, whole: bool) -> dict[str, Any]:
    """What the file of ``team`` says; ``whole``: with the workflow that is meant where none is written.

    Raises UnderstudyError for what YAML cannot say.
    """

    def path_of(step: str, other: Any) -> str:
        file = getattr(other, "file", None)
        if file is None:
            what, where = f"the workflow '{other.name}' has no file", f"{graph.name}, step {step}"
            mend = "save it as a team first: Team.of(NAME, workflow).save(FILE)"
            raise WorkflowError(what, where=where, mend=mend)
        return f"./{folder.path(str(file.absolute()), f'{graph.name}, step {step}')}"

    made: dict[str, Any] = {"schema": TEAM_FORMAT, "team": team.name}
    if team.does:
        made["does"] = team.does
    source = folder.resources.source
    name = folder.model(source if isinstance(source, str) else source.name)
    if team.file is None and name not in ("default", DEFAULT_BACKBONE):
        made["backbone"] = name
    if folder.resources.knowledge is not None:
        made["knowledge"] = _knowledge(folder.resources.knowledge, folder)
    agents = {name: folder.agent(agent.member) for name, agent in team.agents.items()}
    made |= {"agents": agents} if agents else {}
    alone = not whole and not planners(agents)
    if not alone:
        assert graph.takes is not None
        made["input"] = dict(REQUEST) if graph.takes is Task else fields_document(graph.takes, f"{graph.name}, input")
    if whole:
        made["workflow"] = workflow_document(graph, path_of)
    if graph.output and (whole or graph.output != PLANNED_OUTPUT):
        made["output"] = {name: written(one, f"{graph.name}, output {name}") for name, one in graph.output.items()}
    if limits := limits_document(graph.limits):
        made["limits"] = limits
    if team.tests:
        made["tests"] = list(team.tests)
    return {key: _literal(value) for key, value in made.items()}


def is_meant(team: Team, graph: Graph) -> bool:
    """Whether the workflow is the one that is meant in a file that has none."""
    roles = {name: {"role": agent.member.role.name} for name, agent in team.agents.items()}
    if not planners(roles) and len(roles) != 1:
        return False
    alone = not planners(roles) and next(iter(team.agents.values())).member.role.takes is not graph.takes
    meant = graph_of({"team": graph.name, "agents": roles})
    return not alone and (meant.steps, meant.start) == (graph.steps, graph.start)


def revised(file: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file that says ``old`` in its own words, changed to say ``new``: what is the same is left."""
    made = _merged(file, old, new)
    if "workflow" not in file and "workflow" in new:
        made |= {key: new[key] for key in FROM_WORKFLOW if key in new and key not in file}
    elif "workflow" in new:
        made["workflow"] = _workflow(file["workflow"], old.get("workflow", {}), new["workflow"])
    order = list(file)
    for place, key in enumerate(keys := list(FORMATS["team"].keys)):
        if key in made and key not in order:
            before = [order.index(other) for other in keys[:place] if other in order]
            order.insert(max(before, default=-1) + 1, key)
    return {key: made[key] for key in order if key in made}


def _merged(file: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(file)
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if key not in new:
            made.pop(key, None)
        elif key not in old or before != after:
            if isinstance(before, dict) and isinstance(after, dict) and isinstance(made.get(key), dict):
                made[key] = _merged(made[key], before, after)
            else:
                made[key] = after
    return made


def _workflow(file: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    if not ("steps" in file and "steps" in new):
        return dict(file if old == new else new)
    steps: dict[str, Any] = {}
    for name, step in new["steps"].items():
        before = old.get("steps", {}).get(name)
        mine = file["steps"].get(name)
        if mine is None or before is None:
            steps[name] = step
        elif before == step:
            steps[name] = mine
        else:
            steps[name] = _merged(mine, *({key: one[key] for key in one if key not in WAYS} for one in (before, step)))
            if any(before.get(word) != step.get(word) for word in WAYS):
                onward = {word: step[word] for word in WAYS if word in step} or {"then": END}
                steps[name] = {key: steps[name][key] for key in steps[name] if key not in WAYS} | onward
    for name, step in steps.items():
        steps[name] = _after(name, step, new["steps"])
    made = {**file, "steps": steps}
    if new["start"] != file.get("start", next(iter(steps))):
        made = {"start": new["start"], **{key: value for key, value in made.items() if key != "start"}}
    return made


def _after(name: str, step: Mapping[str, Any], steps: Mapping[str, Any]) -> dict[str, Any]:
    """The step with only those in its ``after`` that lead to it."""
    if "after" not in step or "after" in steps[name]:
        return dict(step)
    written = [step["after"]] if isinstance(step["after"], str) else step["after"]
    kept = [other for other in written if other in steps and name in _led_to(steps[other])]
    return dict(step) if kept == written else {key: step[key] for key in step if key != "after"}


def _led_to(step: Mapping[str, Any]) -> list[str]:
    targets = [step.get("then"), *(route["to"] for route in step.get("routes", ()))]
    return [name for target in targets for name in (target if isinstance(target, list) else [target])]


def _knowledge(knowledge: Mapping[str, Any], folder: TeamFolder) -> dict[str, Any]:
    made = dict(knowledge)
    if "add" in made:
        made["add"] = [folder.path(pattern, "knowledge", glob=True) for pattern in made["add"]]
    if "embedder" in made:
        made["embedder"] = folder.model(made["embedder"])
    return made


def _literal(value: Any) -> Any:
    """Values as they have to stand in a file in which ``${NAME}`` is a variable."""
    if isinstance(value, dict):
        return {key: _literal(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(part) for part in value]
    return VARIABLE.sub("$$", value) if isinstance(value, str) else value
