"""Checks of roads and rules: what a graph cannot be run with, whatever its values are."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Route, Step
from understudy.workflows.problems import Problem
from understudy.workflows.roads import Roads, groups

LAST = (Route(END),)


def graph(**steps: Step) -> Graph:
    return Graph("g", steps, next(iter(steps)))


def step(name: str, *to: Any, **more: Any) -> Step:
    routes = tuple(one if isinstance(one, Route) else Route(one) for one in to)
    return Step(name, call=more.pop("call", lambda value: value), routes=routes or LAST, **more)


def problems(*steps: Step) -> list[Problem]:
    return Graph("g", {one.name: one for one in steps}, steps[0].name).check()


def told(*steps: Step) -> list[str]:
    return [f"{one.path}: {one.what}; {one.suggestion}" for one in problems(*steps)]


def test_groups_are_the_strongly_connected_components() -> None:
    ways = {"a": "b", "b": "cd", "c": "a", "d": "de", "e": "f", "f": ""}
    assert [sorted(group) for group in groups(ways)] == [["f"], ["e"], ["d"], ["a", "b", "c"]]
    long = {str(number): [str(number + 1)] for number in range(5000)}
    assert len(groups({**long, "5000": []})) == 5001


def test_roads_know_what_comes_before_and_after() -> None:
    roads = Roads(graph(
        a=step("a", "b"), b=step("b", Route("c", Expression.parse("b")), Route("d")), c=step("c", "a"), d=step("d"),
    ))  # fmt: skip
    assert roads.leads("a", "d") and roads.leads("a", "a") and not roads.leads("d", "a") and not roads.leads("d", "d")
    assert roads.certain("a") == {"b"} and roads.certain("c") == {"a", "b"} and roads.certain("b") == frozenset()


def test_a_step_that_only_on_error_leads_to_is_reached() -> None:
    assert told(step("a", on_error="b"), step("b")) == []
    assert told(step("a"), step("b")) == ["steps.b: step b cannot be reached; lead to it, or take it away"]


def test_an_end_may_be_reached_by_an_error() -> None:
    assert told(step("a", Route("a", at_most=3), on_error=END)) == []
    assert told(step("a", Route("a", at_most=3), on_error="b"), step("b")) == []
    assert told(step("a", Route("b", at_most=1)), step("b", Route("a", at_most=1))) == [
        "steps.a: no end can be reached from step a, nor from b; give one of them a route to $end",
    ], "once for a loop"
    lost = told(step("x", Route("a")), step("a", Route("b", at_most=1)), step("b", Route("a", at_most=1)))
    (found,) = lost
    assert found.startswith("steps.a: no end can be reached from step a, nor from b;"), "where it has to be mended"


def test_loops_without_a_limit_are_named_in_their_order() -> None:
    leave = Route(END, Expression.parse("input"))
    (found,) = problems(step("a", "b"), step("b", leave, "c"), step("c", "a"))
    assert (found.path, found.what, found.why, found.suggestion) == (
        "steps.a.routes", "the loop a → b → c → a has no limit", "it could go round for ever",
        "give a route of it at_most",
    )  # fmt: skip
    assert told(step("a", "b"), step("b", leave, Route("a", at_most=2), leave)) == []
    assert told(step("a", leave, "b"), step("b", leave, "a", "c"), step("c", leave, "c")) == [
        "steps.a.routes: the loop a → b → a has no limit; give a route of it at_most",
        "steps.c.routes: the loop c → c has no limit; give a route of it at_most",
    ]
    two = told(step("a", leave, ("b", "c")), step("b", leave, "a"), step("c", leave, "a"))
    assert [one.split(";")[0] for one in two] == [
        "steps.a.routes: the loop a → b → a has no limit", "steps.c.routes: the loop c → a → c has no limit",
    ]  # fmt: skip


def test_a_loop_by_on_error_needs_a_limit_and_is_told_how_to_get_one() -> None:
    assert told(step("work", on_error="fix"), step("fix", "work")) == [
        "steps.work.routes: the loop work → fix → work has no limit; "
        "on_error has no limit of its own: give the route from fix to work at_most"
    ]
    assert told(step("work", on_error="fix"), step("fix", Route("work", at_most=2), END)) == []
    assert told(step("a", on_error="b"), step("b", on_error="a")) == [
        "steps.a.routes: the loop a → b → a has no limit; on_error has no limit: "
        "lead on from one of them by a route with at_most"
    ]
    assert told(step("a", on_error="a")) == [
        "steps.a.on_error: step a leads to itself by on_error; lead to another step; retry= tries it again"
    ]


def test_where_an_error_leads_is_a_step() -> None:
    assert told(step("work", on_error="fxi"), step("fix")) == [
        "steps.work.on_error: there is no step 'fxi'; did you mean 'fix'?"
    ]
    assert told(step("work", on_error=END)) == []


def test_the_error_has_a_name_where_one_is_led_on() -> None:
    uses: dict[str, Any] = {"input": {"value": Expression.parse("error")}}
    assert told(step("work", on_error="fix"), step("fix", **uses)) == []
    assert told(step("work", **uses))[0].startswith("steps.work.input.value: no value is called 'error' here")
    known = Graph("g", {"work": step("work", on_error=END)}, "work", output={"why": Expression.parse("error")})
    assert known.check() == []


def test_merge_rules_have_names_and_something_to_merge() -> None:
    def joined(**more: Any) -> list[str]:
        return told(
            step("top", Route(("left", "right"))), step("left", "both"), step("right", "both"),
            step("both", **{"join": ("left", "right"), **more}),
        )  # fmt: skip

    assert joined(merge="majority") == joined(merge=dict) == []
    assert joined(merge="majorty") == [
        "steps.both.merge: there is no merge rule 'majorty'; did you mean 'majority'?"
    ]
    assert joined(merge=3) == [
        "steps.both.merge: 3 is no merge rule; give a name, or a function of a mapping from step to output"
    ]

    async def later(outputs: Any) -> Any:
        return outputs

    assert joined(merge=later) == [
        "steps.both.merge: step both has an async merge; make it a plain function, or let the step itself await"
    ]
    assert told(step("a", "b"), step("b", merge="list")) == [
        "steps.b.merge: step b has a merge and joins nothing; take it away, or say after which steps: after [a, b]"
    ]


def test_branches_side_by_side_that_meet_where_nothing_waits() -> None:
    meet = "let it wait for both, after [left, right], or lead one of them elsewhere"
    top = step("top", Route(("left", "right")))
    (found,) = problems(top, step("left", "both"), step("right", "both"), step("both"))
    assert (found.path, found.what, found.why, found.suggestion) == (
        "steps.both", "step both is reached by left and by right, side by side, and does not wait for both",
        "it would be reached again while it is under way", meet,
    )  # fmt: skip
    further = told(top, step("left", "more"), step("more", "both"), step("right", "both"), step("both"))
    assert [one.split(",")[0] for one in further] == ["steps.both: step both is reached by right and by more"]
    early = told(step("top", Route(("left", "both"))), step("left", "both"), step("both"))
    assert [one.split(",")[0] for one in early] == ["steps.both: step both is reached by top and by left"]
    assert "is reached twice by top" in told(step("top", Route(("both", "both"))), step("both"))[0]


def test_branches_that_wait_or_need_not_meet_are_fine() -> None:
    top = step("top", Route(("left", "right")))
    wait = step("both", "last", join=("left", "right"))
    assert told(top, step("left", "both"), step("right", "both"), wait, step("last")) == []
    perhaps = (Route("both", Expression.parse("input")), Route(END))
    assert told(top, step("left", "both"), step("right", *perhaps), step("both")) == []
    assert told(top, step("left", "both"), step("right"), step("both")) == []
    either = (Route("left", Expression.parse("input")), Route("right"))
    assert told(step("top", *either), step("left", "both"), step("right", "both"), step("both")) == []
    own = step("left", on_error="both"), step("right", on_error="other"), step("both"), step("other")
    assert told(top, *own) == []
    inner = step("right", Route(("one", "two")))
    nested = step("both", join=("left", "met"))
    met = step("met", "both", join=("one", "two"))
    assert told(top, step("left", "both"), inner, step("one", "met"), step("two", "met"), met, nested) == []


def test_who_leads_to_a_join_that_does_not_wait_for_it_is_told() -> None:
    def joined(**more: Any) -> list[str]:
        return told(
            step("top", Route(("left", "right"))), step("left", "both"), step("right", "both", **more),
            step("both", "again", join=("left", "right")), step("again", Route("both", at_most=1), END),
        )  # fmt: skip

    (found,) = joined()
    assert "steps.again: step again leads to both, which waits for left and right only" in found
    assert joined(on_error="both") == [found], "one that is waited for may lead there by an error"


def test_what_is_found_is_what_fails_in_the_run() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    for name in ("left", "right"):
        flow.step(lambda value: value, name=name, after=top)
    flow.step(lambda value: value, name="both", after="left")
    flow.route("right", "both")
    (found,) = flow.check()
    assert found.path == "steps.both"
    import asyncio

    from understudy.workflows.runner import Runner
    from understudy.workflows.runtime import AsyncioRuntime

    result = asyncio.run(Runner(flow.graph(), AsyncioRuntime({})).run(1))
    assert result.status == "failed" and "while it was still under way" in str(result.error)


def test_a_step_has_one_doer_of_six() -> None:
    inner = Workflow("inner")
    inner.step(str)
    both = Step("a", call=str, workflow=inner, routes=LAST)
    assert told(both)[0] == "steps.a: step a has 2 doers; give it agent, agent_from, call, workflow, ask or sleep"
    assert told(Step("a", workflow=inner, routes=LAST)) == []


def test_names_roads_and_types_are_told_together() -> None:
    def number() -> int: ...

    def text(said: str) -> str: ...

    found = told(
        step("a", "b", call=number), step("b", Route("a", Expression.parse("inptu")), "a", call=text), step("c")
    )
    assert [one.split(":")[0] for one in found] == [
        "steps.b.routes[0].when", "steps.c", "steps.a", "steps.a.routes", "steps.b",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [300])
def test_a_long_loop_is_found_without_recursion(size: int) -> None:
    names = [f"s{number}" for number in range(size)]
    steps = [step(name, names[(place + 1) % size]) for place, name in enumerate(names)]
    assert any("has no limit" in one for one in told(*steps))
