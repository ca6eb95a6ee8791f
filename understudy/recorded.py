"""A run as its record has it, without the workflow that it followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from .render import sources_of

if TYPE_CHECKING:
    from .workflows.events import Event


def recorded(events: Sequence[Event]) -> dict[str, Any]:
    """The object of ``run --json`` as far as the record has it, with ``input``; ``status`` is "open" while it is.

    Steps stand in the order in which they ended. What a step was asked is not in the record, but follows from it.
    """
    from .agents.usage import Usage
    from .workflows.events import (
        QuestionAnswered,
        RunAccepted,
        RunFinished,
        RunResumed,
        RunSuspended,
        StepFailed,
        StepFinished,
    )

    shown: dict[str, Any] = {"run": "", "status": "open", "input": None, "output": {}, "steps": [], "error": None,
                             "questions": []}
    usage = Usage()
    for event in events:
        if isinstance(event, RunAccepted):
            shown |= {"run": event.run, "workflow": event.workflow, "input": to_jsonable_python(event.input)}
        elif isinstance(event, StepFinished | StepFailed):
            output = to_jsonable_python(event.output) if isinstance(event, StepFinished) else None
            shown["steps"].append(
                {
                    "name": event.step,
                    "agent": event.agent,
                    "index": event.index,
                    "input": None,
                    "output": output,
                    "seconds": round(event.seconds, 4),
                    "attempts": event.attempts,
                    "error": event.error if isinstance(event, StepFailed) else None,
                    "sources": list(sources_of(output)),
                }
            )
            usage += event.usage
        elif isinstance(event, QuestionAnswered):
            step, _, index = _place(event.key, shown["run"])
            answered = {"name": step, "agent": None, "index": index, "input": None, "seconds": 0.0, "attempts": 1}
            shown["steps"].append(answered | {"output": to_jsonable_python(event.answer), "error": None, "sources": []})
        elif isinstance(event, RunSuspended):
            shown |= {"status": event.reason, "questions": list(event.questions)}
        elif isinstance(event, RunResumed):
            shown |= {"status": "open", "questions": []}
        elif isinstance(event, RunFinished):
            shown |= {"status": event.status, "error": event.error, "output": to_jsonable_python(event.output)}
    seconds = round(events[-1].at - events[0].at, 4)
    shown["usage"] = {"tokens": usage.tokens, "calls": usage.calls, "seconds": seconds}
    return shown


def _place(key: str, run: str) -> tuple[str, int, int | None]:
    """Step, visit and item in the key of an effect."""
    step, visit, *item = key.removeprefix(f"{run}/").split("/")
    return step, int(visit), int(item[0]) if item else None
