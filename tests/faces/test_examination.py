"""Questions put to one role after another, and what is counted of the answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.agents.messages import Finding, Task
from understudy.core.errors import UnderstudyError
from understudy.examination import Outcome, examine, is_place
from understudy.judging import Judged
from understudy.knowledge import KnowledgeStore
from understudy.questions import Question


class Prompted:
    """A rival that is a prompted model, and a team of one agent, ``qa``.

    ``works``: whether its calls are answered; ``silent``: how many questions come first that need no call.
    """

    names = ("tiny, few-shot",)

    def __init__(self, works: bool = True, silent: int = 0, history: Path | None = None) -> None:
        self.works, self.silent, self.calls, self.broken = works, silent, 0, False
        self.seen: list[tuple[str, int]] = []  # each question with how many were under way
        self.under_way = 0
        options = {} if history is None else {"history": str(history)}
        agent = SimpleNamespace(takes=Task, member=SimpleNamespace(options=options))

        class Team(SimpleNamespace):
            def __getitem__(self, name: str) -> Any:
                return agent

        self.team = Team(resources=SimpleNamespace(store=None))

    def served(self, rival: str) -> Any:
        return self

    @property
    def taken(self) -> tuple[int, int, float]:
        return (self.calls, self.calls, 0.0)

    def require_working(self) -> None:
        if self.broken:
            raise UnderstudyError("the endpoint asks for a key (401)")

    def agent(self, rival: str, name: str) -> Any:
        return SimpleNamespace(handle=self.handle)

    async def handle(self, message: Any) -> Finding:
        self.under_way += 1
        self.seen.append((message.request, self.under_way))
        await asyncio.sleep(0.001)
        self.under_way -= 1
        if self.silent:
            self.silent -= 1
        elif self.works:
            self.calls += 1
        else:
            self.broken = True
            raise UnderstudyError("the endpoint asks for a key (401)")
        return Finding(answer="a")


def asked(rivals: Any, count: int = 5, **more: Any) -> list[Outcome]:
    questions = [Question(str(at), "qa", str(at), values=("a",), **more) for at in range(count)]
    return examine(rivals, {"qa": questions})


def test_a_prompted_model_that_does_not_work_is_asked_one_question() -> None:
    rivals = Prompted(works=False)
    with pytest.raises(UnderstudyError, match="401"):
        asked(rivals)
    assert rivals.seen == [("0", 1)]


def test_one_that_works_is_asked_the_rest_together() -> None:
    rivals = Prompted()
    (outcome,) = asked(rivals)
    assert rivals.seen == [("0", 1), ("1", 1), ("2", 2), ("3", 3), ("4", 4)]
    assert outcome.right == (True,) * 5
    asked(rivals)
    assert rivals.seen[5:] == [("0", 1), ("1", 2), ("2", 3), ("3", 4), ("4", 5)], "it is known to work"


def test_a_question_that_needs_no_call_does_not_tell_whether_it_works() -> None:
    rivals = Prompted(works=False, silent=2)
    with pytest.raises(UnderstudyError, match="401"):
        asked(rivals)
    assert rivals.seen == [("0", 1), ("1", 1), ("2", 1)]
    assert len(asked(Prompted(silent=9))[0].judged) == 5


@pytest.mark.parametrize("text", [b"name\nP\xe9rou\n", None])
def test_a_history_that_cannot_be_read_is_told_before_anything_is_asked(tmp_path: Path, text: bytes | None) -> None:
    file = tmp_path / "seen.csv"
    if text is not None:
        file.write_bytes(text)
    rivals = Prompted(history=file)
    with pytest.raises(UnderstudyError, match="the history cannot be read.*; give option history a CSV file") as caught:
        asked(rivals, liked=("Peru",))
    assert caught.value.where == str(file) and not rivals.seen
    assert asked(Prompted(history=file)), "nobody looks at it where nothing is suggested"


def test_what_can_be_suggested_is_of_a_kind_with_what_was_liked() -> None:
    with KnowledgeStore.open(":memory:") as store:
        store.add_facts([
            ("Peru", "is_a", "country"), ("Chile", "is_a", "country"), ("Chile", "also_called", "Chili"),
            ("Lima", "is_a", "city"), ("Lima", "capital_of", "Peru"), ("Anna", "knows", "Ben"),
        ])  # fmt: skip
        assert is_place(store, ["Peru"], "Chile")
        assert not is_place(store, ["Peru"], "Chili"), "suggested under another name"
        assert not is_place(store, ["Peru"], "Lima") and not is_place(store, ["Peru"], "Atlantis")
        assert is_place(store, ["Ben"], "Anna") and not is_place(store, ["Ben"], "Ben")
    assert is_place(None, ["Ben"], "anything")


def test_an_outcome_counts_each_thing_apart() -> None:
    asked = [Question(str(at), "qa", "?", values=("a",)) for at in range(4)]
    asked += [Question("n", "qa", "?", unanswerable=True)] * 3
    judged = [
        Judged(True, "a"), Judged(False, "b"), Judged(False, "", abstained=True), Judged(False, "", failed=True),
        Judged(True, "", abstained=True), Judged(False, "b"), Judged(False, "", failed=True),
    ]  # fmt: skip
    outcome = Outcome("qa", "trained head", tuple(asked), tuple(judged), (0.1,) * 6 + (9.0,), False)
    counts = {name: (rate.right, rate.total) for name, rate in outcome.rates.items()}
    assert counts == {
        "right": (2, 7), "right_of_answerable": (1, 4), "answered": (2, 4), "right_of_answered": (1, 2),
        "false_answers": (1, 3), "plan_right": (0, 0),
    }  # fmt: skip
    assert [question.id for question, _ in outcome.confident_errors] == ["1", "n"]
    assert outcome.typical == 0.1 and outcome.as_json()["failed"] == 2
    assert outcome.where(lambda one: one.unanswerable, "rest").rates["right"].total == 3
