"""Questions to a person: a run that only waits is suspended, and goes on in any process that brings the answer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Message
from understudy.workflows.events import Event, RunSuspended
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import Graph, Question, Step, WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.questions import OpenQuestion
from understudy.workflows.runner import Runner
from understudy.workflows.runtime import AsyncioRuntime


class Verdict(Message, message_name="test.Verdict"):
    approved: bool
    why: str = ""


def review(done: list[str], gives: type[Message] | None = None) -> Workflow:
    """A workflow made anew, as another process would make it; ``done`` is what its steps did."""
    flow = Workflow("review")

    def draft(topic: str) -> str:
        done.append("draft")
        return f"on {topic}"

    def file(draft: str, verdict: Any) -> list[Any]:
        done.append("file")
        return [draft, verdict]

    flow.step(draft)
    flow.ask("Publish it?", choices=() if gives else ("yes", "no"), gives=gives, name="verdict")
    flow.step(file)
    return flow


def events(path: Path, run: str = "r") -> list[Event]:
    with Journal(path) as book:
        return book.events(run)


def test_a_run_that_only_waits_is_suspended_and_another_process_goes_on(tmp_path: Path) -> None:
    path, before, after = tmp_path / "j.db", list[str](), list[str]()
    result = review(before).run_sync("bees", journal=path, run_id="r")
    question = OpenQuestion("r/verdict/1", "verdict", None, "Publish it?", "on bees", ("yes", "no"))
    assert (result.status, result.questions, result.output) == ("waiting", (question,), {"value": "on bees"})
    last = events(path)[-1]
    asked = {"key": "r/verdict/1", "step": "verdict", "question": "Publish it?", "choices": ["yes", "no"]}
    assert isinstance(last, RunSuspended) and (last.reason, last.questions) == ("waiting", (asked,))
    with Journal(path) as book:
        assert [run.status for run in book.runs()] == ["waiting"]
    assert review([]).replay("r", journal=path).questions == (question,)

    result = review(after).resume_sync("r", journal=path, answers={"verdict": "yes"})
    assert (result.status, result.value, result.questions) == ("completed", ["on bees", "yes"], ())
    assert (before, after) == (["draft"], ["file"])
    record = result.steps[1]
    assert (record.agent, record.input, record.output) == (
        None, {"question": "Publish it?", "about": "on bees"}, "yes",
    )  # fmt: skip
    assert review([]).replay("r", journal=path) == result


def test_waiting_survives_any_number_of_resumes_without_answers(tmp_path: Path) -> None:
    path, done = tmp_path / "j.db", list[str]()
    first = review(done).run_sync("bees", journal=path, run_id="r")
    for _ in range(5):
        again = review(done).resume_sync("r", journal=path)
        assert (again.status, again.questions) == ("waiting", first.questions)
    assert done == ["draft"]
    assert review(done).resume_sync("r", journal=path, answers={"r/verdict/1": "no"}).value == ["on bees", "no"]


@pytest.mark.parametrize(
    ("gives", "answers", "said"),
    [
        (None, {"verdict": "perhaps"}, "r/verdict/1: 'perhaps' is no answer to: Publish it.; choose one of: yes, no"),
        (None, {"draft": "yes"}, "there is no open question 'draft'; open: r/verdict/1"),
        (None, {"r/verdict/2": "yes"}, "there is no open question 'r/verdict/2'"),
        (None, {"verdict": "yes", "draft": "yes"}, "there is no open question 'draft'"),
        (Verdict, {"verdict": {"approved": "perhaps"}}, "r/verdict/1: approved: .* it has to give: approved, why"),
        (Verdict, {"verdict": {"approved": True, "by": "me"}}, "r/verdict/1: by: Extra inputs are not permitted"),
        (Verdict, {"verdict": "yes"}, r"^r/verdict/1: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_answer_is_refused_in_a_sentence_and_nothing_is_recorded(
    tmp_path: Path, gives: type[Message] | None, answers: dict[str, Any], said: str
) -> None:
    path = tmp_path / "j.db"
    review([], gives).run_sync("bees", journal=path, run_id="r")
    before = events(path)
    with pytest.raises(WorkflowError, match=said):
        review([], gives).resume_sync("r", journal=path, answers=answers)
    assert events(path) == before


def test_an_answer_becomes_the_message_that_the_question_asks_for(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    review([], Verdict).run_sync("bees", journal=path, run_id="r")
    with pytest.raises(WorkflowError, match=r"was changed .* steps\.verdict\.gives"):
        review([], Message).resume_sync("r", journal=path)
    result = review([], Verdict).resume_sync("r", journal=path, answers={"verdict": {"approved": True}})
    assert result.value == ["on bees", Verdict(approved=True)]


def test_choices_are_any_values_that_a_journal_keeps(tmp_path: Path) -> None:
    flow, path = Workflow("w"), tmp_path / "j.db"
    flow.ask("Which?", choices=(Verdict(approved=True), (1, 2), float("inf")))
    assert flow.run_sync(None, journal=path, run_id="r").status == "waiting"
    assert flow.resume_sync("r", journal=path, answers={"ask": (1, 2)}).value == (1, 2)


async def test_the_choice_itself_is_the_answer() -> None:
    flow = Workflow("w")
    flow.ask("Sure?", choices=(True, False))
    with Journal() as book:
        await flow.run(None, journal=book, run_id="r")
        result = await flow.resume("r", journal=book, answers={"ask": 1})
    assert result.value is True  # JSON from elsewhere may say 1, and a route may ask for true


def test_the_text_of_a_question_may_come_from_steps() -> None:
    flow = Workflow("w")
    draft = flow.step(lambda topic: {"title": topic.upper()}, name="draft")
    flow.ask(draft.title, name="by_ref")
    flow.ask(Expression.parse("draft['title']"), name="by_expression", after="draft")
    flow.ask("draft.title", name="as_it_is", after="draft")
    result = flow.run_sync("bees")
    assert [(one.step, one.question) for one in result.questions] == [
        ("by_ref", "BEES"), ("by_expression", "BEES"), ("as_it_is", "draft.title"),
    ]  # fmt: skip
    lost = Workflow("w")
    lost.ask(lost.input.title)
    assert "no 'title'" in str(lost.run_sync({}).error)


def beside(done: list[str]) -> Workflow:
    flow = Workflow("beside")

    def work(name: str) -> Any:
        def do(value: Any) -> str:
            done.append(name)
            return f"{value} {name}"

        return do

    start = flow.step(work("start"), name="start")
    one = flow.ask("One?", name="one", after=start)
    two = flow.ask("Two?", name="two", after=start)
    slow = flow.step(work("slow"), name="slow", after=start)
    slower = flow.step(work("slower"), name="slower", after=slow)
    flow.step(lambda found: found, name="end", after=[one, two, slower])
    return flow


def test_other_branches_go_on_while_two_questions_are_open(tmp_path: Path) -> None:
    path, done = tmp_path / "j.db", list[str]()
    result = beside(done).run_sync("x", journal=path, run_id="r")
    assert result.status == "waiting" and [one.step for one in result.questions] == ["one", "two"]
    assert done == ["start", "slow", "slower"]
    result = beside(done).resume_sync("r", journal=path, answers={"two": 2})
    assert result.status == "waiting" and [one.step for one in result.questions] == ["one"]
    result = beside(done).resume_sync("r", journal=path, answers={"one": 1})
    assert result.value == [1, 2, "x start slow slower"]
    assert done == ["start", "slow", "slower"]


def test_a_question_for_each_item_is_answered_by_its_key(tmp_path: Path) -> None:
    step = Step("sure", ask=Question(Expression.parse("item")), each=Expression.parse("input"))
    flow, path = Workflow.of(Graph("w", {"sure": step}, "sure")), tmp_path / "j.db"
    result = flow.run_sync(["a?", "b?"], journal=path, run_id="r")
    assert [(one.key, one.question) for one in result.questions] == [("r/sure/1/0", "a?"), ("r/sure/1/1", "b?")]
    with pytest.raises(WorkflowError, match="several questions; answer one by its key: r/sure/1/0, r/sure/1/1"):
        flow.resume_sync("r", journal=path, answers={"sure": "yes"})
    answers = {"r/sure/1/1": "second", "r/sure/1/0": "first"}
    assert flow.resume_sync("r", journal=path, answers=answers).value == ["first", "second"]


def test_a_person_beside_the_process_is_asked_while_the_run_waits() -> None:
    flow, asked = Workflow("w"), list[OpenQuestion]()
    flow.ask("How often?", name="times")
    flow.route("times", "times", when=flow.input == "again", at_most=1)
    flow.route("times", "$end")

    async def person(question: OpenQuestion) -> int:
        asked.append(question)
        await asyncio.sleep(0)
        return len(asked)

    result = flow.run_sync("again", on_question=person, run_id="r")
    assert (result.status, result.value) == ("completed", 2)
    assert [one.key for one in asked] == ["r/times/1", "r/times/2"]


@pytest.mark.parametrize("reply", [None, "perhaps"], ids=["raises", "no choice"])
def test_a_person_who_gives_no_answer_leaves_the_question_open(
    tmp_path: Path, reply: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "j.db"

    async def person(question: OpenQuestion) -> str:
        if reply is None:
            raise EOFError("the terminal is gone")
        return reply

    result = review([]).run_sync("bees", journal=path, run_id="r", on_question=person)
    assert (result.status, [one.step for one in result.questions]) == ("waiting", ["verdict"])
    assert "on_question failed at r/verdict/1" in caplog.text
    assert review([]).resume_sync("r", journal=path, answers={"verdict": "no"}).value == ["on bees", "no"]


def test_nobody_is_asked_what_comes_with_its_answer(tmp_path: Path) -> None:
    path, asked = tmp_path / "j.db", list[str]()

    async def person(question: OpenQuestion) -> str:
        asked.append(question.step)
        return "from the person"

    beside([]).run_sync("x", journal=path, run_id="r")
    result = beside([]).resume_sync("r", journal=path, answers={"one": "here"}, on_question=person)
    assert result.value[:2] == ["here", "from the person"] and asked == ["two"]


def test_waiting_is_no_time_at_work() -> None:
    async def person(question: OpenQuestion) -> float:
        await asyncio.sleep(0.4)
        return 0.3 if question.step == "before" else 30.0

    flow = Workflow("w", limits=Limits(seconds=0.5))
    flow.ask("?", name="before")
    flow.step(asyncio.sleep, name="short")
    flow.ask("?", name="between")
    flow.step(asyncio.sleep, name="long")
    result = flow.run_sync(None, on_question=person)
    # With the first wait the short step would end after the limit; the long one is ended by it, after a second wait.
    assert [step.name for step in result.steps] == ["before", "short", "between"]
    assert result.error == "the run used up its 0.5 seconds" and 0.49 < result.usage.seconds < 1


async def test_waiting_in_vain_and_over_a_restart_is_no_time_at_work() -> None:
    flow, now = Workflow("w", limits=Limits(seconds=5)), [1000.0]
    flow.ask("?")
    flow.step(lambda value: value, name="end")

    async def person(question: OpenQuestion) -> None:
        now[0] += 1e6
        raise EOFError("nobody came")

    def runner() -> Runner:
        return Runner(flow.graph(), AsyncioRuntime({}), book, on_question=person, clock=lambda: now[0])

    with Journal() as book:
        assert (await runner().run(None, run_id="r")).usage.seconds == 0
        now[0] += 1e6
        result = await runner().resume("r", answers={"ask": 1})
    assert (result.status, result.usage.seconds) == ("completed", 0)
