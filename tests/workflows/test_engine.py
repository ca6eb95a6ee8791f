"""The engine by itself: events in, commands out, no event loop."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from understudy.workflows.engine import decide, fold
from understudy.workflows.events import (
    Event,
    LimitReached,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    StepStarted,
)
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import Graph, Route, Step
from understudy.workflows.limits import Limits
from understudy.workflows.state import Command, Finish, Start, State


def expr(text: str) -> Expression:
    return Expression.parse(text)


def graph(*steps: Step, **more: Any) -> Graph:
    return Graph("g", {step.name: step for step in steps}, steps[0].name, **more)


class Driver:
    """Feeds a graph by hand; ``starts`` are the effects that were commanded and not yet settled."""

    def __init__(self, made: Graph, value: Any = None) -> None:
        self.state, self.log, self.starts = State(made), list[Event](), list[Start]()
        self.end: Finish | None = None
        self.feed(RunAccepted(0.0, "r", "g", {}, value))

    def feed(self, event: Event) -> None:
        self.log.append(event)
        self.state, commands = decide(self.state, event)
        self.take(commands)

    def take(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if isinstance(command, Start):
                self.starts.append(command)
            elif isinstance(command, Finish):
                self.end = command

    def finish(self, output: Any, which: int = 0) -> Start:
        start = self.starts.pop(which)
        self.feed(StepFinished(1.0, start.step, start.visit, start.index, start.agent, output, 0.1))
        return start

    def fail(self, error: str = "ValueError: no", which: int = 0) -> None:
        start = self.starts.pop(which)
        self.feed(StepFailed(1.0, start.step, start.visit, start.index, start.agent, error, 0.1))


def test_a_sequence_hands_on_outputs() -> None:
    run = Driver(
        graph(
            Step("a", agent="x", routes=(Route("b"),)),
            Step("b", agent="y", input={"both": expr("[input, a]")}),
            output={"answer": expr("b.text")},
        ),
        "in",
    )
    assert [(start.key, start.agent, start.value) for start in run.starts] == [("r/a/1", "x", "in")]
    run.finish("A")
    assert run.starts[0].arguments == {"both": ["in", "A"]}
    run.finish({"text": "done"})
    assert run.end == Finish("completed", {"answer": "done"}, None)
    assert [(record.name, record.output) for record in run.state.records] == [("a", "A"), ("b", {"text": "done"})]


def test_the_first_open_route_is_taken_and_a_used_up_one_gives_way() -> None:
    run = Driver(
        graph(
            Step(
                "a", agent="x",
                routes=(Route("$end", expr("a == 'good'")), Route("a", at_most=2), Route("b")),
            ),
            Step("b", agent="y"),
        )
    )  # fmt: skip
    for _ in range(3):
        run.finish("bad")
    assert run.starts[0].step == "b" and run.state.visits["a"] == 3
    other = Driver(run.state.graph)
    other.finish("good")
    assert other.end is not None and other.end.status == "completed"


def test_without_a_route_left_the_run_fails_saying_so() -> None:
    run = Driver(graph(Step("a", agent="x", routes=(Route("$end", expr("a")), Route("a", at_most=1)))))
    run.finish(False)
    run.finish(False)
    assert run.end is not None and run.end.status == "failed"
    assert run.end.error == "step a: no route is left: none has its condition true and its at_most unused"


def mapped(failure: str = "fail_fast", at_once: int = 2, **more: Any) -> Graph:
    return graph(
        Step("m", agent_from=expr("item.agent"), each=expr("input"), at_once=at_once, failure=failure, **more)  # type: ignore[arg-type]
    )


ITEMS = [{"agent": "x", "n": 1}, {"agent": "y", "n": 2}, {"agent": "x", "n": 3}]


def test_each_keeps_its_order_and_its_width() -> None:
    run = Driver(mapped(), ITEMS)
    assert [(start.index, start.agent, start.key) for start in run.starts] == [(0, "x", "r/m/1/0"), (1, "y", "r/m/1/1")]
    run.finish("second", which=1)
    assert [start.index for start in run.starts] == [0, 2]
    run.finish("third", which=1)
    run.finish("first")
    assert run.state.outputs["m"] == ["first", "second", "third"]
    assert run.end is not None and run.end.output == {"value": ["first", "second", "third"]}


def test_each_over_nothing_gives_nothing_and_over_no_list_fails() -> None:
    run = Driver(mapped(), [])
    assert run.end == Finish("completed", {"value": []}, None)
    wrong = Driver(mapped(), 3)
    assert wrong.end is not None and wrong.end.error == "step m: each: input is no list"


def test_items_wait_for_their_needs_and_see_what_they_gave() -> None:
    items = [{"agent": "x", "needs": []}, {"agent": "x", "needs": [1]}, {"agent": "x", "needs": [1, 2]}]
    run = Driver(mapped(at_once=8, input={"given": expr("item.needs")}), items)
    assert [start.index for start in run.starts] == [0]
    run.finish("one")
    assert [start.index for start in run.starts] == [1] and run.starts[0].arguments == {"given": ["one"]}
    run.finish("two")
    assert run.starts[0].arguments == {"given": ["one", "two"]}


@pytest.mark.parametrize("needs", [[2], [1], [0], [9]])
def test_a_need_that_is_no_earlier_item_fails_its_item(needs: list[int]) -> None:
    run = Driver(mapped(), [{"agent": "x", "needs": needs}])
    assert run.end is not None and run.end.status == "failed" and "which brought nothing" in str(run.end.error)
    assert [record.attempts for record in run.state.records] == [0]


def test_fail_fast_ends_the_run_at_once() -> None:
    run = Driver(mapped(), ITEMS)
    run.fail(which=1)
    assert run.end is not None and (run.end.status, run.end.error) == ("failed", "step m: item 2: ValueError: no")
    assert not run.state.active


def test_collect_goes_on_with_none_in_its_place_and_skips_dependants() -> None:
    items = [*ITEMS[:2], {"agent": "x", "needs": [2]}, {"agent": "x", "needs": [1]}]
    run = Driver(mapped("collect"), items)
    run.fail(which=1)
    assert run.end is None
    run.finish("first")
    run.finish("fourth")
    assert run.state.outputs["m"] == ["first", None, None, "fourth"]
    assert run.end is not None and run.end.status == "completed"
    skipped = [record.error for record in run.state.records if record.index == 2]
    assert skipped == ["it needs item 2, which brought nothing"]


def test_collect_with_nothing_collected_fails() -> None:
    run = Driver(mapped("collect"), ITEMS[:1])
    run.fail()
    assert run.end is not None and run.end.status == "failed"


def test_all_or_nothing_lets_the_others_finish_first() -> None:
    run = Driver(mapped("all_or_nothing"), ITEMS)
    run.fail()
    assert run.end is None
    run.finish("b")
    run.finish("c")
    assert run.end is not None and run.end.status == "failed"


def test_a_fork_and_a_join() -> None:
    run = Driver(
        graph(
            Step("a", agent="x", routes=(Route(("b", "c")),)),
            Step("b", agent="x", routes=(Route("d"),)),
            Step("c", agent="x", routes=(Route("d"),)),
            Step("d", agent="x", join=("b", "c")),
        )
    )
    run.finish("A")
    assert [start.step for start in run.starts] == ["b", "c"]
    run.finish("C", which=1)
    assert [start.step for start in run.starts] == ["b"]
    run.finish("B")
    assert run.starts[0].value == ["B", "C"]
    run.finish("D")
    assert run.end is not None and run.end.status == "completed"


def test_a_join_that_waits_in_vain_is_said() -> None:
    run = Driver(
        graph(
            Step("a", agent="x", routes=(Route(("b", "c")),)),
            Step("b", agent="x", routes=(Route("d"),)),
            Step("c", agent="x", routes=(Route("d", expr("c")), Route("$end"))),
            Step("d", agent="x", join=("b", "c")),
        )
    )
    run.finish("A")
    run.finish("B")
    run.finish(False)
    assert run.end is not None and run.end.error == "step d: it waits for c, which will not come"


@pytest.mark.parametrize(("on_exceed", "status"), [("stop", "failed"), ("partial", "partial")])
def test_limits_end_a_run_with_what_there_is(on_exceed: Any, status: str) -> None:
    made = graph(
        Step("a", agent="x", routes=(Route("b"),)), Step("b", agent="x"),
        output={"first": expr("a"), "second": expr("b")}, limits=Limits(messages=1, on_exceed=on_exceed),
    )  # fmt: skip
    run = Driver(made)
    run.finish("A")
    assert run.end == Finish(status, {"first": "A"}, "the run used up its 1 messages")
    late = Driver(replace(made, limits=Limits(on_exceed=on_exceed)))
    late.feed(LimitReached(5.0, "5 seconds"))
    assert late.end == Finish(status, {}, "the run used up its 5 seconds")


def test_expressions_that_do_not_fit_fail_their_step() -> None:
    for step in (
        Step("a", agent="x", input={"v": expr("input.nothing")}),
        Step("a", agent_from=expr("input.nothing")),
        Step("a", agent="x", routes=(Route("$end", expr("a.nothing")),)),
    ):
        run = Driver(graph(step), {"text": 1})
        if run.end is None:
            run.finish({})
        assert run.end is not None and run.end.status == "failed" and "nothing" in str(run.end.error)
    lost = Driver(graph(Step("a", agent="x"), output={"o": expr("a.nothing")}))
    lost.finish({})
    assert lost.end is not None and lost.end.status == "failed" and "output.o" in str(lost.end.error)


def test_resume_starts_again_exactly_what_was_under_way() -> None:
    run = Driver(mapped(), ITEMS)
    run.finish("second", which=1)
    under_way = list(run.starts)
    run.starts.clear()
    run.feed(RunResumed(9.0))
    assert run.starts == under_way


def test_resume_of_an_unrecorded_end_gives_the_end_again() -> None:
    run = Driver(graph(Step("a", agent="x")))
    run.finish("A")
    end, run.end = run.end, None
    run.feed(RunResumed(9.0))
    assert run.end == end
    run.feed(RunFinished(9.0, "completed", {"value": "A"}))
    assert run.state.finished


def test_seconds_count_only_while_a_process_is_at_work() -> None:
    run = Driver(graph(Step("a", agent="x")))
    run.feed(StepStarted(2.0, "a", 1, None, "x", "r/a/1"))
    run.feed(RunResumed(1000.0))
    run.starts.pop()
    run.feed(StepFinished(1003.0, "a", 1, None, "x", "A", 3.0))
    assert run.state.seconds == 5.0


def test_events_that_do_not_belong_change_nothing_but_the_clock() -> None:
    run = Driver(graph(Step("a", agent="x")))
    run.feed(StepFinished(1.0, "a", 7, None, "x", "ghost", 0.1))
    run.feed(StepFinished(1.0, "b", 1, None, "x", "ghost", 0.1))
    assert run.end is None and not len(run.state.records)
    run.finish("A")
    finished = run.state
    run.feed(StepFinished(1.0, "a", 1, None, "x", "twice", 0.1))
    assert run.state.outputs == finished.outputs and len(run.state.records) == 1


def test_deciding_leaves_the_old_state_as_it_was() -> None:
    run = Driver(mapped(), ITEMS)
    before = run.state
    frozen = fold(before.graph, run.log)
    run.finish("one")
    assert before == frozen and run.state != before
