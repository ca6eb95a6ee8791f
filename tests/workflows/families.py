"""Workflows whose steps are workflows, which note the key of every effect, and what their journal says of them."""

import asyncio
from pathlib import Path
from typing import Any

from understudy.agents.messages import Message, Task
from understudy.workflows.effects import effect_key
from understudy.workflows.events import Event
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal


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


def ordering(takes: type[Message] | None = Order) -> Workflow:
    flow = Workflow("ordering", takes=takes)
    flow.step(lambda order: order, name="last")
    return flow


def approval(done: list[str]) -> Workflow:
    flow = Workflow("approval")
    flow.step(noted(done), name="draft")
    flow.ask("Publish it?", choices=("yes", "no"), name="ok")
    flow.step(lambda draft, ok: [draft, ok], name="end")
    return flow


def broken(done: list[str], times: int = 99) -> Workflow:
    def work(value: Any) -> Any:
        if len(done) <= times:
            raise ValueError(f"no {value}")
        return value

    flow = Workflow("broken")
    flow.step(noted(done, work), name="work")
    return flow


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


HELLO = Task(request="hello")
