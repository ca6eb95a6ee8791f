"""Events: their JSON, and the version in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Envelope, Finding, Task
from understudy.agents.usage import Usage
from understudy.core.errors import UnderstudyError
from understudy.workflows.events import (
    KINDS,
    VERSION,
    Event,
    LetterDied,
    LetterSent,
    LimitReached,
    NoteKept,
    QuestionAnswered,
    RunAccepted,
    RunFinished,
    RunResumed,
    RunSuspended,
    StepEdited,
    StepEmitted,
    StepFailed,
    StepFinished,
    StepStarted,
    TimerFired,
    event_from_json,
    event_to_json,
)

VERSION_1: list[Event] = [
    RunAccepted(1.5, "r", "w", {"name": "w", "steps": {}}, Task(request="x"), {"cast": (Task(request="y"),)}),
    RunResumed(2.0),
    StepStarted(2.5, "a", 1, None, "qa", "r/a/1"),
    StepFinished(3.0, "a", 1, 4, "qa", [Finding(answer="x"), None, (1, 2)], 0.5, 2, Usage(10, 1, 0.25)),
    StepFailed(3.5, "a", 1, None, None, "ValueError: no", 0.5),
    LetterDied(4.0, Envelope(id="1", recipient="a", body=Task(request="x")), "handler failed", "ValueError: no"),
    LimitReached(4.5, "5 seconds"),
    RunFinished(5.0, "failed", {"answer": Finding(answer="x")}, "step a: no"),
]

_FORKED = {"run": "q", "step": "a", "visit": 1, "index": None}
_LETTER = Envelope(
    id="i", run="r", sender="s", topic="news", cause="c", reply_to="b", deadline=9.0, attempt=2, trace="t", depth=3,
    control=True, body=Finding(answer="x", confidence=0.5),
)  # fmt: skip

VERSION_2: list[Event] = [
    *VERSION_1,
    RunAccepted(1.5, "r", "w", {"limits": [None, 5, "ask", 10, 2, {}]}, {"$key": [1.5, None]}, None, _FORKED),
    StepFailed(3.5, "a", 2, 0, "qa", "ValueError: no", 0.5, 3, Usage(10, 1, 0.25)),
    StepEmitted(6.0, "a", 1, 2, "a token"),
    StepEdited(6.5, "a", 1, None, {"request": "x", "given": ("a", 1, float("inf"))}),
    TimerFired(7.0, "sleep", 2, None),
    QuestionAnswered(7.5, "r/ask/1", Finding(answer="yes")),
    RunSuspended(8.0, "waiting", ({"key": "r/ask/1", "step": "ask", "question": "Sure?", "choices": ["yes", False]},)),
    RunSuspended(8.5, "interrupted"),
    LetterDied(9.0, _LETTER, "too deep", ""),
    LetterSent(9.5, 12, Finding(answer="at last")),
    LetterSent(10.0, 12, None, "no recipient"),
    NoteKept(10.5, "checkpoint", {"channel": (1, "ä")}),
]


def lines(version: int) -> list[tuple[str, dict[str, Any]]]:
    """What this version of understudy wrote: these files stay as they are."""
    text = (Path(__file__).parent / f"events_v{version}.jsonl").read_text(encoding="utf-8")
    return [(kind, body) for kind, body in map(json.loads, text.splitlines())]


@pytest.mark.parametrize("event", VERSION_2, ids=lambda event: type(event).__name__)
def test_json_round_trip(event: Event) -> None:
    text = json.dumps(event_to_json(event), allow_nan=False)
    assert event_from_json(type(event).__name__, json.loads(text)) == event


@pytest.mark.parametrize(("version", "events"), [(1, VERSION_1), (2, VERSION_2)])
def test_events_written_by_every_version_are_read(version: int, events: list[Event]) -> None:
    assert [event_from_json(kind, body, version) for kind, body in lines(version)] == events


def test_the_file_of_this_version_has_every_kind_with_every_field() -> None:
    # An event with other fields needs another version, and a file of its own.
    written = [(type(event).__name__, list(event_to_json(event))) for event in VERSION_2]
    assert written == [(kind, list(body)) for kind, body in lines(VERSION)]
    assert {kind for kind, _ in written} == set(KINDS)


def test_plain_events_need_no_message_types() -> None:
    body = {"at": 1.0, "key": "r/ask/1", "answer": [{"$type": "test.Unheard", "fields": {"$tuple": [1]}}]}
    assert event_from_json("QuestionAnswered", body, plain=True) == QuestionAnswered(
        1.0, "r/ask/1", [{"fields": (1,)}]
    )
    with pytest.raises(UnderstudyError, match="there is no message type 'test.Unheard'"):
        event_from_json("QuestionAnswered", body)


def test_a_newer_version_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(UnderstudyError, match=f"version {VERSION + 1}, and this understudy reads"):
        event_from_json("RunResumed", {"at": 1.0}, VERSION + 1)
    with pytest.raises(UnderstudyError, match="an event 'Dreamed'"):
        event_from_json("Dreamed", {"at": 1.0})
