"""The planner: a request becomes steps, each for one of the cast, later ones with the results of earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.fields import Choice, Earlier, ListOf, Record, Span
from ..core.prompts import Prompt

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
