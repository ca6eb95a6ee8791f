"""Types along edges: what each step gives against what those it leads to take, found before the run, and only then."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.workflows.edge_steps import (
    CHANGE,
    Bill,
    Order,
    billed,
    chain,
    gives,
    number,
    of,
    planned,
    priced,
    text,
    told,
    whole,
)
from understudy.agents.messages import Message
from understudy.workflows.flow import Workflow
from understudy.workflows.refs import Ref

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]


def perhaps(said: str) -> str | None:
    return said or None


def strange(value: Unknown) -> Unknown:
    return value


def test_a_mismatch_names_both_steps_and_says_how_to_mend_it() -> None:
    assert told(chain(priced, text)) == [
        f"steps.text: step priced gives float, and step text takes str as 'said'; {CHANGE}"
    ]
    assert told(chain(text)) == [
        "steps.text: the input gives Order, and step text takes str as 'said'; "
        "did you mean input.item or input.kind?"
    ]
    assert told(chain(whole)) == [
        "steps.whole: the input gives Order, and step whole takes int as 'number'; "
        "did you mean input.count? give step whole the input number: input.count"
    ]


FINE: list[Callable[[Workflow], Any]] = [
    chain(priced, number),
    chain(whole, number, number=of("input.count")),  # int where float is wanted
    chain(planned, lambda plan: plan, text),  # not annotated: anything
    chain(strange, text),  # a name that cannot be resolved says nothing
    chain(text, strange, said=of("input.item")),
    chain(billed, lambda bill: bill),
]


@pytest.mark.parametrize("build", FINE)
def test_what_fits_is_not_told_of(build: Callable[[Workflow], Any]) -> None:
    assert told(build) == []


def test_what_may_come_but_does_not_fit_is_told_of_where_it_is_certain_to_get_there() -> None:
    assert told(chain(perhaps, text, said=of("input.item"))) == [
        "steps.text: step perhaps gives str | None, and step text takes str as 'said'; "
        "let step text take None as well, or lead there by a route with a condition (when)"
    ]

    def guarded(flow: Workflow) -> None:
        found = flow.step(perhaps, input={"said": flow.input.item})
        flow.route(found, "text", when=found != None)  # noqa: E711
        flow.route(found, "$end")
        flow.step(text)

    assert told(guarded) == []
    assert told(chain(text, said=of("input.note"))) == [], "what a field may hold is for its user to know"


def test_parameters_with_the_names_of_values() -> None:
    def summed(priced: str, input: Bill, other: Any = None) -> str: ...

    def build(flow: Workflow) -> None:
        flow.step(priced)
        flow.step(lambda value: value, name="between")
        flow.step(summed)

    assert told(build) == [
        f"steps.summed: step priced gives float, and step summed takes str as 'priced'; {CHANGE}",
        f"steps.summed: 'input' is Order, and step summed takes Bill as 'input'; {CHANGE}",
    ]

    def lost(nothing: int, input: Order) -> str: ...

    assert told(chain(lost)) == [
        "steps.lost: nothing is named 'nothing', which function lost takes; there is: input, lost, team; "
        "or give step lost an input"
    ]

    def early(late: int, input: Order) -> int: ...

    def late(value: int) -> int: ...

    assert told(chain(early, late)) == [
        "steps.early: step early reads 'late', which cannot have run; lead there first"
    ]

    def default(value: int, late: str = "") -> int: ...

    assert told(chain(gives(int), default, late)) == [], "what has not run keeps its default"


def test_arguments_by_input() -> None:
    def made(item: str, /, count: int, *, note: str = "") -> int: ...

    def anything(**fields: Any) -> int: ...

    assert told(chain(whole, nmber=of("input.count"))) == [
        "steps.whole.input.nmber: function whole takes no 'nmber'; did you mean 'number'?",
        "steps.whole.input: function whole needs 'number'; add number: …",
    ]
    assert told(chain(whole, number=of("input.item"))) == [
        f"steps.whole.input.number: function whole takes int as 'number', and input.item is str; {CHANGE}"
    ]
    assert told(chain(whole, number="3")) == [
        f"steps.whole.input.number: function whole takes int as 'number', and '3' is str; {CHANGE}"
    ]
    assert told(chain(made, item="a", count=1)) == [
        "steps.made.input.item: function made takes 'item' by its place only; "
        "take the / out of its parameters, or let step made have no input"
    ]
    assert told(chain(anything, a=1, b="c")) == []
    assert told(chain(text, said=of("input"))) == [
        "steps.text.input.said: function text takes str as 'said', and input is Order; "
        "did you mean input.item or input.kind?"
    ]


class Doer:
    def work(self, order: Order) -> str: ...

    def __call__(self, order: Order) -> str: ...

    @classmethod
    def made(cls, order: Order) -> str: ...

    @staticmethod
    def plain(order: Order) -> str: ...


def after(order: Order, more: int) -> str: ...


@pytest.mark.parametrize(
    "doer", [Doer().work, Doer(), Doer.made, Doer.plain, functools.partial(after, more=2), str],
    ids=["method", "object", "class method", "static method", "partial", "class"],
)
def test_whatever_can_be_called_is_read(doer: Any) -> None:
    def build(flow: Workflow) -> None:
        flow.step(doer, name="doer")
        flow.step(whole)

    assert told(build) == [f"steps.whole: step doer gives str, and step whole takes int as 'number'; {CHANGE}"]


def test_annotations_that_name_what_only_the_function_sees() -> None:
    class Local(Message):
        text: str

    def local(order: Order) -> Local:
        return Local(text=order.item)

    assert told(chain(local, whole)) == [
        f"steps.whole: step local gives Local, and step whole takes int as 'number'; {CHANGE}"
    ]


def test_nothing_is_believed_of_a_function_behind_a_decorator() -> None:
    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counting(*args: Any, **kwargs: Any) -> int:
            return len(function(*args, **kwargs))

        return counting

    assert told(chain(counted(text), whole)) == []
    assert told(chain(counted(text), whole, what=1)) == []
    assert told(chain(len, text)) == told(chain(str.upper, whole)) == []


def test_a_run_with_a_mismatch_does_not_begin() -> None:
    from understudy.workflows.graph import WorkflowError

    flow = Workflow("desk", takes=Order)
    flow.step(priced)
    flow.step(text)
    with pytest.raises(WorkflowError, match="desk.steps.text: step priced gives float, and step text takes str"):
        flow.run_sync(Order(item="tea", count=1))


def test_three_hundred_steps_are_checked_in_a_tenth_of_a_second() -> None:
    def stepped(value: list[Order] | Bill) -> Bill: ...

    def built() -> Workflow:
        flow = Workflow("w", takes=Bill)
        for place in range(300):
            after = f"s{place - 1}" if place else "input"
            if place % 3:
                flow.step(stepped, name=f"s{place}", input={"value": Ref(after) if place % 3 == 1 else Ref("s0")})
            else:
                flow.step(stepped, name=f"s{place}")
        return flow

    built().check()
    times: list[float] = []
    while len(times) < 10 and min(times, default=1.0) >= 0.1:  # this process's own time, but beside busy ones
        flow = built()
        flow.graph()
        began = time.process_time()
        assert flow.check() == []
        times.append(time.process_time() - began)
    assert min(times) < 0.1
