"""Workflows and teams as steps: runs of their own in the same journal, that wait, fail and end with their parent."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.agents.usage import Usage, spend
from understudy.workflows.children import ChildEvent
from understudy.workflows.drain import Drain
from understudy.workflows.effects import effect_key
from understudy.workflows.events import (
    Event,
    RunAccepted,
    RunFinished,
    RunSuspended,
    StepFailed,
    StepFinished,
    StepStarted,
)
from understudy.workflows.expressions import Expression, Ref
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Route, Step, WorkflowError
from understudy.workflows.journal import Journal, JournalError, Row
from understudy.workflows.lease import LeaseTaken, leased
from understudy.workflows.limits import Limits
from understudy.workflows.outcome import Result
from understudy.workflows.questions import OpenQuestion
from understudy.workflows.resources import Resources
from understudy.workflows.team import Team


class Order(Message, message_name="test.Order"):
    item: str
    count: int = 1


def noted(done: list[str], work: Any = lambda value: value) -> Any:
    """A step that notes its key."""

    async def step(value: Any) -> Any:
        done.append(effect_key())
        await asyncio.sleep(0)
        return work(value)

    return step


def pricing(done: list[str]) -> Workflow:
    flow = Workflow("pricing")
    flow.step(noted(done, lambda value: value + 1), name="add")
    flow.step(noted(done, lambda value: value * 2), name="double")
    return flow


def shop(inner: Any, done: list[str], **more: Any) -> Workflow:
    flow = Workflow("shop")
    flow.step(noted(done), name="first")
    flow.step(inner, name="price", **more)
    flow.step(noted(done, lambda value: ["paid", value]), name="pay")
    return flow


def events(path: Path, run: str) -> list[Event]:
    with Journal(path) as book:
        return book.events(run)


def statuses(path: Path) -> dict[str, str]:
    """As ``runs list`` shows them."""
    with Journal(path) as book:
        return {run.run: run.status for run in book.runs()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


def test_a_workflow_is_a_step_and_its_run_is_in_the_same_journal(path: Path) -> None:
    done: list[str] = []
    flow = shop(pricing(done), done)
    result = flow.run_sync(4, journal=path, run_id="r")
    assert (result.status, result.value) == ("completed", ["paid", 10])
    assert done == ["r/first/1", "r/price/1/add/1", "r/price/1/double/1", "r/pay/1"]
    record = result.steps[1]
    assert (record.name, record.agent, record.input, record.output) == ("price", None, 4, 10)
    assert statuses(path) == {"r": "completed", "r/price/1": "completed"}
    assert flow.replay("r", journal=path) == result
    child = pricing([]).replay("r/price/1", journal=path)
    assert (child.output, [step.name for step in child.steps]) == ({"value": 10}, ["add", "double"])


def test_it_needs_no_journal() -> None:
    done: list[str] = []
    assert shop(pricing(done), done).run_sync(4).value == ["paid", 10] and len(done) == 4


def gives(last: Any, **more: Any) -> Workflow:
    flow = Workflow("gives", **more)
    flow.step(last, name="last")
    return flow


@pytest.mark.parametrize(
    ("inner", "output"),
    [
        (gives(lambda value: [value, 1]), [7, 1]),
        (gives(lambda value: None), None),
        (gives(lambda value: {"a": value}), {"a": 7}),
        (gives(lambda value: {"value": value}), {"value": 7}),
        (gives(lambda value: Finding(answer="x")), Finding(answer="x")),
        (gives(lambda value: value, output={"value": Ref("last")}), {"value": 7}),
        (gives(lambda value: value, output={"n": Ref("last"), "of": Ref("input")}), {"n": 7, "of": 7}),
    ],
)
def test_what_the_step_gives(inner: Workflow, output: Any) -> None:
    flow = Workflow("w")
    flow.step(inner)
    assert str(flow.graph().start) == "gives", "it is called as the workflow is"
    result = flow.run_sync(7)
    assert result.value == output and type(result.value) is type(output)


def ordering(takes: type[Message] | None = Order) -> Workflow:
    flow = Workflow("ordering", takes=takes)
    flow.step(lambda order: order, name="last")
    return flow


@pytest.mark.parametrize(
    ("given", "input", "order"),
    [
        (Order(item="tea"), {}, Order(item="tea")),
        ("tea", {}, Order(item="tea")),
        ({"item": "tea", "count": 3}, {}, Order(item="tea", count=3)),
        ({"item": "tea", "other": 1}, {"item": Ref("input").item, "count": 2}, Order(item="tea", count=2)),
    ],
)
def test_what_the_child_is_given(given: Any, input: dict[str, Any], order: Order) -> None:
    flow = Workflow("w")
    flow.step(ordering(), input=input, name="order")
    assert flow.run_sync(given).value == order


def test_a_child_that_takes_anything_is_given_the_value_or_the_fields_of_input() -> None:
    flow = Workflow("w")
    flow.step(ordering(None), name="order")
    assert flow.run_sync([1]).value == [1]
    flow = Workflow("w")
    flow.step(ordering(None), input={"a": Ref("input"), "b": 2}, name="order")
    assert flow.run_sync([1]).value == {"a": [1], "b": 2}


@pytest.mark.parametrize(
    ("given", "input", "said"),
    [
        ({"count": 1}, {}, "step order: order: test.Order.item: Field required; its input has to give: item, count"),
        ({"n": "x"}, {"item": "tea", "count": Ref("input").n}, "step order: order: test.Order.count: Input should be"),
    ],
)
def test_what_does_not_fit_the_child_is_a_failed_step(
    path: Path, given: Any, input: dict[str, Any], said: str
) -> None:
    flow = Workflow("w")
    flow.step(ordering(), input=input, name="order")
    result = flow.run_sync(given, journal=path, run_id="r")
    assert result.status == "failed" and str(result.error).startswith(said)
    assert statuses(path) == {"r": "failed"}, "no child was begun"


def test_a_child_for_each_item(path: Path) -> None:
    done: list[str] = []
    flow = Workflow("w")
    flow.each(flow.input, do=pricing(done), name="prices", at_once=2)
    result = flow.run_sync([1, 2, 3], journal=path, run_id="r")
    assert result.value == [4, 6, 8]
    assert statuses(path) == dict.fromkeys(["r", *(f"r/prices/1/{index}" for index in range(3))], "completed")
    assert len(done) == 6


def team(*steps: Step, **more: Any) -> Team:
    graph = Graph("desk", {step.name: step for step in steps}, steps[0].name, Task, **more)
    return Team("desk", {}, graph, Resources("default", Path()), does="answers")


def test_a_team_is_a_step_and_gives_its_output_as_a_mapping(path: Path) -> None:
    shout = Step("shout", call=lambda request, team: f"{request.request}, says {team['name']}!", routes=(Route(END),),
                 input={"request": Expression.parse("input"), "team": Expression.parse("team")})  # fmt: skip
    flow = Workflow("w")
    flow.step(team(shout), name="desk")
    result = flow.run_sync("hello", journal=path, run_id="r")
    assert result.value == {"value": "hello, says desk!"}
    (accepted, *_) = events(path, "r/desk/1")
    assert isinstance(accepted, RunAccepted)
    assert (accepted.input, accepted.team) == (Task(request="hello"), {"name": "desk", "does": "answers", "cast": ()})
    named = team(shout, output={"answer": Expression.parse("shout")})
    flow = Workflow("w")
    flow.step(named, name="desk", input={"request": "hi"})
    assert flow.run_sync(None).value == {"answer": "hi, says desk!"}


# Waiting.


def approval(done: list[str]) -> Workflow:
    flow = Workflow("approval")
    flow.step(noted(done), name="draft")
    flow.ask("Publish it?", choices=("yes", "no"), name="ok")
    flow.step(lambda draft, ok: [draft, ok], name="end")
    return flow


def test_a_child_that_waits_makes_its_parent_wait(path: Path) -> None:
    done: list[str] = []
    flow = shop(approval(done), done)
    result = flow.run_sync("tea", journal=path, run_id="r")
    question = OpenQuestion("r/price/1/ok/1", "price/ok", None, "Publish it?", "tea", ("yes", "no"))
    assert (result.status, result.questions, result.questions[0].run) == ("waiting", (question,), "r/price/1")
    assert statuses(path) == {"r": "waiting", "r/price/1": "waiting"}
    last = events(path, "r")[-1]
    assert isinstance(last, RunSuspended) and last.questions[0]["step"] == "price/ok"
    assert flow.replay("r", journal=path).questions == (question,)
    for _ in range(2):
        again = shop(approval(done), done).resume_sync("r", journal=path)
        assert (again.status, again.questions) == ("waiting", (question,))
    assert done == ["r/first/1", "r/price/1/draft/1"]
    result = shop(approval(done), done).resume_sync("r", journal=path, answers={"ok": "no"})
    assert (result.value, result.questions) == (["paid", ["tea", "no"]], ())
    assert done == ["r/first/1", "r/price/1/draft/1", "r/pay/1"]
    assert statuses(path) == {"r": "completed", "r/price/1": "completed"}


@pytest.mark.parametrize("name", ["r/price/1/ok/1", "price/ok", "ok"])
def test_an_answer_finds_its_question_by_key_path_or_step(path: Path, name: str) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    result = shop(approval([]), []).resume_sync("r", journal=path, answers={name: "yes"})
    assert result.value == ["paid", ["tea", "yes"]]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"ok": "perhaps"}, "r/price/1/ok/1: 'perhaps' is no answer to: Publish it"),
        ({"price": "yes"}, "there is no open question 'price'; open: r/price/1/ok/1"),
        ({"ok": "yes", "k": "no"}, "there is no open question 'k'"),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_recorded(path: Path, answers: Any, said: str) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    before = events(path, "r"), events(path, "r/price/1")
    with pytest.raises(WorkflowError, match=said):
        shop(approval([]), []).resume_sync("r", journal=path, answers=answers)
    assert (events(path, "r"), events(path, "r/price/1")) == before


def test_a_name_that_several_ask_by_is_refused_unless_the_way_is_said(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        top = flow.step(lambda value: value, name="top")
        flow.step(approval([]), name="left", after=top)
        flow.step(approval([]), name="right", after=top)
        flow.step(lambda values: values, name="both", after=["left", "right"])
        return flow

    result = made().run_sync(1, journal=path, run_id="r")
    assert [one.step for one in result.questions] == ["left/ok", "right/ok"]
    with pytest.raises(WorkflowError, match="answer one by its key: r/left/1/ok/1, r/right/1/ok/1"):
        made().resume_sync("r", journal=path, answers={"ok": "yes"})
    result = made().resume_sync("r", journal=path, answers={"right/ok": "no"})
    assert (result.status, [one.step for one in result.questions]) == ("waiting", ["left/ok"])
    assert made().resume_sync("r", journal=path, answers={"ok": "yes"}).value == [[1, "yes"], [1, "no"]]


def test_a_question_of_the_run_goes_before_one_of_a_child(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        top = flow.step(lambda value: value, name="top")
        flow.step(approval([]), name="left", after=top)
        flow.ask("And you?", name="ok", after=top)
        flow.step(lambda left, ok: [left, ok], name="both", after=["left", "ok"])
        return flow

    made().run_sync(1, journal=path, run_id="r")
    result = made().resume_sync("r", journal=path, answers={"ok": "mine", "left/ok": "yes"})
    assert result.value == [[1, "yes"], "mine"]


def test_questions_come_from_any_depth_and_of_items(path: Path) -> None:
    middle = Workflow("middle")
    middle.each(middle.input, do=approval([]), name="drafts")
    flow = Workflow("w")
    flow.step(middle, name="report")
    result = flow.run_sync(["a", "b"], journal=path, run_id="r")
    key = "r/report/1/drafts/1/{}/ok/1"
    assert [(one.key, one.step, one.about) for one in result.questions] == [
        (key.format(0), "report/drafts/ok", "a"), (key.format(1), "report/drafts/ok", "b"),
    ]  # fmt: skip
    with pytest.raises(WorkflowError, match="answer one by its key"):
        flow.resume_sync("r", journal=path, answers={"drafts/ok": "yes"})
    answers = {key.format(1): "no", key.format(0): "yes"}
    assert flow.resume_sync("r", journal=path, answers=answers).value == [["a", "yes"], ["b", "no"]]


def test_a_child_can_be_answered_by_itself_and_its_parent_takes_what_it_gave(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    assert approval([]).resume_sync("r/price/1", journal=path, answers={"ok": "yes"}).status == "completed"
    done: list[str] = []
    assert shop(approval(done), done).resume_sync("r", journal=path).value == ["paid", ["tea", "yes"]]
    assert done == ["r/pay/1"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_person_beside_the_process_is_asked_by_children_too(path: Path, kept: bool) -> None:
    seen: list[OpenQuestion] = []

    async def person(question: OpenQuestion) -> str:
        seen.append(question)
        return "yes"

    options: Any = {"journal": path} if kept else {}
    result = shop(approval([]), []).run_sync("tea", run_id="r", on_question=person, **options)
    assert result.value == ["paid", ["tea", "yes"]]
    assert [(one.key, one.step, one.run) for one in seen] == [("r/price/1/ok/1", "price/ok", "r/price/1")]


def test_without_a_journal_what_a_child_asks_is_shown_all_the_same() -> None:
    result = shop(approval([]), []).run_sync("tea", run_id="r")
    assert (result.status, [one.key for one in result.questions]) == ("waiting", ["r/price/1/ok/1"])


# Failing.


def broken(done: list[str], times: int = 99) -> Workflow:
    def work(value: Any) -> Any:
        if len(done) <= times:
            raise ValueError(f"no {value}")
        return value

    flow = Workflow("broken")
    flow.step(noted(done, work), name="work")
    return flow


def test_a_child_that_fails_is_a_failed_step_with_its_error(path: Path) -> None:
    result = shop(broken([]), []).run_sync("tea", journal=path, run_id="r")
    error = "broken: step work: ValueError: no tea"
    assert (result.status, result.error) == ("failed", f"step price: {error}")
    assert result.steps[1].error == error and statuses(path) == {"r": "failed", "r/price/1": "failed"}


def test_on_error_of_the_step_goes_on_from_there() -> None:
    flow = shop(broken([]), [], on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    assert flow.run_sync("tea").value == "broken: step work: ValueError: no tea"


def test_each_try_is_a_run_of_its_own(path: Path) -> None:
    done: list[str] = []
    flow = shop(broken(done, 2), [], retry=Retry(attempts=3, wait=0.001))
    result = flow.run_sync("tea", journal=path, run_id="r")
    assert result.value == ["paid", "tea"] and result.steps[1].attempts == 3
    assert done == ["r/price/1/work/1", "r/price/1#2/work/1", "r/price/1#3/work/1"]
    assert statuses(path) == {
        "r": "completed", "r/price/1": "failed", "r/price/1#2": "failed", "r/price/1#3": "completed",
    }  # fmt: skip


def test_a_child_that_its_own_limit_ends_as_partial_gives_what_it_has() -> None:
    inner = Workflow("inner", limits=Limits(messages=1, on_exceed="partial"))
    inner.step(lambda value: value + 1, name="first")
    inner.step(lambda value: value + 1, name="second")
    assert shop(inner, []).run_sync(1).value == ["paid", 2]


def sleeper(seconds: float = 30.0, done: list[str] | None = None) -> Workflow:
    async def sleep(value: Any) -> Any:
        if done is not None:
            done.append(effect_key())
        await asyncio.sleep(seconds)
        return value

    flow = Workflow("sleeper")
    flow.step(lambda value: value, name="before")
    flow.step(sleep)
    return flow


def test_the_seconds_of_the_step_end_the_child(path: Path) -> None:
    flow = shop(sleeper(), [], seconds=0.1)
    result = flow.run_sync("tea", journal=path, run_id="r")
    assert result.error == "step price: it took longer than 0.1 s"
    assert statuses(path)["r/price/1"] == "failed"
    over = events(path, "r/price/1")[-1]
    assert isinstance(over, RunFinished) and over.error == "it took longer than 0.1 s"
    assert over.output == {"value": "tea"}, "what it had so far"


def test_a_failing_neighbour_ends_the_child_and_the_child_of_the_child(path: Path) -> None:
    outer = Workflow("outer")
    outer.step(sleeper(), name="deep")

    async def fails(value: Any) -> None:
        await asyncio.sleep(0.1)
        raise ValueError("no")

    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    flow.step(outer, name="child", after=top)
    flow.step(approval([]), name="waits", after=top)
    flow.step(fails, after=top)
    assert flow.run_sync(1, journal=path, run_id="r").error == "step fails: ValueError: no"
    assert set(statuses(path).values()) == {"failed"} and len(statuses(path)) == 4
    assert flow.resume_sync("r", journal=path).status == "failed"
    child = outer.resume_sync("r/child/1", journal=path)
    assert child.error == "the run that it is a step of ended"


def test_a_child_that_the_run_goes_on_without_is_ended(path: Path) -> None:
    async def mixed(item: Any) -> Any:
        await asyncio.sleep(0.05)
        raise ValueError("one")

    def choose(item: Any) -> Any:
        return item

    inner = Workflow("inner")
    inner.step(choose)
    inner.route("choose", "mixed", when=Ref("input") == 1)
    inner.route("choose", "long")
    inner.step(mixed, after=[])
    inner.step(sleeper(), name="long", after=[])
    flow = Workflow("w")
    flow.each(flow.input, do=inner, name="work", on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    result = flow.run_sync([0, 1], journal=path, run_id="r")
    assert result.value == "item 2: inner: step mixed: ValueError: one"
    assert statuses(path) == {
        "r": "completed", "r/work/1/0": "failed", "r/work/1/1": "failed", "r/work/1/0/long/1": "failed",
    }  # fmt: skip
    over = events(path, "r/work/1/0")[-1]
    assert isinstance(over, RunFinished) and over.error == "the run that it is a step of ended"


# Usage, limits, events.


class Speaker:
    """Spends five tokens on every message."""

    name = "speaker"
    takes = Task

    async def handle(self, message: Task) -> Message:
        spend(Usage(5, 1))
        await asyncio.sleep(0)
        return Task(request=f"{message.request}!")


def talk(turns: int) -> Workflow:
    flow = Workflow("talk", takes=Task)
    flow.step(Speaker(), name="say")
    flow.route("say", "say", at_most=turns - 1)
    flow.route("say", END)
    return flow


def debate(turns: int, **limits: Any) -> Workflow:
    flow = Workflow("debate", takes=Task, limits=Limits(**limits))
    flow.step(Speaker(), name="open")
    flow.step(talk(turns), name="talk")
    flow.step(Speaker(), name="close")
    return flow


HELLO = Task(request="hello")


def test_the_usage_of_a_child_is_its_parents(path: Path) -> None:
    result = debate(3).run_sync(HELLO, journal=path, run_id="r")
    assert (result.usage.tokens, result.usage.calls) == (25, 5) and result.value == Task(request="hello!!!!!")
    settled = [event.usage.tokens for event in events(path, "r") if isinstance(event, StepFinished)]
    assert settled == [5, 15, 5]


def test_a_child_that_waited_is_counted_once(path: Path) -> None:
    def made() -> Workflow:
        inner = talk(2)
        inner._routes.clear()
        inner.ask("go on?", name="ask")
        inner.step(Speaker(), name="again", input={"request": "x"})
        flow = Workflow("w", takes=Task)
        flow.step(inner, name="talk")
        return flow

    assert made().run_sync(HELLO, journal=path, run_id="r").usage.tokens == 0, "it is known when the child has ended"
    assert made().resume_sync("r", journal=path, answers={"ask": "yes"}).usage.tokens == 10


@pytest.mark.parametrize(("on_exceed", "status"), [("stop", "failed"), ("partial", "partial")])
@pytest.mark.parametrize(
    ("tokens", "turns", "said"),
    [(20, 50, 3), (21, 50, 4), (4 * 5, 3, 3)],
    ids=["none begins after it", "passed by one", "its last effect uses it up"],
)
def test_the_tokens_of_the_run_end_its_child(
    path: Path, on_exceed: Any, status: str, tokens: int, turns: int, said: int
) -> None:
    flow = debate(turns, tokens=tokens, on_exceed=on_exceed)
    result = flow.run_sync(HELLO, journal=path, run_id="r")
    assert (result.status, result.error) == (status, f"the run used up its {tokens} tokens")
    spoken = [event for event in events(path, "r/talk/1") if isinstance(event, StepFinished)]
    assert len(spoken) == said
    ended = "completed" if turns == said else "failed"
    assert statuses(path) == {"r": status, "r/talk/1": ended}
    assert flow.replay("r", journal=path) == result == flow.resume_sync("r", journal=path)


def test_what_an_earlier_try_of_a_child_used_counts_for_the_run(path: Path) -> None:
    inner = talk(3)
    inner.step(broken_for_good, name="broken", after=[])
    inner._routes["say"][-1] = Route("broken")
    flow = Workflow("w", takes=Task, limits=Limits(tokens=20))
    flow.step(inner, name="talk", retry=Retry(attempts=3, wait=0.0))
    result = flow.run_sync(HELLO, journal=path, run_id="r")
    assert (result.status, result.error) == ("failed", "the run used up its 20 tokens")
    spoken = [event for event in events(path, "r/talk/1#2") if isinstance(event, StepFinished)]
    assert len(spoken) == 1 and statuses(path).keys() == {"r", "r/talk/1", "r/talk/1#2"}


async def broken_for_good(value: Any) -> Any:
    raise ValueError("no")


@pytest.mark.parametrize("nested", [False, True])
def test_children_side_by_side_share_the_tokens_of_the_run(path: Path, nested: bool) -> None:
    inner: Workflow = talk(50)
    if nested:
        inner = Workflow("outer", takes=Task)
        inner.step(talk(50), name="talk")
    flow = Workflow("w", limits=Limits(tokens=30, on_exceed="partial"))
    flow.each(flow.input, do=inner, name="talks")
    result = flow.run_sync([HELLO] * 3, journal=path, run_id="r")
    assert (result.status, result.error) == ("partial", "the run used up its 30 tokens")
    runs = statuses(path)
    spoken = [event for run in runs for event in events(path, run) if isinstance(event, StepFinished)]
    # Those that were under way when the sixth ended are finished and kept.
    assert 6 <= len(spoken) <= 8 and len(runs) == (7 if nested else 4)
    assert runs.pop("r") == "partial" and set(runs.values()) == {"failed"}


def test_a_child_goes_on_while_a_person_is_asked_about_the_limit(path: Path) -> None:
    asked: list[str] = []

    async def person(question: OpenQuestion) -> bool:
        asked.append(question.question)
        return True

    result = debate(3, tokens=10, on_exceed="ask").run_sync(HELLO, journal=path, on_question=person)
    assert (result.status, result.usage.tokens) == ("completed", 25)
    assert asked[0] == "the run used up its 10 tokens: may it use as much again?" and len(asked) == 2


def test_the_seconds_of_the_run_end_its_child(path: Path) -> None:
    flow = Workflow("w", limits=Limits(seconds=0.2, on_exceed="partial"))
    flow.step(lambda value: value, name="first")
    flow.step(sleeper(), name="child")
    result = flow.run_sync(1, journal=path, run_id="r")
    assert (result.status, result.error, result.value) == ("partial", "the run used up its 0.2 seconds", 1)
    assert statuses(path) == {"r": "partial", "r/child/1": "failed"}


def test_whoever_watches_sees_the_events_of_children_and_whose_they_are() -> None:
    middle = Workflow("middle")
    middle.step(pricing([]), name="price")
    flow = Workflow("w")
    flow.step(middle, name="report")
    seen: list[Event] = []
    flow.run_sync(1, run_id="r", on_event=seen.append)
    own = [type(event).__name__ for event in seen if not isinstance(event, ChildEvent)]
    assert own == ["RunAccepted", "StepStarted", "StepFinished", "RunFinished"]
    of_children = [event for event in seen if isinstance(event, ChildEvent)]
    assert not any(isinstance(event.event, ChildEvent) for event in of_children)
    started = [(one.run, one.step, one.event.step) for one in of_children if isinstance(one.event, StepStarted)]
    assert started == [
        ("r/report/1", "report", "price"),
        ("r/report/1/price/1", "report/price", "add"),
        ("r/report/1/price/1", "report/price", "double"),
    ]
    ended = {one.run for one in of_children if isinstance(one.event, RunFinished)}
    assert ended == {"r/report/1", "r/report/1/price/1"}


async def test_a_stream_has_them_too() -> None:
    seen = [event async for event in shop(pricing([]), []).stream(1)]
    assert sum(isinstance(event, ChildEvent) for event in seen) == 6
    assert isinstance(seen[-1], Result) and seen[-1].value == ["paid", 4]


# Agents.


class Clerk:
    takes = Task

    def __init__(self, name: str, answer: str) -> None:
        self.name, self.answer = name, answer

    async def handle(self, message: Task) -> Message:
        return Finding(answer=f"{self.answer} {message.request}")


def test_a_child_knows_its_own_agents_and_those_of_its_parent() -> None:
    inner = Workflow("inner", takes=Task)
    inner.step(Clerk("clerk", "inner"), input={"request": inner.input.request}, name="own")
    inner.step("porter", input={"request": inner.input.request}, name="theirs")
    inner.step(lambda own, theirs, team: [own.answer, theirs.answer, *(one.name for one in team["cast"])], name="end")
    flow = Workflow("w", takes=Task)
    flow.step(Clerk("clerk", "outer"), input={"request": flow.input.request})
    flow.step(inner, input={"request": "x"}, name="child")
    flow.step("clerk", input={"request": "y"}, name="again")
    result = flow.run_sync(HELLO, agents={"porter": Clerk("porter", "porter")})
    assert result.steps[1].output == ["inner x", "porter x", "clerk", "porter"]
    assert result.value.answer == "outer y", "two agents of one name do not meet"
    where = r"w\.steps\.child\.workflow\.steps\.theirs\.agent"
    with pytest.raises(WorkflowError, match=f"{where}: there is no agent 'porter'"):
        flow.run_sync(HELLO)


# Checks before the run.


def test_mistakes_in_a_child_are_found_before_the_run() -> None:
    inner = Workflow("inner")
    inner.step("nobody", name="work")
    flow = shop(inner, [])
    (problem,) = flow.check({})
    assert (problem.file, problem.path) == ("shop", "steps.price.workflow.steps.work.agent")
    with pytest.raises(WorkflowError, match="there is no agent 'nobody'"):
        flow.run_sync(1)
    changed = pricing([])
    flow = shop(changed, [])
    assert flow.check() == [] and flow.check() == []
    changed.step(lambda one, other: one, name="late")
    assert [problem.path for problem in flow.check()] == ["steps.price.workflow.steps.late"] * 2
    (problem,) = shop(Workflow("empty"), []).check()
    assert (problem.path, problem.what) == ("steps.price.workflow.empty", "it has no steps")


def test_a_workflow_cannot_be_a_step_of_itself() -> None:
    first, second = Workflow("first"), Workflow("second")
    first.step(second, name="down")
    second.step(first, name="up")
    (problem,) = first.check()
    assert problem.path == "steps.down.workflow.steps.up.workflow" and problem.what == "first is a step within itself"
    twice = Workflow("twice")
    twice.step(pricing([]), name="once")
    inner = pricing([])
    twice.step(inner, name="second")
    twice.step(inner, name="third")
    assert twice.check() == []


def test_a_team_whose_roles_are_not_learned_is_refused_before_the_run(path: Path) -> None:
    desk = team(Step("a", call=lambda value: value, routes=(Route(END),)))

    def refuse() -> None:
        raise WorkflowError("not learned")

    desk.require_heads = refuse  # type: ignore[method-assign]
    middle = Workflow("middle")
    middle.step(desk)
    done: list[str] = []
    with pytest.raises(WorkflowError, match="not learned"):
        shop(middle, done).run_sync("x", journal=path)
    assert not done


# Going on: after a crash, a drain, a cancellation; forks.


class Logged(Journal):
    """Keeps the order of all that is written."""

    def __init__(self, log: list[tuple[str, int, Sequence[Row]]]) -> None:
        super().__init__()
        self.log = log

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        super().append_rows(run, number, rows)
        if rows:
            self.log.append((run, number, list(rows)))


def family(done: list[str]) -> Workflow:
    """Children side by side, of items and of a child; one asks, one fails."""
    middle = Workflow("middle")
    two = middle.step(noted(done, lambda value: [value, value + 1]), name="two")
    middle.each(two, do=pricing(done), name="prices")
    flow = Workflow("family")
    top = flow.step(noted(done), name="top")
    flow.step(middle, name="left", after=top)
    flow.step(approval(done), name="right", after=top)
    flow.step(broken(done), name="wrong", after=top, on_error="sorry")
    flow.step(noted(done, lambda value: value), name="all", after=["left", "right"], merge="concat")
    flow.step(noted(done, str), name="sorry", after=[])
    return flow


def driven(flow: Workflow, journal: Journal) -> Result:
    """The run ``r`` resumed, and what it asks answered, to its end."""
    result = flow.resume_sync("r", journal=journal)
    while result.status == "waiting":
        result = flow.resume_sync("r", journal=journal, answers={one.key: "yes" for one in result.questions})
    return result


def recorded(journal: Journal) -> set[str]:
    """The keys of the effects that are in the records of all runs."""
    found = set()
    for run in journal.runs():
        for event in journal.events(run.run):
            if isinstance(event, StepFinished | StepFailed):
                item = "" if event.index is None else f"/{event.index}"
                found.add(f"{run.run}/{event.step}/{event.visit}{item}")
    return found


def told(result: Result) -> Any:
    """The result without its times, and without the order in which what ran side by side ended."""
    steps = sorted((step.name, str(step.input), str(step.output), step.error) for step in result.steps)
    return result.status, result.value, steps


def test_a_family_killed_at_any_commit_of_any_of_its_runs_ends_the_same() -> None:
    done: list[str] = []
    log: list[tuple[str, int, Sequence[Row]]] = []
    with Logged(log) as journal:
        result = family(done).run_sync(1, journal=journal, run_id="r")
        assert result.status == "waiting"
        result = driven(family(done), journal)
        everything = recorded(journal)
        runs = {run.run: run.status for run in journal.runs()}
    assert result.value == [4, 6, 1, "yes"] and all(count == 1 for count in Counter(done).values())
    assert len(runs) == 6 and runs.pop("r/wrong/1") == "failed" and set(runs.values()) == {"completed"}
    assert len(log) > 20
    for kept in range(1, len(log) + 1):
        done.clear()
        with Journal() as journal:
            for run, number, rows in log[:kept]:
                journal.append_rows(run, number, rows)
            before = recorded(journal)
            resumed = driven(family(done), journal)
            assert told(resumed) == told(result)
            assert told(family([]).replay("r", journal=journal)) == told(resumed)
            assert recorded(journal) == everything, "an effect was lost, or has another key"
        assert not before & set(done), "a recorded effect was done again"
        assert all(count == 1 for count in Counter(done).values())


def test_an_answer_to_a_child_is_kept_although_the_process_ends_at_once(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    drain = Drain()
    drain.request()
    result = shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}, drain=drain)
    assert result.status == "interrupted"
    assert shop(approval([]), []).resume_sync("r", journal=path).value == ["paid", ["tea", "yes"]]


@pytest.mark.parametrize("kept", [True, False])
def test_a_drain_lets_children_finish_what_is_under_way(path: Path, kept: bool) -> None:
    drain, done = Drain(), list[str]()

    async def stop(value: int) -> int:
        done.append(effect_key())
        drain.request()
        await asyncio.sleep(0.05)
        return value + 1

    def made() -> Workflow:
        inner = Workflow("inner")
        inner.step(stop)
        inner.step(noted(done), name="after")
        outer = Workflow("outer")
        outer.step(inner, name="deep")
        return shop(outer, done)

    options: Any = {"journal": path} if kept else {}
    result = made().run_sync(1, run_id="r", drain=drain, **options)
    assert (result.status, result.questions) == ("interrupted", ())
    assert done == ["r/first/1", "r/price/1/deep/1/stop/1"]
    if kept:
        assert statuses(path) == dict.fromkeys(["r", "r/price/1", "r/price/1/deep/1"], "interrupted")
        assert made().resume_sync("r", journal=path).value == ["paid", 2]
        assert done[2:] == ["r/price/1/deep/1/after/1", "r/pay/1"]


def test_a_child_is_given_up_although_the_process_is_told_to_end(path: Path) -> None:
    drain = Drain()

    async def fails(item: int) -> None:
        await asyncio.sleep(0.05)
        drain.request()
        raise ValueError("one")

    def made() -> Workflow:
        inner = Workflow("inner")
        inner.step(lambda item: item, name="choose")
        inner.route("choose", "fails", when=Ref("input") == 1)
        inner.route("choose", "long")
        inner.step(fails, after=[])
        inner.step(asyncio.sleep, input={"delay": 30}, name="long", after=[])
        flow = Workflow("w")
        flow.each(flow.input, do=inner, name="work", on_error="sorry")
        flow.step(lambda error: error["error"], name="sorry", after=[])
        return flow

    assert made().run_sync([0, 1], journal=path, run_id="r", drain=drain).status == "interrupted"
    assert statuses(path) == {"r": "interrupted", "r/work/1/0": "failed", "r/work/1/1": "failed"}
    over = events(path, "r/work/1/0")[-1]
    assert isinstance(over, RunFinished) and over.error == "the run that it is a step of went on without it"
    assert made().resume_sync("r", journal=path).value == "item 2: inner: step fails: ValueError: one"


def test_a_drain_forgets_no_question_of_a_child(path: Path) -> None:
    drain = Drain()

    async def person(question: OpenQuestion) -> None:
        drain.request()
        await asyncio.sleep(30)

    result = shop(approval([]), []).run_sync("tea", journal=path, run_id="r", drain=drain, on_question=person)
    assert (result.status, [one.step for one in result.questions]) == ("interrupted", ["price/ok"])
    # Nor does a process that is told to end before it takes the child up.
    again = shop(approval([]), []).resume_sync("r", journal=path, drain=drain)
    assert (again.status, [one.step for one in again.questions]) == ("interrupted", ["price/ok"])


def test_a_cancelled_run_and_its_child_are_left_to_be_resumed(path: Path) -> None:
    done: list[str] = []

    async def interrupted() -> None:
        task = asyncio.create_task(shop(sleeper(30, done), done).run("tea", journal=path, run_id="r"))
        while len(done) < 2:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert statuses(path) == {"r": "open", "r/price/1": "open"}
    assert shop(sleeper(0, done), done).resume_sync("r", journal=path).value == ["paid", "tea"]
    assert done == ["r/first/1", "r/price/1/sleep/1", "r/price/1/sleep/1", "r/pay/1"]


def test_a_changed_child_is_refused_when_its_parent_is_resumed(path: Path) -> None:
    def other(done: list[str]) -> Workflow:
        flow = approval(done)
        flow.step(noted(done), name="more")
        return flow

    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    before = events(path, "r")
    with pytest.raises(WorkflowError, match=r"r/price/1: the workflow was changed since this run began: steps\.end"):
        shop(other([]), []).resume_sync("r", journal=path, answers={"ok": "yes"})
    assert events(path, "r") == before
    result = shop(other([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}, changed=True)
    assert result.value == ["paid", ["tea", "yes"]]


def test_a_child_that_another_process_drives_leaves_its_parent_to_be_resumed(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    with leased(str(path), "r/price/1"):
        with pytest.raises(LeaseTaken):
            shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"})
        with pytest.raises(LeaseTaken):
            shop(approval([]), []).resume_sync("r", journal=path)
    assert shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}).status == "completed"


def test_a_journal_that_fails_under_a_child_fails_no_step() -> None:
    class Full(Journal):
        full = True

        def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
            if self.full and run == "r/price/1" and number:
                raise JournalError("the disk is full")
            super().append_rows(run, number, rows)

    done: list[str] = []
    with Full() as journal:
        with pytest.raises(JournalError, match="the disk is full"):
            shop(pricing(done), done, retry=Retry(2, 0.001)).run_sync(1, journal=journal, run_id="r")
        journal.full = False
        assert shop(pricing(done), done, retry=Retry(2)).resume_sync("r", journal=journal).value == ["paid", 4]
        assert len(journal.runs()) == 2, "nor is the child tried again"
    assert done == ["r/first/1", *["r/price/1/add/1"] * 2, "r/price/1/double/1", "r/pay/1"]


@pytest.mark.parametrize(
    ("step", "change", "value", "computed"),
    [
        ("pay", {}, ["paid", 10], ["f/pay/1"]),
        ("price", {"output": 7}, ["paid", 7], ["f/pay/1"]),
        ("price", {"message": 1}, ["paid", 4], ["f/price/1/add/1", "f/price/1/double/1", "f/pay/1"]),
        ("price", {}, ["paid", 10], ["f/price/1/add/1", "f/price/1/double/1", "f/pay/1"]),
    ],
)
def test_a_fork_has_children_of_its_own(path: Path, step: str, change: Any, value: Any, computed: list[str]) -> None:
    shop(pricing([]), []).run_sync(4, journal=path, run_id="r")
    before, done = events(path, "r/price/1"), list[str]()
    result = shop(pricing(done), done).fork_sync("r", step, journal=path, run_id="f", **change)
    assert (result.value, done) == (value, computed)
    assert events(path, "r/price/1") == before
    assert ("f/price/1" in statuses(path)) == (len(computed) > 1)
    assert shop(pricing([]), []).replay("f", journal=path) == result


def test_a_child_can_be_forked_by_itself(path: Path) -> None:
    shop(pricing([]), []).run_sync(4, journal=path, run_id="r")
    assert pricing([]).fork_sync("r/price/1", "add", output=50, journal=path).value == 100


def test_a_message_of_a_fork_gives_the_fields_that_the_child_takes(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        flow.step(ordering(), name="order")
        return flow

    made().run_sync("tea", journal=path, run_id="r")
    fork = made().fork_sync("r", "order", message={"item": "milk", "count": 2}, journal=path)
    assert fork.value == Order(item="milk", count=2)


def test_the_document_names_the_child() -> None:
    assert shop(pricing([]), []).graph().document["steps"]["price"]["workflow"] == "pricing"
    assert "workflow" not in shop(pricing([]), []).graph().document["steps"]["pay"]
