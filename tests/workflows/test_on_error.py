"""``on_error``: where a run goes on when a step has failed finally."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.workflows.engine import decide, fold
from understudy.workflows.events import RunAccepted, StepFailed, StepFinished
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Question, Route, Step, WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.state import Cancel, Start, State


def fails(value: Any) -> Any:
    raise ValueError(f"no {value}")


def shop(doer: Any = fails, **more: Any) -> Workflow:
    """Pay and ship; where paying fails, apologise."""
    flow = Workflow("shop")
    flow.step(doer, name="pay", on_error="sorry", **more)
    flow.step(lambda value: f"shipped {value}", name="ship")
    flow.step(lambda value: value, name="sorry", after=[])
    return flow


def test_the_error_route_is_given_the_step_and_the_error(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    result = shop().run_sync("tea", journal=path, run_id="r")
    assert (result.status, result.error) == ("completed", None)
    assert result.value == {"step": "pay", "error": "ValueError: no tea"}
    assert [(step.name, step.error) for step in result.steps] == [("pay", "ValueError: no tea"), ("sorry", None)]
    assert shop().replay("r", journal=path) == result


def test_without_a_failure_the_run_goes_its_way() -> None:
    result = shop(lambda value: value).run_sync("tea")
    assert result.value == "shipped tea" and [step.name for step in result.steps] == ["pay", "ship"]


def test_a_step_without_on_error_fails_the_run_as_ever() -> None:
    flow = Workflow("w")
    flow.step(lambda value: value, name="first", on_error="sorry")
    flow.step(fails, name="second")
    flow.step(lambda value: value, name="sorry", after=[])
    assert flow.run_sync(1).error == "step second: ValueError: no 1"


def test_it_comes_after_the_last_try_and_after_a_timeout() -> None:
    tries: list[int] = []

    async def never(value: Any) -> None:
        tries.append(1)
        raise OSError("down")

    result = shop(never, retry=Retry(attempts=3, wait=0.001)).run_sync(1)
    assert result.value["error"] == "OSError: down" and len(tries) == 3

    async def slow(value: Any) -> None:
        await asyncio.sleep(30)

    result = shop(slow, seconds=0.02).run_sync(1)
    assert result.value == {"step": "pay", "error": "it took longer than 0.02 s"}


def test_parameters_and_expressions_see_the_error_by_name() -> None:
    flow = Workflow("w", output={"why": Expression.parse("error.error"), "sum": Expression.parse("end")})
    flow.step(fails, name="pay", on_error="sorry")
    flow.step(lambda error, pay, input: [error["step"], pay, input], name="sorry", after=[])
    flow.step(lambda text, why: f"{text} {why}", input={"text": flow.error.error, "why": "!"}, name="end")
    flow.route("sorry", "end", when=flow.error.step == "pay")
    flow.route("sorry", END)
    result = flow.run_sync("tea")
    assert result.output == {"why": "ValueError: no tea", "sum": "ValueError: no tea !"}
    assert result.steps[1].output == ["pay", None, "tea"], "None stands for what a failed step would have given"


def test_before_any_failure_the_error_is_none() -> None:
    flow = Workflow("w", output={"error": Expression.parse("error")})
    flow.step(lambda value: value, name="pay", on_error=END)
    assert flow.run_sync(1).output == {"error": None}


class Clerk:
    name = "clerk"
    takes = Task

    async def handle(self, message: Task) -> Message:
        if message.request == "fail":
            raise RuntimeError("the clerk is ill")
        return Finding(answer=message.request)


class Report(Message, message_name="test.Report"):
    step: str
    error: str


class Reporter:
    name = "reporter"
    takes = Report

    async def handle(self, message: Report) -> Message:
        return Finding(answer=f"{message.step}: {message.error}")


def test_agents_fail_into_it_and_may_be_led_to_by_it() -> None:
    flow = Workflow("w", takes=Task)
    flow.step(Clerk(), on_error="reporter")
    flow.step(Reporter(), after=[])
    result = flow.run_sync(Task(request="fail"))
    assert result.value == Finding(answer="clerk: RuntimeError: the clerk is ill")


def test_it_may_end_the_branch_or_lead_to_the_join() -> None:
    flow = Workflow("w")
    flow.step(lambda value: value + 1, name="first")
    flow.step(fails, name="second", on_error=END)
    result = flow.run_sync(1)
    assert (result.status, result.value) == ("completed", 2)

    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    flow.step(fails, name="left", after=top, on_error="both")
    flow.step(lambda value: value, name="right", after=top)
    flow.step(lambda values: values, name="both", after=["left", "right"], merge="first")
    assert flow.run_sync(7).value == 7


def test_a_join_waits_in_vain_for_a_branch_that_was_led_away() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    flow.step(fails, name="left", after=top, on_error="sorry")
    flow.step(lambda value: value, name="right", after=top)
    flow.step(lambda values: values, name="both", after=["left", "right"])
    flow.step(lambda value: value, name="sorry", after=[])
    result = flow.run_sync(7)
    assert result.error == "step both: it waits for left, which will not come"


def test_a_failed_join_in_a_loop_does_not_see_what_the_step_gave_before() -> None:
    def once(value: int) -> int:
        if value > 1:
            raise ValueError("twice")
        return value

    flow = Workflow("w")
    flow.step(lambda value: value if isinstance(value, int) else value[0] + 1, name="top")
    flow.step(once, name="left", after="top", on_error="both")
    flow.step(lambda value: value, name="right", after="top")
    flow.step(lambda values: [values[1], values[0]], name="both", after=["left", "right"])
    flow.route("both", "top", at_most=1)
    flow.route("both", END)
    assert flow.run_sync(1).value == [2, None]


def test_trying_another_way_in_a_loop() -> None:
    tried: list[int] = []

    def attempt(value: Any) -> Any:
        tried.append(1)
        if len(tried) < 3:
            raise ValueError("not yet")
        return "done"

    flow = Workflow("w")
    flow.step(attempt, on_error="again")
    flow.step(lambda value: value, name="again", after=[])
    flow.route("again", "attempt", at_most=5)
    flow.route("again", END)
    flow.route("attempt", END)
    assert flow.run_sync(1).value == "done" and len(tried) == 3


@pytest.mark.parametrize(
    ("failure", "done"), [("fail_fast", {0}), ("all_or_nothing", {0, 2}), ("collect", None)]
)
def test_an_each_fails_as_its_failure_mode_says(failure: Any, done: set[int] | None) -> None:
    """Item 1 fails while item 2 is under way."""
    ended: set[int] = set()

    async def work(item: int) -> int:
        await asyncio.sleep((0, 0.01, 0.05)[item])
        if item == 1:
            raise ValueError("one")
        ended.add(item)
        return item

    async def sorry(value: Any) -> Any:
        await asyncio.sleep(0.1)
        return value

    flow = Workflow("w")
    flow.each(flow.input, do=work, name="work", failure=failure, on_error="sorry")
    flow.step(lambda value: value, name="end")
    flow.step(sorry, after=[])
    result = flow.run_sync([0, 1, 2])
    assert result.status == "completed"
    if done is None:
        assert result.value == [0, None, 2]
    else:
        assert result.value == {"step": "work", "error": "item 2: ValueError: one"} and ended == done


def test_an_each_over_what_is_no_list_and_an_agent_that_cannot_be_chosen_fail_into_it() -> None:
    flow = Workflow("w")
    flow.each(flow.input, do=lambda item: item, name="work", on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    assert flow.run_sync(3).value == "each: input is no list"
    flow = Workflow("w")
    flow.step(lambda x: x, input={"x": flow.input.nothing}, name="work", on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    assert "a mapping has no 'nothing'" in flow.run_sync({"a": 1}).value


def test_a_route_that_fails_is_no_failed_step() -> None:
    flow = Workflow("w")
    flow.step(lambda value: value, name="work", on_error="sorry")
    flow.route("work", END, when=flow.input == 2)
    flow.step(lambda value: value, name="sorry", after=[])
    assert "no route is left" in str(flow.run_sync(1).error)


def test_a_limit_of_the_run_is_no_failed_step() -> None:
    flow = Workflow("w", limits=Limits(messages=1))
    flow.step(lambda value: value, name="first")
    flow.step(lambda value: value, name="second", on_error="sorry")
    flow.step(lambda value: value, name="sorry", after=[])
    assert flow.run_sync(1).error == "the run used up its 1 messages"


def test_a_run_killed_anywhere_around_a_failure_ends_the_same(tmp_path: Path) -> None:
    with Journal() as journal:
        whole = shop().run_sync("tea", journal=journal, run_id="r")
        events = journal.events("r")
    for kept in range(1, len(events)):
        with Journal() as journal:
            journal.append("r", 0, events[:kept])
            result = shop().resume_sync("r", journal=journal)
            assert (result.value, result.status) == (whole.value, "completed")


def test_a_fork_mends_the_step_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    shop().run_sync("tea", journal=path, run_id="r")
    assert shop().fork_sync("r", "pay", output="paid", journal=path).value == "shipped paid"
    assert shop().fork_sync("r", "sorry", output="so sorry", journal=path).value == "so sorry"


def test_what_is_under_way_of_a_failed_each_is_cancelled_in_the_engine_too() -> None:
    work = Step("work", agent="x", each=Expression.parse("input"), routes=(Route(END),), on_error="sorry")
    sorry = Step("sorry", agent="x", routes=(Route(END),))
    graph = Graph("g", {"work": work, "sorry": sorry}, "work")
    log: list[Any] = [RunAccepted(0.0, "r", "g", {}, [1, 2, 3])]
    state, commands = decide(State(graph), log[0])
    assert [command.key for command in commands if isinstance(command, Start)] == [f"r/work/1/{n}" for n in range(3)]
    log.append(StepFailed(1.0, "work", 1, 1, "x", "ValueError: one", 0.1))
    state, commands = decide(state, log[1])
    assert commands[0] == Cancel(("r/work/1/0", "r/work/1/2"))
    assert isinstance(commands[1], Start) and commands[1].key == "r/sorry/1"
    # A result that came in all the same changes nothing.
    log.append(StepFinished(1.5, "work", 1, 0, "x", "late", 0.1))
    state, commands = decide(state, log[2])
    assert commands == () and set(state.active) == {"sorry"} and fold(graph, log) == state


def test_a_question_of_a_failed_each_is_no_longer_open(tmp_path: Path) -> None:
    step = Step(
        "sure", ask=Question(Expression.parse("item.text")), each=Expression.parse("input"), routes=(Route(END),),
        on_error="sorry",
    )  # fmt: skip
    sorry = Step("sorry", call=lambda error: error["error"], routes=(Route(END),))
    flow = Workflow.of(Graph("g", {"sure": step, "sorry": sorry}, "sure"))
    result = flow.run_sync([{"text": "a?"}, {"nothing": 1}])
    assert (result.status, result.questions) == ("completed", ())
    assert result.value.startswith("item 2: ") and "a mapping has no 'text'" in result.value


def test_a_name_that_is_not_there_or_means_something_else_is_refused() -> None:
    flow = Workflow("w")
    flow.step(fails, name="pay", on_error="sory")
    flow.step(lambda value: value, name="sorry", after=[])
    with pytest.raises(WorkflowError, match="there is no step 'sory'; did you mean 'sorry'"):
        flow.graph()
    flow = Workflow("w")
    flow.step(fails, name="pay", on_error="error")
    flow.step(lambda value: value, name="error", after=[])
    with pytest.raises(WorkflowError, match="nothing else may be called 'error' here: .* as pay has"):
        flow.graph()
    flow = Workflow("w")
    flow.step(lambda value: value, name="error")
    assert flow.run_sync(3).value == 3, "without on_error it is a name like others"


def test_the_document_has_it_and_onward_is_all_that_a_step_leads_to() -> None:
    graph = shop().graph()
    assert graph.document["steps"]["pay"]["on_error"] == "sorry"
    assert "on_error" not in graph.document["steps"]["ship"]
    assert [graph.steps[name].onward for name in graph.steps] == [("ship", "sorry"), (END,), (END,)]
    several = Step("a", agent="x", routes=(Route(("b", "c"), Expression.parse("a")), Route("b")), on_error="b")
    assert several.onward == ("b", "c") and Step("a", agent="x").onward == ()
