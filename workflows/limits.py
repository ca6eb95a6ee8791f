"""Limits: what a run, and each of its agents, may use before it ends or asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Budget:
    """What one agent may use within a run: seconds at work, messages handled, tokens read and written."""

    seconds: float | None = None
    messages: int | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Limits(Budget):
    """What a run may use. The effect that passes a limit is finished and kept; none begins after it.

    Attributes:
        seconds: at work, over all processes that drive it; the clock ends effects that are under way.
        messages: effects in all.
        tokens: of all effects.
        depth: how far a chain of agents that call each other may go within one step.
        on_exceed: ``stop`` fails the run, ``partial`` ends it with the status partial, ``ask`` asks a person whether
            as much again may be used. The output so far is in the result either way.
        agents: budgets by the names of agents.
    """

    depth: int | None = None
    on_exceed: Literal["stop", "partial", "ask"] = "stop"
    agents: Mapping[str, Budget] = field(default_factory=dict)

    @property
    def bounded(self) -> bool:
        """Whether the run as a whole may use only so many messages or tokens."""
        return self.messages is not None or self.tokens is not None

    def document(self) -> Any:
        """As JSON, for the journal: what version 1 kept is kept in its form."""
        plain: list[Any] = [self.seconds, self.messages, self.on_exceed]
        if self.tokens is None and self.depth is None and not self.agents:
            return plain
        agents = {name: [budget.seconds, budget.messages, budget.tokens] for name, budget in self.agents.items()}
        return [*plain, self.tokens, self.depth, agents]


@dataclass(frozen=True)
class Spent:
    """What was used so far, of a run or by one agent."""

    messages: int = 0
    tokens: int = 0
    seconds: float = 0.0


def used_up(budget: Budget, spent: Spent, granted: int) -> str | None:
    """What of ``budget`` is used up, as words, after it was granted ``granted`` times more; None while none is."""
    times = 1 + granted
    if budget.messages is not None and spent.messages >= budget.messages * times:
        return f"{budget.messages * times} messages"
    if budget.tokens is not None and spent.tokens >= budget.tokens * times:
        return f"{budget.tokens * times} tokens"
    if budget.seconds is not None and spent.seconds >= budget.seconds * times:
        return f"{budget.seconds * times:g} seconds"
    return None
