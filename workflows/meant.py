"""What is meant where a team file does not say: its steps, its input, and who plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import forms

DEFAULT_STEPS = ("plan", "work", "answer")
ALONE = "answer"
"""Steps of the workflow that is meant where none is written: with a planner, and with one agent."""

REQUEST: Mapping[str, str] = {"request": "text"}
"""The input of a team that does not say its own."""


def planners(agents: Mapping[str, Any]) -> list[str]:
    """The names of the agents whose role is the planner."""
    return [name for name, agent in agents.items() if forms.agent(agent).get("role") == "planner"]
