"""Messages and values as JSON that loses nothing."""

import math
from datetime import date
from typing import Any

import pytest

from understudy.agents.messages import (
    CastMember,
    Envelope,
    Finding,
    Message,
    MessageError,
    Plan,
    PlannedStep,
    Query,
    Source,
)
from understudy.agents.packing import from_json, pack, to_json, unpack

QUERY = Query(
    answer="2", values=("2",), sources=(Source(title="t", text="x", source="sql"),),
    sql="SELECT 1", columns=("a", "b"), rows=((1, None), ("x", 2.5)), attempts=1,
)  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        QUERY,
        Plan(steps=(PlannedStep(agent="qa", request="x", needs=(1, 2)),), confidence=0.5),
        CastMember(name="a", does="b"),
        Envelope(id="1", recipient="a", body=QUERY),
        Finding(answer="nan", confidence=math.inf),
    ],
)
def test_json_round_trip(message: Message) -> None:
    assert from_json(to_json(message)) == message


def test_a_subclass_inside_a_message_keeps_its_type() -> None:
    class Review(Message):
        findings: tuple[Finding, ...]

    back = from_json(to_json(Review(findings=(QUERY,))))
    assert isinstance(back, Review) and type(back.findings[0]) is Query


def test_rich_field_types_come_back() -> None:
    class Trip(Message):
        day: date
        seats: dict[int, str]
        tags: frozenset[str]

    trip = Trip(day=date(2026, 1, 2), seats={1: "a"}, tags=frozenset({"x"}))
    assert from_json(to_json(trip)) == trip


def test_unknown_type_and_wrong_field_say_so() -> None:
    with pytest.raises(MessageError, match="no message type 'Nope'"):
        from_json({"$type": "Nope"})
    with pytest.raises(MessageError, match=r"Task: request: Field required"):
        from_json({"$type": "Task"})


@pytest.mark.parametrize("value", [(1, [2, (3,)]), {"$type": "Task", "$$x": 1}, [QUERY], -math.inf, "é\ud800", None])
def test_pack_keeps_values_and_types(value: Any) -> None:
    back = unpack(pack(value))
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {1}}, b"x"])
def test_pack_refuses_what_json_has_not(value: Any) -> None:
    with pytest.raises(MessageError, match="step work: a value of type"):
        pack(value, "step work")
