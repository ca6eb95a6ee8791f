"""Teams composed in Python: the agents and the workflow that a file would describe, given as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..agents.messages import Message, Task
from ..agents.role import Role
from ..core.errors import UnderstudyError
from .flow import Workflow
from .formats import FORMATS
from .graph import Graph, WorkflowError
from .meant import planners
from .members import Member, TeamAgent, members_of
from .references import check_agents, check_knowledge
from .resources import Resources
from .roles import RoleFinder
from .shapes import Report
from .team_graph import graph_of
from .yaml_document import YamlDocument

if TYPE_CHECKING:
    from .team import Team


def composed(
    kind: type[Team], name: str, workflow: Workflow | None, agents: Mapping[str, Any], resources: Resources, does: str,
    tests: Sequence[Any],
) -> Team:
    """The team of these parts, made by ``kind``; see :meth:`Team.of`."""
    said = {"team": name, **({"does": does} if does else {}), **({"tests": list(tests)} if tests else {})}
    knowledge = resources.knowledge
    report = checked({**said, **({} if knowledge is None else {"knowledge": dict(knowledge)})}, resources)
    if knowledge is not None:
        check_knowledge(knowledge, resources.base, report)
    refuse(report)
    members = members_in(agents, resources) if agents else {}
    graph = meant(name, members) if workflow is None else graph_in(workflow, name, {}, Task)
    team = kind(name, members, graph, resources, does=does, tests=tests)
    require(graph, team.agents)
    return team


def members_in(agents: Mapping[str, Any], resources: Resources) -> dict[str, Member]:
    """The members of these names: roles, or what a file says of an agent. Raises UnderstudyError for a mistake."""
    source = resources.source
    finder = RoleFinder(resources.base, source if isinstance(source, str) else source.name)
    roles = {name: one for name, one in agents.items() if isinstance(one, Role)}
    written = {name: dict(one) if isinstance(one, Mapping) else one for name, one in agents.items()}
    others = {name: one for name, one in written.items() if name not in roles}
    for name, one in others.items():
        if isinstance(one, TeamAgent) or callable(one) or hasattr(one, "handle"):
            raise UnderstudyError(f"{type(one).__name__} is no role", where=f"agent {name}", mend=_ROLE)
    report = checked({"agents": {name: others.get(name, "role") for name in agents}}, resources)
    if not report.problems:
        check_agents(others, finder, report)
    refuse(report)
    made = members_of(others, finder)
    for name, role in roles.items():
        head = finder.head(role.name)
        made[name] = Member(name, role, head, threshold=finder.threshold(head))
    return {name: made[name] for name in agents}


_ROLE = "give a Role, the name of one, the path of a role.yaml, or a mapping as in a team file: {'call': 'NAME'}"


def graph_in(workflow: Workflow, name: str, agents: Mapping[str, Any], takes: type[Message]) -> Graph:
    """The graph of ``workflow`` in the team ``name`` of these agents; ``takes``: where it does not say.

    Raises WorkflowError for an agent that is not the team's.
    """
    for key, agent in workflow.agents.items():
        if agents.get(key) is not agent:
            mend = f"name it, step('{key}'), and say its role: agents={{'{key}': …}}"
            raise WorkflowError(f"the agent '{key}' of the workflow is not the team's", where=name, mend=mend)
    graph = workflow.graph()
    return replace(graph, name=name, takes=graph.takes or takes)


def require(graph: Graph, agents: Mapping[str, Any]) -> None:
    """Raise WorkflowError for the first mistake in a graph whose steps these agents do."""
    for problem in graph.check(agents):
        raise WorkflowError(problem.what, where=f"{graph.name}.{problem.path}", mend=problem.suggestion or None)


def meant(name: str, members: Mapping[str, Member]) -> Graph:
    """The graph that is meant where there is no workflow. Raises WorkflowError where none can be."""
    roles = {key: {"role": member.role.name} for key, member in members.items()}
    if not planners(roles) and len(roles) != 1:
        raise WorkflowError("no agent plans and there is no workflow", where=name,
                            mend="give the team a workflow, or an agent with the role planner")
    alone = None if planners(roles) else next(iter(members.values()))
    return graph_of({"team": name, "agents": roles}, Task if alone is None else alone.role.takes)


def checked(said: Mapping[str, Any], resources: Resources) -> Report:
    """What is wrong with parts of a team, each by the shape that it has in a file."""
    report = Report(YamlDocument(resources.base / "team.yaml", said, allow=resources.allow))
    for key, value in said.items():
        FORMATS["team"].keys[key].shape.check(value, (key,), report)
    return report


def refuse(report: Report) -> None:
    """Raise UnderstudyError for the first mistake."""
    for problem in report.problems:
        raise UnderstudyError(problem.what, where=problem.path, mend=problem.suggestion or problem.why or None)

