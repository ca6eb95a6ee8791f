"""The planner: a request becomes steps, each for one of the cast, later ones with the results of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import UnderstudyError
from ..core.fields import Choice, Earlier, ListOf, Record, Span
from ..core.prompts import Prompt
from .messages import Message, Plan, PlannedStep, PlanRequest
from .role import Context, Role

DOES = "breaks a request into steps for the cast"
MOST_STEPS = 4


def compose(cast: Sequence[tuple[str, str]], request: str) -> tuple[Prompt, Record]:
    """What the planner reads and may write; the same for a training example and for a call.

    The conventions that its examples keep: one step where one agent can do all; an earlier step gets the words that
    ask for what it must find, the last step of a dependent plan gets the whole request; independent questions get
    their own words each.

    Args:
        cast: name and what it does, of every agent that may be given a step.
        request: what was asked.
    """
    lines = "; ".join(f"{name}: {does}" for name, does in cast)
    step = Record(
        (
            ("agent", Choice(tuple(name for name, _ in cast))),
            ("request", Span(part="request", max_tokens=96)),
            ("needs", ListOf(Earlier(), 0, 3, distinct=True)),
        )
    )
    record = Record((("steps", ListOf(step, 1, MOST_STEPS)),))
    return Prompt(message=(("cast", lines), ("request", request)), role="plan"), record


class Planner(Role):
    """The shipped role ``planner``: takes a :class:`PlanRequest`, gives a :class:`Plan`."""

    def __init__(self) -> None:
        super().__init__("planner", DOES, PlanRequest, Plan)

    def prepare(self, message: Any, context: Context) -> tuple[Prompt, Record]:
        """See :func:`compose`. Raises UnderstudyError where there is nobody to plan for, or nothing to do."""
        cast = message.cast or context.cast
        if not cast:
            raise UnderstudyError("a plan needs a cast", where=self.name, mend="give it cast: team.cast")
        if not message.request.strip():
            raise UnderstudyError("the request is empty", where=self.name)
        return compose([(member.name, member.does) for member in cast], " ".join(message.request.split()))

    def finish(self, values: Mapping[str, Any], message: Any, context: Context) -> Message:
        """The plan, with the words of each step as they stand in the request."""
        return Plan(
            steps=tuple(
                PlannedStep(
                    agent=step["agent"], request=step["request"].text.strip(), needs=tuple(sorted(set(step["needs"])))
                )
                for step in values["steps"]
            )
        )
