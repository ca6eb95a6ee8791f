"""Patterns in a team file: the workflow of a group of agents, made by the functions of :mod:`.patterns`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..agents.messages import Message, Task
from ..agents.role_document import message_type_of
from ..core.errors import UnderstudyError
from . import forms
from .calls import CALLS
from .meant import REQUEST
from .pattern_graph import PatternFlow
from .team_graph import WHOLE, expression_of, limits_of
from .yaml_document import KeyPath

if TYPE_CHECKING:
    from ..agents.role import Role

GROUPS = ("agents", "workers")
SINGLE = ("choose", "judge", "planner", "reviewer")
"""Keys of a pattern that name agents: several, and one."""

OF_A_STEP = ("takes", "limits")
"""Keys that the pattern of a step has, and a whole workflow from its team."""


class Player:
    """An agent of a team, as a pattern knows it: by its name, under which a run reaches the agent itself.

    Without a ``role`` nothing is known of what it takes and gives.
    """

    def __init__(self, name: str, role: Role | None = None, does: str | None = None) -> None:
        self.name = name
        self.takes = None if role is None else role.takes
        self.gives = None if role is None else role.gives
        self.does = does or ("" if role is None else role.does)

    async def handle(self, message: Message) -> Any:
        """Raises UnderstudyError: it only stands for the agent."""
        raise UnderstudyError(f"the agent '{self.name}' is not in the run", mend="give it: agents={…}")


def pattern_flow(written: Mapping[str, Any], players: Mapping[str, Player], name: str,
                 takes: type[Message] = Task) -> PatternFlow:
    """The workflow of a pattern with right keys and names, called ``name``. Raises UnderstudyError as in Python."""
    from . import patterns

    ((kind, said),) = written.items()
    given = {key: _given(key, value, players) for key, value in said.items() if key not in OF_A_STEP}
    limits = limits_of(said.get("limits", {}))
    graph = getattr(patterns, kind)(**given, takes=takes, name=name, limits=limits).graph()
    return PatternFlow.written(graph, written)


def flows_of(document: Mapping[str, Any], players: Mapping[str, Player],
             takes: type[Message]) -> dict[str, PatternFlow]:
    """The workflows of the patterns in a document without mistakes, by step, or :data:`WHOLE`.

    ``takes``: what the team takes.
    """
    team = str(document["team"])
    return {
        step: pattern_flow(written, players, step or team, takes if step == WHOLE else takes_of(team, step, written))
        for step, _, written in patterns_in(document)
    }


def takes_of(team: str, step: str, written: Mapping[str, Any]) -> type[Message]:
    """What the pattern of a step takes. Raises UnderstudyError for a field that no message can have."""
    (said,) = written.values()
    fields = said.get("takes", REQUEST)
    return Task if fields == REQUEST else message_type_of(f"{team}.{step}.takes", fields, f"step {step}")


def patterns_in(document: Mapping[str, Any]) -> Iterator[tuple[str, KeyPath, Any]]:
    """Each pattern of a document: its step (:data:`WHOLE` where there is none), its path, and what is written."""
    workflow = document.get("workflow")
    if not isinstance(workflow, dict):
        return
    if "pattern" in workflow:
        yield WHOLE, ("workflow", "pattern"), workflow["pattern"]
    steps = workflow.get("steps")
    for name, step in steps.items() if isinstance(steps, dict) else ():
        if isinstance(step, dict) and "pattern" in step:
            yield name, ("workflow", "steps", name, "pattern"), step["pattern"]


def named(said: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    """Whom a pattern names, as written, with the path."""
    for key in GROUPS:
        yield from (((key, number), one) for number, one in enumerate(forms.items(said.get(key))))
    yield from (((key,), said[key]) for key in SINGLE if key in said)


def _given(key: str, value: Any, players: Mapping[str, Player]) -> Any:
    if key in GROUPS:
        return [_doer(one, players) for one in value]
    if key in SINGLE:
        return _doer(value, players)
    if key == "rule":
        return CALLS[value["call"]] if isinstance(value, dict) else value
    if key == "until":
        return expression_of(value)
    return int(value) if isinstance(value, float) else value


def _doer(written: Any, players: Mapping[str, Player]) -> Any:
    return CALLS[written["call"]] if isinstance(written, dict) else players[written]
