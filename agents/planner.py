"""The planner: a request becomes steps, each for one of the cast, later ones with the results of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import UnderstudyError
from ..core.fields import Choice, Earlier, ListOf, Record, Span
from ..core.prompts import Prompt
from .antecedents import antecedent
from .messages import Message, Plan, PlannedStep, PlanRequest
from .role import Context, Role
from .wording import as_read

DOES = "breaks a request into steps for the cast"
MOST_STEPS = 4
LONGEST_REQUEST = 512
"""Tokens of a step's words: whoever tells a story round a question still has it copied whole."""


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
            ("request", Span(part="request", max_tokens=LONGEST_REQUEST, whole=True)),
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
        return compose([(member.name, member.does) for member in cast], as_read(message.request))

    def finish(self, values: Mapping[str, Any], message: Any, context: Context) -> Message:
        """The plan, with the words of each step as they stand in the request.

        A step that says a second time what one before it says is that step. Before the words of a step that names
        nothing stands what a pronoun in it is: :func:`.antecedents.antecedent`.
        """
        request = as_read(message.request)
        steps: list[PlannedStep] = []
        place: list[int] = []  # for each step as it was given, where it stands among those that are kept
        for given in values["steps"]:
            words, span = given["request"].text.strip(), given["request"]
            needs = tuple(sorted({place[need - 1] for need in given["needs"]}))
            if not needs and context.store is not None:
                meant = antecedent(request, span.start, span.end, context.store)
                words = f"{meant}: {words}" if meant else words
            step = PlannedStep(agent=given["agent"], request=words, needs=needs)
            if step not in steps:
                steps.append(step)
            place.append(steps.index(step) + 1)
        return Plan(steps=tuple(steps))
