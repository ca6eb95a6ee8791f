"""Steps of every type, and what the check says of the edges between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from understudy.agents.messages import Finding, Message, Plan, PlannedStep, Task
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow


class Order(Message):
    item: str
    count: int
    note: str | None = None
    kind: Literal["new", "old"] = "new"


class Bill(Message):
    order: Order
    total: float
    lines: tuple[str, ...] = ()


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


def parts(said: str) -> list[str]:
    return said.split()


def texts(said: list[str]) -> str:
    return " ".join(said)


def sums(numbers: list[int]) -> int:
    return sum(numbers)


async def planned(order: Order) -> Plan:
    return Plan(steps=(PlannedStep(agent="a", request=order.item),))


def billed(order: Order) -> Bill:
    return Bill(order=order, total=1)


def promised(order: Order) -> Awaitable[int]:
    raise NotImplementedError


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


def gives(kind: Any) -> Callable[[], Any]:
    def given() -> Any: ...

    given.__annotations__ = {"return": kind}
    return given


def takes(kind: Any) -> Callable[[Any], Any]:
    def taken(value: Any) -> Any: ...

    taken.__annotations__ = {"value": kind}
    return taken
