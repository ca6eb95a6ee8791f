"""Requests that wait for each other in a circle end at once, with the circle named; what only looks so goes on."""

import asyncio

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.letters import DeliveryError
from understudy.agents.messages import Envelope, Finding, Message, Task


def task(text: str = "x") -> Task:
    return Task(request=text)


async def within(work):  # type: ignore[no-untyped-def]
    return await asyncio.wait_for(work, 3)


async def test_a_circle_of_requests_is_an_error_that_names_it() -> None:
    async with MessageBus() as bus:

        def asking(other: str):  # type: ignore[no-untyped-def]
            async def handler(envelope: Envelope) -> Message:
                return await bus.request(task(), other)

            return handler

        for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
            bus.register(name, asking(other))
        with pytest.raises(DeliveryError, match="a → "):
            await within(bus.request(task(), "a"))
        reasons = [letter.reason for letter in bus.dead]
        assert reasons[0] == "deadlock" and {"a", "b", "c"} <= set(bus.dead[0].cause.split(": ")[1].split(" → "))
        assert reasons[1:] == ["handler failed"] * 3
        await within(bus.drain())


async def test_with_a_free_worker_the_same_circle_is_none() -> None:
    async with MessageBus() as bus:

        async def countdown(envelope: Envelope) -> Message:
            assert isinstance(envelope.body, Task)
            left = int(envelope.body.request)
            return await bus.request(task(str(left - 1)), "countdown") if left else Finding(answer="done")

        bus.register("countdown", countdown, at_once=5)
        assert await within(bus.request(task("4"), "countdown")) == Finding(answer="done")
        with pytest.raises(DeliveryError, match="deadlock"):
            await within(bus.request(task("5"), "countdown"))


async def test_waiting_for_one_who_is_at_work_is_no_deadlock() -> None:
    async with MessageBus() as bus:

        async def busy(envelope: Envelope) -> Message:
            await asyncio.sleep(0.02)
            return Finding(answer="")

        async def asks(envelope: Envelope) -> Message:
            return await bus.request(task(), "busy")

        bus.register("busy", busy)
        bus.register("one", asks)
        bus.register("two", asks)
        await within(asyncio.gather(*(bus.request(task(), name) for name in ("one", "two", "one", "two", "busy"))))
        assert not bus.dead


async def test_a_handler_that_fills_its_own_mailbox_is_told() -> None:
    async with MessageBus(capacity=2) as bus:

        async def greedy(envelope: Envelope) -> None:
            if envelope.depth == 1:
                for _ in range(3):
                    await bus.send(task(), "greedy")

        bus.register("greedy", greedy)
        await bus.send(task(), "greedy")
        await within(bus.drain())
        assert [letter.reason for letter in bus.dead] == ["deadlock"] and "no room: greedy" in bus.dead[0].cause


async def test_a_chain_that_goes_too_deep_is_refused() -> None:
    async with MessageBus(deepest=10) as bus:

        async def again(envelope: Envelope) -> None:
            await bus.send(task(), "other" if envelope.recipient == "one" else "one")

        bus.register("one", again)
        bus.register("other", again)
        await bus.send(task(), "one")
        await asyncio.sleep(0.02)
        assert [(letter.reason, letter.envelope.depth) for letter in bus.dead] == [("too deep", 11)]
        bus.limit_depth("r", 3)
        await bus.send(task(), "one", run="r")
        await asyncio.sleep(0.02)
        assert bus.dead[-1].envelope.depth == 4
