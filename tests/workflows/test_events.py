"""Events: their JSON, and the version in it."""

import json
from pathlib import Path

import pytest

from understudy.agents.messages import Envelope, Finding, Task
from understudy.agents.usage import Usage
from understudy.core.errors import UnderstudyError
from understudy.workflows.events import (
    VERSION,
    Event,
    LetterDied,
    LimitReached,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    StepStarted,
    event_from_json,
    event_to_json,
)

EVENTS: list[Event] = [
    RunAccepted(1.5, "r", "w", {"name": "w", "steps": {}}, Task(request="x"), {"cast": (Task(request="y"),)}),
    RunResumed(2.0),
    StepStarted(2.5, "a", 1, None, "qa", "r/a/1"),
    StepFinished(3.0, "a", 1, 4, "qa", [Finding(answer="x"), None, (1, 2)], 0.5, 2, Usage(10, 1, 0.25)),
    StepFailed(3.5, "a", 1, None, None, "ValueError: no", 0.5),
    LetterDied(4.0, Envelope(id="1", recipient="a", body=Task(request="x")), "handler failed", "ValueError: no"),
    LimitReached(4.5, "5 seconds"),
    RunFinished(5.0, "failed", {"answer": Finding(answer="x")}, "step a: no"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_json_round_trip(event: Event) -> None:
    text = json.dumps(event_to_json(event), allow_nan=False)
    assert event_from_json(type(event).__name__, json.loads(text)) == event


def test_events_written_by_version_1_are_read() -> None:
    lines = (Path(__file__).parent / "events_v1.jsonl").read_text(encoding="utf-8").splitlines()
    assert [event_from_json(kind, body, 1) for kind, body in map(json.loads, lines)] == EVENTS


def test_a_newer_version_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(UnderstudyError, match=f"version {VERSION + 1}, and this understudy reads"):
        event_from_json("RunResumed", {"at": 1.0}, VERSION + 1)
    with pytest.raises(UnderstudyError, match="an event 'Dreamed'"):
        event_from_json("Dreamed", {"at": 1.0})
