"""Types of what agents take and give, of answers of a person, and of timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator

from tests.workflows.edge_steps import (
    CHANGE,
    Agent,
    Bill,
    Careless,
    Order,
    billed,
    chain,
    of,
    planned,
    text,
    told,
    whole,
)
from understudy.agents.messages import Finding, Message, Plan, Task
from understudy.workflows.flow import Workflow
from understudy.workflows.refs import Ref


class Asked(Message):
    request: int


class Loose(Message):
    texts: tuple[str, ...] = ()
    size: Annotated[int, BeforeValidator(len)] = 0

    @field_validator("texts", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (str(value),)


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


def test_who_is_chosen_has_a_name() -> None:
    def build(name: str) -> Callable[[Workflow], Any]:
        return lambda flow: flow.each(of("[input]"), agent=of(f"item.{name}"))

    assert told(build("item")) == told(build("note")) == []
    assert told(build("count")) == [
        "steps.step.agent_from: step step is given to item.count, which is no name: it is a whole number; "
        "give the name of an agent"
    ]
