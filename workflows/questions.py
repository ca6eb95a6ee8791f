"""Questions to a person: how an answer finds its question, and whether it is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ..agents.messages import first_mistake, message_type
from ..agents.packing import pack
from .graph import WorkflowError
from .state import Ask, Start, State


@dataclass(frozen=True)
class OpenQuestion:
    """What a run waits for a person to say.

    Attributes:
        key: names it among all of the run.
        step: that asks, or ``$limits``; of a child run behind the step that it does, as ``report/approve``.
        index: the item of an ``each``, or None.
        question: the text.
        about: what the step was given.
        choices: what may be answered; () for anything.
        gives: the type of message that the answer has to be, or None.
        run: that asks: the run itself, or a child of it.
    """

    key: str
    step: str
    index: int | None
    question: str
    about: Any
    choices: tuple[Any, ...] = ()
    gives: str | None = None
    run: str = field(default="", compare=False)


def opened(ask: Ask, run: str) -> OpenQuestion:
    """A question of ``run`` as its reader sees it."""
    return OpenQuestion(ask.key, ask.step, ask.index, ask.question, ask.value, ask.choices, ask.gives, run)


def all_open(state: State, asked: Mapping[str, Sequence[OpenQuestion]]) -> tuple[OpenQuestion, ...]:
    """What is open for a person, in the order in which steps were entered; ``asked`` by children, by their keys."""
    found: list[OpenQuestion] = []
    for visit in sorted(state.active.values(), key=lambda visit: visit.order):
        for slot in visit.slots:
            if slot.status == "running" and isinstance(slot.start, Ask):
                found.append(opened(slot.start, state.run))
            elif slot.status == "running" and isinstance(slot.start, Start):
                found += asked.get(slot.start.key, ())
    return tuple(found if state.paused is None else [*found, opened(state.paused, state.run)])


def brief(asks: Iterable[OpenQuestion]) -> tuple[Mapping[str, Any], ...]:
    """The questions as the journal keeps them."""
    return tuple(
        {"key": ask.key, "step": ask.step, "question": ask.question, "choices": pack(list(ask.choices))} for ask in asks
    )


def found(asks: Iterable[OpenQuestion], key: str) -> OpenQuestion:
    """The open question of that key, or of the step of that name if it asks only one.

    A step of a child run may be named without the steps that lead to it. Raises WorkflowError.
    """
    every = tuple(asks)
    named = [ask for ask in every if ask.key == key] or [ask for ask in every if ask.step == key]
    named = named or [ask for ask in every if ask.step.endswith(f"/{key}")]
    if len(named) == 1:
        return named[0]
    if named:
        keys = ", ".join(ask.key for ask in named)
        raise WorkflowError(f"the step {key} asks several questions", mend=f"answer one by its key: {keys}")
    known = ", ".join(ask.key for ask in every) or "none is open"
    raise WorkflowError(f"there is no open question {key!r}", mend=f"open: {known}")


def checked(ask: Ask | OpenQuestion, answer: Any) -> Any:
    """``answer`` as the step will give it. Raises WorkflowError where the question does not allow it."""
    if ask.choices:
        if answer not in ask.choices:
            pack(answer, ask.key)  # what it refuses has no text that could be shown
            raise WorkflowError(
                f"{answer!r} is no answer to: {ask.question}", where=ask.key,
                mend=f"choose one of: {', '.join(map(str, ask.choices))}",
            )  # fmt: skip
        answer = ask.choices[ask.choices.index(answer)]  # the choice itself: 1 equals True
    if ask.gives is not None:
        kind = message_type(ask.gives)
        if not isinstance(answer, kind):
            try:
                answer = kind.model_validate(answer)
            except ValidationError as error:
                mend = f"it has to give: {', '.join(kind.model_fields)}"
                raise WorkflowError(first_mistake(error), where=ask.key, mend=mend) from None
    pack(answer, ask.key)
    return answer
