"""The cast: the members of a team whom a plan may give steps to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.messages import CastMember, Message, Task


def cast_of(agents: Mapping[str, Any]) -> tuple[Message, ...]:
    """The members that a plan may give steps to: the agents that take a Task, under their names."""
    return tuple(
        CastMember(name=name, does=getattr(agent, "does", ""))
        for name, agent in agents.items()
        if isinstance(takes := getattr(agent, "takes", None), type) and issubclass(takes, Task)
    )
