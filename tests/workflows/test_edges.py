"""Types along edges: what each step gives against what those it leads to take, found before the run, and only then."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NamedTuple,
    NewType,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BeforeValidator, TypeAdapter, ValidationError, field_validator

from understudy.agents.messages import Finding, Message, Plan, PlannedStep, Task
from understudy.workflows.expressions import Expression
from understudy.workflows.fitting import Fit, fit
from understudy.workflows.flow import Workflow
from understudy.workflows.kinds import kind_of, kind_of_value
from understudy.workflows.limits import Limits
from understudy.workflows.refs import Ref, length

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]

T = TypeVar("T")
Euros = NewType("Euros", float)


class Order(Message):
    item: str
    count: int
    note: str | None = None
    kind: Literal["new", "old"] = "new"


class Bill(Message):
    order: Order
    total: float
    lines: tuple[str, ...] = ()


class Asked(Message):
    request: int


class Loose(Message):
    texts: tuple[str, ...] = ()
    size: Annotated[int, BeforeValidator(len)] = 0

    @field_validator("texts", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (str(value),)


class Sized(Protocol):
    size: int


class Shape(TypedDict):
    item: str
    count: int


class Pair(NamedTuple):
    left: int
    right: int


@dataclass(frozen=True)
class Note:
    text: str


class Agent:
    """An agent by its types alone."""

    def __init__(self, takes: type[Message], gives: type[Message], name: str = "qa") -> None:
        self.takes, self.gives, self.name = takes, gives, name

    async def handle(self, message: Message) -> Message:
        raise NotImplementedError


class Careless:
    """An agent that says what it gives only where it handles a message."""

    name = "careless"

    async def handle(self, message: Task) -> Finding:
        raise NotImplementedError


def whole(number: int) -> int:
    return number


def text(said: str) -> str:
    return said


def number(value: float) -> float:
    return value


def priced(order: Order) -> float:
    return 2.5 * order.count


def perhaps(said: str) -> str | None:
    return said or None


def parts(said: str) -> list[str]:
    return said.split()


def texts(said: list[str]) -> str:
    return " ".join(said)


def gaps(said: Sequence[str | None]) -> int:
    return len(said)


def sums(numbers: list[int]) -> int:
    return sum(numbers)


async def planned(order: Order) -> Plan:
    return Plan(steps=(PlannedStep(agent="a", request=order.item),))


def billed(order: Order) -> Bill:
    return Bill(order=order, total=1)


def promised(order: Order) -> Awaitable[int]:
    raise NotImplementedError


def strange(value: Unknown) -> Unknown:
    return value


def told(build: Callable[[Workflow], Any], agents: Mapping[str, Any] | None = None) -> list[str]:
    flow = Workflow("w", takes=Order)
    build(flow)
    return [f"{one.path}: {one.what}; {one.suggestion}" for one in flow.check(agents)]


CHANGE = "change what one of them says, or put a step between them"


def chain(*doers: Any, **first: Any) -> Callable[[Workflow], Any]:
    """Steps one after the other; ``first`` is the input of the first."""

    def build(flow: Workflow) -> None:
        for place, doer in enumerate(doers):
            flow.step(doer, input=first if first and not place else None)

    return build


def of(expression: str) -> Expression:
    return Expression.parse(expression)


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


def gives(kind: Any) -> Callable[[], Any]:
    def given() -> Any: ...

    given.__annotations__ = {"return": kind}
    return given


def takes(kind: Any) -> Callable[[Any], Any]:
    def taken(value: Any) -> Any: ...

    taken.__annotations__ = {"value": kind}
    return taken


NEVER: list[tuple[Any, Any]] = [
    (int, str), (str, int), (float, int), (str, bool), (None, str), (str, None), (Order, str), (str, Order),
    (Order, Bill), (list[str], str), (str, list[str]), (list[int], list[str]), (list[str], Sequence[int]),
    (tuple[int, str], tuple[int, int]), (tuple[int, str], tuple[int, str, int]), (list[Order], tuple[Bill, ...]),
    (dict[str, int], dict[str, str]), (Order, dict), (dict, str), (dict[str, int], list[str]), (list[int], dict),
    (Literal["a"], Literal["b"]), (Literal["a", "b"], int), (int | str, Order), (int, str | Order), (Shape, int),
    (list[list[int]], list[list[str]]), (Note, str), (Note, Order), (Euros, str), (Awaitable[int], str),
    (Annotated[int, "euros"], str), (list, dict), (tuple, str), (int, Pair), (list[str], set[str]),
]  # fmt: skip
PERHAPS: list[tuple[Any, Any]] = [
    (int, float), (bool, int), (int, bool), (int, float | None), (Finding, Message), (Message, Finding), (dict, Order),
    (dict[str, Any], Order), (Order, Any), (Any, Order), (Order, object), (Order, T), (T, int), (int, Sized),
    (Any, Sized), (list[Any], list[int]), (list, list[int]), (list[int], list), (list[int], list[float]),
    (tuple[int, ...], list[int]), (list[int], tuple[int, ...]), (tuple[int, int], Sequence[int]), (list[int], Iterable),
    (tuple[int, ...], tuple[int, int]), (str, Sequence[str]), (str, Literal["a"]), (Literal["a"], str),
    (Literal[1], float), (Sequence[int], list[int]), (Iterable[int], Sequence[int]), (Shape, dict), (dict, Shape),
    (Shape, Mapping[str, Any]), (Euros, float), (float, Euros), (Pair, tuple), (tuple[int, int], Pair), (Note, Note),
    ("Nowhere", int), (int, "Nowhere"), (list[ForwardRef("Nowhere")], list[int]), (Awaitable[int], int),
    (dict, Iterable[str]),
    (Annotated[int, BeforeValidator(str)], str), (str, Callable[..., Any] | str), (None, int | None), (Any | None, Any),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), NEVER, ids=str)
def test_types_that_never_fit(given: Any, wanted: Any) -> None:
    assert [one.split(";")[0].split(" gives ")[0] for one in told(chain(gives(given), takes(wanted)))] == [
        "steps.taken: step given"
    ]


@pytest.mark.parametrize(("given", "wanted"), PERHAPS, ids=str)
def test_types_that_fit_or_may_are_not_told_of(given: Any, wanted: Any) -> None:
    assert told(chain(gives(given), takes(wanted))) == []


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


def test_paths_of_expressions() -> None:
    def build(path: str) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(planned)
            flow.step(lambda value: value, name="use", input={"value": of(path)})

        return built

    wrong = {
        "planned.stepz": "planned has no 'stepz': it is Plan; did you mean 'steps'?",
        "planned.steps.requests": "planned.steps has no 'requests': it is tuple[PlannedStep, ...]; "
                                  "did you mean 'request'?",
        "planned.steps[0].needs.of": "planned.steps[0].needs has no 'of': it is tuple[int, ...]; ",
        "input.item.upper": "input.item has no 'upper': it is a text; ",
        "input['iten']": "input has no 'iten': it is Order; did you mean 'item'?",
        "planned[0]": "planned has no element 0: it is Plan; take one of its fields: steps, confidence",
        "planned.steps['request']": "planned.steps has no element 'request': it is tuple[PlannedStep, ...]; "
                                    "give its number, from 0",
        "input.count[0]": "input.count has no element 0: it is a whole number; ",
        "len(input.count) > 1": "input.count has no length: it is a whole number; ",
        "input.item > 3": "there is no order between input.item, a text and 3, a whole number; "
                          "compare two numbers, or two texts",
        "input.kind == 'newer'": "input.kind is never 'newer': it is 'new' | 'old'; did you mean 'new'?",
        "[input.iten, {'a': not input.cuont}]": "input has no 'iten': it is Order; did you mean 'item'?",
    }  # fmt: skip
    for path, what in wrong.items():
        assert told(build(path))[:1] == [f"steps.use.input.value: {what}"], path
    fine = (
        "planned.steps.needs", "planned.steps[-1].request", "len(planned.steps) > input.count", "input.item < 'm'",
        "planned.confidence >= 0.5 and planned.steps[0].agent == 'qa'", "{'a': [input.note, 1.5]}.a",
        "'a' in input.item", "input.note != null and input.note > 'a'", "input.kind == 'new' or not input.item",
        "input.kind == 'something else'",
        "team.whatever", "input.item[0]", "planned['steps']",
    )  # fmt: skip
    assert [told(build(path)) for path in fine] == [[]] * len(fine)


def test_a_field_of_a_type_that_derives_from_the_one_that_is_said() -> None:
    def found() -> Finding: ...

    def build(name: str) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(found)
            flow.step(text, input={"said": of(f"found.{name}")})

        return built

    assert told(build("sql")) == [], "it may be a Query"
    assert told(build("sqll")) != []


def test_each() -> None:
    def build(items: str, do: Callable[..., Any], **input: Any) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(planned)
            flow.each(of(items), do=do, name="work", input=input)

        return built

    def worked(step: PlannedStep, index: int) -> str: ...

    def item(value: PlannedStep) -> str: ...

    assert told(build("planned", item)) == [
        "steps.work.each: step work goes over planned, which is no list: it is Plan; did you mean planned.steps?"
    ]
    assert told(build("input.item", text)) == [
        "steps.work.each: step work goes over input.item, which is no list: it is a text; give it a list"
    ]
    assert told(build("planned.steps", text)) == [
        f"steps.work: an item of planned.steps is PlannedStep, and step work takes str as 'said'; {CHANGE}"
    ]
    assert told(build("planned.steps", text, said=of("item.requst"))) == [
        "steps.work.input.said: item has no 'requst': it is PlannedStep; did you mean 'request'?"
    ]
    assert told(build("planned.steps", text, said=of("index"))) == [
        f"steps.work.input.said: function text takes str as 'said', and index is int; {CHANGE}"
    ]
    assert told(build("planned.steps", worked)) == [
        "steps.work: nothing is named 'step', which function worked takes; there is: index, input, item, planned, "
        "team, work; or give step work an input"
    ]
    assert told(build("planned.steps", item)) == told(build("planned.steps", lambda item, index: 0)) == []
    assert told(build("planned.steps", lambda found: 0, found=of("item.needs"))) == []
    assert told(build("item", text))[0].startswith("steps.work.each: no value is called 'item' here")


def test_an_each_gives_a_list_in_which_collect_leaves_none() -> None:
    def build(failure: Any, follows: Callable[..., Any]) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.each(Expression.constant(["a", "b"]), do=text, name="work", failure=failure)
            flow.step(follows, name="after")

        return built

    assert told(build("fail_fast", texts)) == told(build("collect", gaps)) == []
    assert told(build("fail_fast", text)) == [
        f"steps.after: step work gives list[str], and step after takes str as 'said'; {CHANGE}"
    ]
    assert told(build("collect", texts)) == [
        "steps.after: step work gives list[str | None], and step after takes list[str] as 'said'; "
        "let step after take None as well, or lead there by a route with a condition (when)"
    ]

    def alone(flow: Workflow) -> None:
        flow.step(whole, input={"number": flow.input.count}, failure="collect")
        flow.step(number)

    assert "step whole gives int | None" in told(alone)[0]


def test_items_with_needs_show_what_those_gave() -> None:
    def build(flow: Workflow) -> None:
        plan = flow.step(planned)
        flow.each(plan.steps, agent=Agent(Task, Finding), name="work",
                  input={"request": flow.item.request, "given": flow.item.needs})  # fmt: skip
        flow.each(plan.steps, do=texts, name="again", input={"said": flow.item.needs})

    assert told(build) == []


def test_what_an_agent_takes_by_its_input() -> None:
    qa = Agent(Task, Finding)

    def build(agent: Any = qa, **input: Any) -> Callable[[Workflow], Any]:
        return lambda flow: flow.step(agent, input=input)

    assert told(build(requst=of("input.item"))) == [
        "steps.qa.input.requst: agent qa takes no 'requst'; did you mean 'request'?",
        "steps.qa.input: agent qa needs 'request'; add request: …",
    ]
    assert told(build(request=of("input.count"))) == [
        f"steps.qa.input.request: agent qa takes str as 'request', and input.count is int; {CHANGE}"
    ]
    assert told(build(request=of("input.item"), given=of("input"))) == [], "a validator takes what it likes"
    bill = Agent(Bill, Bill)
    assert told(build(bill, order={"item": "a", "count": 1}, total=1)) == []
    assert told(build(bill, order={"item": "a", "cuont": 1}, total=1)) == [
        f"steps.qa.input.order: agent qa takes Order as 'order', and {{'item': 'a', 'cuont': 1}} is "
        f"{{item: 'a', cuont: 1}}; {CHANGE}"
    ]
    assert told(build(bill, order=of("input"), total=of("input.item"), lines=[1])) == [
        f"steps.qa.input.lines: agent qa takes tuple[str, ...] as 'lines', and [1] is list[1]; {CHANGE}"
    ], "a text may be a number to pydantic, a number is no text"
    assert told(build(bill, order=of("team.order"), total=of("input.count"), lines=of("[input.item]"))) == []
    assert told(build(Agent(Loose, Loose), texts=of("input"), size=of("input"))) == []


def test_what_an_agent_takes_by_name() -> None:
    qa, billing = Agent(Task, Finding), Agent(Bill, Finding)
    assert told(chain(qa)) == [
        "steps.qa: agent qa takes Task and needs 'request', which the input does not have; "
        "give step qa the input request: …"
    ]
    assert told(chain(planned, qa)) == [
        "steps.qa: agent qa takes Task and needs 'request', which neither step planned nor the input has; "
        "give step qa the input request: …"
    ]

    def tally(order: Order) -> dict[str, int]: ...

    def asked(order: Order) -> Asked: ...

    def either(order: Order) -> Asked | Plan: ...

    assert told(chain(tally, qa)) == [], "its keys are not known"
    assert told(chain(either, qa)) == [], "it is not known which"
    assert told(chain(asked, qa)) == [
        "steps.qa: agent qa takes str as 'request', and that of step asked is int; give step qa the input request: …"
    ]
    assert told(chain(billed, billing)) == told(chain(Agent(Order, Bill, "maker"), billing)) == []
    assert told(lambda flow: flow.each(of("[input]"), agent=qa)) == [
        "steps.qa: agent qa takes Task and needs 'request', which neither an item of [input] nor the input has; "
        "give step qa the input request: …"
    ]

    def own_team(flow: Workflow) -> None:
        flow.step(lambda value: value, name="first", input={"value": flow.team.request})
        flow.step(planned, input={"order": flow.input})
        flow.step(qa)

    assert told(own_team) == [], "a team of one's own may have anything"


def test_agents_are_known_by_the_objects_the_run_or_their_handler() -> None:
    assert told(chain("qa", text, request=of("input.item"))) == []
    assert told(chain("qa", text, request=of("input.item")), {"qa": Agent(Task, Finding)}) == [
        "steps.text: step qa gives Finding, and step text takes str as 'said'; "
        "did you mean qa.answer? give step text the input said: qa.answer"
    ]
    assert told(chain(Careless(), whole)) == [
        f"steps.whole: step careless gives Finding, and step whole takes int as 'number'; {CHANGE}"
    ]
    flow = Workflow("w", takes=Order)
    flow.step("qa", input={"request": flow.input.item})
    flow.step(text, input={"said": Ref("qa").answer})
    assert flow.check({"qa": Agent(Task, Finding)}) == []
    assert [one.path for one in flow.check({"qa": Agent(Task, Plan)})] == ["steps.text.input.said"], "checked anew"


def test_answers_of_a_person() -> None:
    def build(**more: Any) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.ask("Well?", name="ask", **more)
            flow.step(whole)

        return built

    assert told(build()) == told(build(choices=[1, 2])) == []
    assert told(build(choices=["yes", "no"])) == [
        f"steps.whole: step ask gives 'yes' | 'no', and step whole takes int as 'number'; {CHANGE}"
    ]
    assert "step ask gives Bill" in told(build(gives=Bill))[0]

    def typo(flow: Workflow) -> None:
        said = flow.ask("Well?", choices=["yes", "no"])
        flow.route(said, "$end", when=said == "yess")
        flow.route(said, "$end")

    assert told(typo) == [
        "steps.ask.routes[0].when: ask is never 'yess': it is 'yes' | 'no'; did you mean 'yes'?"
    ]


def test_a_timer_gives_what_it_was_given() -> None:
    def build(flow: Workflow) -> None:
        flow.step(whole, input={"number": flow.input.count})
        flow.sleep(0.1)
        flow.step(text)

    assert told(build) == [f"steps.text: step sleep gives int, and step text takes str as 'said'; {CHANGE}"]
    assert told(lambda flow: flow.sleep(flow.input.item)) == [
        "steps.sleep.sleep: step sleep sleeps for input.item, which is no number of seconds: it is a text; "
        "give it a number"
    ]

    def circle(flow: Workflow) -> None:
        flow.sleep(1, name="a")
        last = flow.sleep(flow.input.count, name="b")
        flow.route(last, "a", at_most=2)
        flow.route(last, "$end")

    assert told(circle) == []


def test_growing_lists() -> None:
    def build(follows: Callable[..., Any]) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            seen = flow.growing("seen")
            flow.each(Expression.constant(["a"]), do=text, into=seen, name="first")
            flow.step(text, input={"said": flow.input.item}, into=seen)
            flow.step(follows, input={"said" if follows is texts else "numbers": seen}, name="last")

        return built

    assert told(build(texts)) == []
    assert told(build(sums)) == [
        f"steps.last.input.numbers: function sums takes list[int] as 'numbers', and seen is Sequence[str]; {CHANGE}"
    ]


def join(follows: Any, merge: Any = None, left: Any = whole, right: Any = whole, **input: Any) -> list[str]:
    def build(flow: Workflow) -> None:
        top = flow.step(lambda value: 1, name="top")
        one = flow.step(left, name="left", after=top, input=None if left is not whole else {"number": flow.input.count})
        two = flow.step(right, name="right", after=top)
        flow.step(follows, name="both", after=[one, two], merge=merge, input=input)

    return told(build)


def nothing(value: Any) -> None: ...


def one_text(value: Any) -> str: ...


def one_list(value: Any) -> list[str]: ...


def some_number(value: Any) -> int | None: ...


MERGE = "give it a merge, such as majority, best or concat, or say by its input what it takes of each"


def test_two_writers_without_a_merge_rule() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: 1, name="top")
    flow.step(whole, name="both", after=[flow.step(whole, name="a", after=top), flow.step(whole, name="b", after=top)])
    (found,) = flow.check()
    assert (found.path, found.what, found.why, found.suggestion) == (
        "steps.both", "steps a and b both write what step both takes as 'number', which is int, no list",
        "two writers without a merge rule", MERGE,
    )  # fmt: skip
    assert join(Agent(Task, Finding)) == [
        f"steps.both: steps left and right both write what agent qa takes, which is one Task; {MERGE}"
    ]
    assert join(Agent(Task, Finding), request=of("input.item")) == []
    assert join(sums) == join(lambda value: value) == join(lambda left, right: 0) == []
    assert join(texts) == [
        "steps.both: the join of left and right gives list[int, int], and step both takes list[str] as 'said'; "
        + CHANGE
    ]


@pytest.mark.parametrize(
    ("rule", "left", "right", "fits", "gives"),
    [
        ("list", whole, one_text, list[int | str], "list[int, str]"),
        ("dict", whole, one_text, dict[str, int | str], "{left: int, right: str}"),
        ("first", whole, one_text, int | str, "int | str"),
        ("first", some_number, nothing, int | None, "int | None"),
        ("first", some_number, whole, int, "int"),
        ("majority", one_text, one_text, str, "str"),
        ("concat", one_text, one_text, str, "str"),
        ("concat", one_list, one_list, list[str], "list[str]"),
        ("union", one_list, whole, list[str | int], "list[str | int]"),
        ("sum", whole, some_number, int, "int"),
        ("sum", whole, number, float, "float"),
        ("any", whole, one_text, bool, "bool"),
        (lambda outputs: outputs, whole, whole, bytes, None),
    ],
)
def test_what_a_merge_rule_makes(rule: Any, left: Any, right: Any, fits: Any, gives: str | None) -> None:
    assert join(takes(fits), rule, left, right) == []
    wrong = join(takes(bytes), rule, left, right)
    assert wrong == [] if gives is None else f"left and right gives {gives}, and step both takes bytes" in wrong[0]


def test_what_a_rule_cannot_merge() -> None:
    rule = "choose another rule, or give a function"
    assert join(lambda value: value, "sum", whole, one_text) == [
        f"steps.both.merge: 'sum' takes numbers, and right gives str; {rule}"
    ]
    assert join(lambda value: value, "concat", whole, one_text) == [
        f"steps.both.merge: 'concat' takes lists or texts, and left gives int; {rule}"
    ]
    assert join(lambda value: value, "concat", one_list, one_text) == [
        "steps.both.merge: 'concat' takes lists with lists and texts with texts, and right gives a text, left a list; "
        + rule
    ]
    assert join(lambda value: value, "best", one_text, one_text)[0].startswith(
        "steps.both.merge: 'best' takes values with a number under 'confidence', and left gives str"
    )
    assert join(lambda value: value, "best", Careless(), lambda value: value) == []


def test_errors_that_are_led_on() -> None:
    def build(handler: Callable[..., Any], **input: Any) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.route(flow.step(priced, on_error="mended"), "$end")
            flow.step(handler, name="mended", after=[], input=input)

        return built

    def mended(error: Mapping[str, str]) -> str: ...

    assert told(build(mended)) == told(build(takes(dict))) == told(build(text, said=of("error.error"))) == []
    assert told(build(text)) == [
        f"steps.mended: the error of step priced gives {{step: str, error: str}}, and step mended takes str as 'said'; "
        f"{CHANGE}"
    ]
    assert told(build(text, said=of("error.eror"))) == [
        "steps.mended.input.said: error has no 'eror': it is {step: str, error: str} | None; did you mean 'error'?"
    ]


def test_a_branch_that_fails_into_a_join_brings_none() -> None:
    def build(follows: Callable[..., Any], merge: str | None = None) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            top = flow.step(lambda value: 1, name="top")
            left = flow.step(whole, name="left", after=top, on_error="both")
            flow.step(follows, name="both", after=[left, flow.step(whole, name="right", after=top)], merge=merge)

        return built

    def counted(numbers: Sequence[int | None]) -> int: ...

    assert told(build(counted)) == told(build(whole, "sum")) == told(build(whole, "majority")) == []
    assert told(build(sums)) == [
        "steps.both: the join of left and right gives list[int | None, int], and step both takes list[int] as "
        "'numbers'; let step both take None as well, or lead there by a route with a condition (when)"
    ]


def child(**more: Any) -> Workflow:
    inner = Workflow("inner", takes=Order, **more)
    inner.step(priced)
    return inner


def test_workflows_as_steps() -> None:
    assert told(chain(child(), number)) == []
    assert told(chain(child(), text)) == [
        f"steps.text: step inner gives float, and step text takes str as 'said'; {CHANGE}"
    ]
    named = child(output={"cost": Ref("priced")})
    assert told(chain(named, number)) == [
        "steps.number: step inner gives {cost: float}, and step number takes float as 'value'; "
        "did you mean inner.cost? give step number the input value: inner.cost"
    ]
    assert told(chain(child(limits=Limits(messages=1, on_exceed="partial")), text)) == [], "it may end early"
    assert told(chain(child(), item="a", cuont=1)) == [
        "steps.inner.input.cuont: workflow inner takes no 'cuont'; did you mean 'count'?",
        "steps.inner.input: workflow inner needs 'count'; add count: …",
    ]
    assert told(chain(text, child(), said=of("input.item"))) == [
        "steps.inner: step text gives str, and workflow inner takes Order: item, count, note, kind; "
        "give step inner an input"
    ]
    one = Workflow("one", takes=Task)
    one.step(lambda task: task.request, name="first")
    assert told(chain(text, one, text, said=of("input.item"))) == [], "a text is the one field that is needed"
    assert told(lambda flow: flow.each(of("[input]"), do=child())) == []
    assert told(lambda flow: flow.each(of("[input.item]"), do=child()))[0].startswith(
        "steps.inner: an item of [input.item] gives str, and workflow inner takes Order"
    )


def test_the_mistakes_of_workflows_that_are_steps_have_their_path() -> None:
    inner = Workflow("inner", takes=Order)
    inner.step(priced)
    inner.step(text)
    outer = Workflow("outer", takes=Order)
    outer.step(inner, name="deep")
    assert [one.path for one in outer.check()] == ["steps.deep.workflow.steps.text"]
    assert told(chain(outer))[0].startswith("steps.outer.workflow.steps.deep.workflow.steps.text: step priced gives")
    inner.step(inner, name="self")
    assert any("is a step within itself" in one for one in told(chain(inner)))


def test_output_expressions() -> None:
    flow = Workflow("w", takes=Order, output={"cost": Ref("priced").total, "note": Ref("input").nte})
    flow.step(priced)
    assert [f"{one.path}: {one.what}" for one in flow.check()] == [
        "output.cost: priced has no 'total': it is a number", "output.note: input has no 'nte': it is Order",
    ]  # fmt: skip


def test_conditions() -> None:
    def build(flow: Workflow) -> None:
        plan = flow.step(planned)
        flow.route(plan, "$end", when=plan.confidnce > 0.5)
        flow.route(plan, "$end", when=length(plan.confidence) > 1)
        flow.route(plan, "$end")

    assert told(build) == [
        "steps.planned.routes[0].when: planned has no 'confidnce': it is Plan; did you mean 'confidence'?",
        "steps.planned.routes[1].when: planned.confidence has no length: it is a number; ",
    ]


def test_who_is_chosen_has_a_name() -> None:
    def build(name: str) -> Callable[[Workflow], Any]:
        return lambda flow: flow.each(of("[input]"), agent=of(f"item.{name}"))

    assert told(build("item")) == told(build("note")) == []
    assert told(build("count")) == [
        "steps.step.agent_from: step step is given to item.count, which is no name: it is a whole number; "
        "give the name of an agent"
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


SCALARS = (int, float, bool, str, None, Order, Any, Literal["a"], Literal["b", 1])
HINTS = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        inner.map(lambda one: list[one]), inner.map(lambda one: tuple[one, ...]), inner.map(lambda one: dict[str, one]),
        inner.map(lambda one: Sequence[one]), st.tuples(inner, inner).map(lambda two: tuple[two]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1] if two[0] is not two[1] else two[0]),
    ),
    max_leaves=4,
)  # fmt: skip


def value_of(hint: Any, draw: Callable[[Any], Any]) -> Any:
    """A value that ``hint`` says, with something in every collection."""
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return draw(st.sampled_from(["a", 1, 0.5, None, True, ["a"], {"a": 1}]))
    if hint is None or hint is type(None):
        return None
    if hint is Order:
        return Order(item="a", count=1)
    if origin is Literal:
        return draw(st.sampled_from(inside))
    if origin in (Union, UnionType):
        return value_of(draw(st.sampled_from(inside)), draw)
    if origin is dict:
        return {"a": value_of(inside[1], draw)}
    if origin is tuple and inside[1:] != (...,):
        return tuple(value_of(one, draw) for one in inside)
    if origin is not None:
        made = [value_of(inside[0], draw) for _ in range(draw(st.integers(1, 2)))]
        return tuple(made) if origin is tuple else made
    return draw(st.sampled_from({int: [0, 1, 7], float: [0.5, 1.0], bool: [True, False], str: ["a", "1", "x"]}[hint]))


def takes_it(hint: Any, value: Any, strict: bool) -> bool:
    try:
        TypeAdapter(hint).validate_python(value, strict=strict)
    except ValidationError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(HINTS, HINTS, st.data())
def test_pydantic_agrees_on_what_never_fits(given_hint: Any, wanted_hint: Any, data: st.DataObject) -> None:
    value = value_of(given_hint, data.draw)
    given_kind, wanted = kind_of(given_hint), kind_of(wanted_hint)
    for field in (False, True):
        said, known = fit(given_kind, wanted, field=field), fit(kind_of_value(value), wanted, field=field)
        if takes_it(wanted_hint, value, strict=not field):
            assert said > Fit.NEVER and known > Fit.NEVER
        elif field:
            assert said < Fit.ALWAYS and known < Fit.ALWAYS
