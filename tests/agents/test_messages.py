"""Messages: validation, and registration by name."""


import pytest
from pydantic import ValidationError, create_model

from understudy.agents.messages import (
    Envelope,
    Finding,
    Message,
    MessageError,
    Query,
    Source,
    Task,
    message_type,
)
from understudy.agents.packing import from_json, to_json

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


def test_an_envelope_has_one_address() -> None:
    with pytest.raises(ValidationError, match="either a recipient or a topic"):
        Envelope(id="1", body=Task(request="x"))
    with pytest.raises(ValidationError, match="either a recipient or a topic"):
        Envelope(id="1", recipient="a", topic="b", body=Task(request="x"))
