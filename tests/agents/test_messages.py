"""Messages: validation, registration by name, JSON that loses nothing."""

import math
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError, create_model

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
    Task,
    from_json,
    message_type,
    pack,
    to_json,
    unpack,
)

QUERY = Query(
    answer="2", values=("2",), sources=(Source(title="t", text="x", source="sql"),),
    sql="SELECT 1", columns=("a", "b"), rows=((1, None), ("x", 2.5)), attempts=1,
)  # fmt: skip


def test_unknown_fields_and_changes_are_refused() -> None:
    with pytest.raises(ValidationError):
        Task(request="a", colour="red")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Task(request="a").request = "b"  # type: ignore[misc]


def test_given_takes_values_of_findings() -> None:
    task = Task(request="r", given=[QUERY, None, "plain", {"values": ["from a dict"]}])
    assert task.given == ("2", "plain", "from a dict")
    assert Task(request="r", given=QUERY).given == ("2",)
    assert Task(request="r", given=None).given == ()


def test_given_takes_the_answer_of_a_finding_without_values() -> None:
    assert Task(request="r", given=[Finding(answer="n"), QUERY]).given == ("n", "2")
    assert Task(request="r", given={"answer": "n", "values": []}).given == ("n",)
    nothing = Finding(answer="nothing found", abstained=True)
    assert Task(request="r", given=[nothing, dict(nothing), Finding(answer=""), {"values": []}]).given == ()


def test_given_refuses_what_has_no_values() -> None:
    with pytest.raises(ValidationError):
        Task(request="r", given=[3])


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


def test_types_made_at_run_time_are_registered() -> None:
    made = create_model("TriageTakes", __base__=Message, text=(str, ...))
    assert message_type("TriageTakes") is made
    assert from_json({"$type": "TriageTakes", "text": "x"}) == made(text="x")


def test_own_names_are_reserved_and_can_be_told_apart() -> None:
    with pytest.raises(MessageError, match="one of understudy's own"):
        create_model("Query", __base__=Message, text=(str, ...))

    class Query2(Message, message_name="mine.Query"):
        text: str

    assert to_json(Query2(text="x")) == {"$type": "mine.Query", "text": "x"}
    assert message_type("Query") is Query


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


def test_an_envelope_has_one_address() -> None:
    with pytest.raises(ValidationError, match="either a recipient or a topic"):
        Envelope(id="1", body=Task(request="x"))
    with pytest.raises(ValidationError, match="either a recipient or a topic"):
        Envelope(id="1", recipient="a", topic="b", body=Task(request="x"))
