"""The bus: delivery, back-pressure, deadlines, retries, and dead letters with a reason."""

import asyncio
import time

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.letters import DeliveryError
from understudy.agents.messages import Envelope, Finding, Message, Query, Task
from understudy.agents.retry import Retry
from understudy.core.errors import UnderstudyError


def task(text: str = "x") -> Task:
    return Task(request=text)


async def echo(envelope: Envelope) -> Message:
    assert isinstance(envelope.body, Task)
    return Finding(answer=envelope.body.request)


async def test_request_and_reply() -> None:
    async with MessageBus() as bus:
        bus.register("echo", echo)
        assert await bus.request(task("hi"), "echo") == Finding(answer="hi")
        reply = await bus.call(bus.envelope(task("a"), "echo", sender="me", run="r"))
        assert (reply.recipient, reply.sender, reply.run, reply.reply_to) == ("me", "echo", "r", reply.cause)


async def test_publish_reaches_subscribers_by_topic_and_by_type() -> None:
    seen: list[tuple[str, str]] = []

    def note(name: str):  # type: ignore[no-untyped-def]
        async def handler(envelope: Envelope) -> None:
            seen.append((name, envelope.body.message_name))

        return handler

    async with MessageBus() as bus:
        for name in ("news", "findings", "both"):
            bus.register(name, note(name))
        bus.subscribe("news", "news")
        bus.subscribe("findings", Finding)
        bus.subscribe("both", "news", Finding)
        query = Query(answer="a", sql="s", columns=(), rows=(), attempts=1)
        await bus.publish(query, "news")
        await bus.drain()
        await bus.publish(Finding(answer="b"))
        await bus.drain()
        bus.unsubscribe("both", Finding)
        await bus.publish(Finding(answer="c"))
        await bus.drain()
    assert sorted(seen[:3]) == [("both", "Query"), ("findings", "Query"), ("news", "Query")]
    assert sorted(seen[3:5]) == [("both", "Finding"), ("findings", "Finding")]
    assert seen[5:] == [("findings", "Finding")]


async def test_order_is_kept_and_a_full_mailbox_makes_its_sender_wait() -> None:
    gate, seen = asyncio.Event(), []

    async def slow(envelope: Envelope) -> None:
        await gate.wait()
        seen.append(envelope.body.request)  # type: ignore[attr-defined]

    async with MessageBus() as bus:
        bus.register("slow", slow, capacity=2)
        sent = 0

        async def produce() -> None:
            nonlocal sent
            for number in range(20):
                await bus.send(task(str(number)), "slow")
                sent += 1

        producer = asyncio.create_task(produce())
        await asyncio.sleep(0.02)
        assert sent <= 4  # two in the mailbox, one in the handler, one on its way
        gate.set()
        await producer
        await bus.drain()
    assert seen == [str(number) for number in range(20)]


async def test_at_once_handles_side_by_side() -> None:
    under_way, most = 0, 0

    async def handler(envelope: Envelope) -> Message:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return Finding(answer="")

    async with MessageBus() as bus:
        bus.register("pool", handler, at_once=3)
        await asyncio.gather(*(bus.request(task(), "pool") for _ in range(9)))
    assert most == 3


async def test_a_deadline_cancels_the_handler() -> None:
    cancelled = asyncio.Event()

    async def slow(envelope: Envelope) -> Message:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Finding(answer="late")

    async with MessageBus() as bus:
        bus.register("slow", slow)
        began = time.perf_counter()
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "slow", timeout=0.05)
        assert time.perf_counter() - began < 5
        await asyncio.wait_for(cancelled.wait(), 1)
        # The worker survived its handler.
        bus.register("echo", echo)
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "slow", timeout=0.05)
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "echo", timeout=-1)


async def test_a_deadline_holds_while_the_mailbox_is_full() -> None:
    gate = asyncio.Event()

    async def slow(envelope: Envelope) -> None:
        await gate.wait()

    async with MessageBus() as bus:
        bus.register("slow", slow, capacity=1)
        for _ in range(2):
            await bus.send(task(), "slow")
            await asyncio.sleep(0)
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "slow", timeout=0.05)
        gate.set()


async def test_cancelling_the_requester_cancels_the_handler() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(envelope: Envelope) -> Message:
        started.set()
        try:
            await asyncio.sleep(30)
        finally:
            cancelled.set()
        return Finding(answer="")

    async with MessageBus() as bus:
        bus.register("slow", slow)
        request = asyncio.create_task(bus.request(task(), "slow"))
        await started.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await asyncio.wait_for(cancelled.wait(), 1)


async def test_retries_begin_after_a_first_failure() -> None:
    attempts: list[int] = []

    async def flaky(envelope: Envelope) -> Message:
        attempts.append(envelope.attempt)
        if len(attempts) < 3:
            raise ConnectionError("not yet")
        return Finding(answer="at last")

    async with MessageBus() as bus:
        bus.register("flaky", flaky, retry=Retry(3, wait=0.001))
        reply = await bus.call(bus.envelope(task(), "flaky"))
        assert attempts == [1, 2, 3] and reply.attempt == 3
        attempts.clear()
        with pytest.raises(DeliveryError, match="not yet"):
            await bus.call(bus.envelope(task(), "flaky"), retry=Retry(2, wait=0.001))
        assert attempts == [1, 2] and bus.dead[-1].attempts == 2
        attempts.clear()
        with pytest.raises(DeliveryError):
            await bus.call(bus.envelope(task(), "flaky"), retry=Retry(5, wait=0.001, on=(KeyError,)))
        assert attempts == [1]


async def test_interceptors_see_change_and_refuse() -> None:
    seen: list[str] = []

    def watch(envelope: Envelope) -> Envelope:
        seen.append(envelope.body.message_name)
        return envelope

    async def shout(envelope: Envelope) -> Envelope | None:
        if isinstance(envelope.body, Task):
            if envelope.body.request == "secret":
                return None
            return envelope.model_copy(update={"body": task(envelope.body.request.upper())})
        return envelope

    async with MessageBus() as bus:
        bus.register("echo", echo)
        bus.intercept(watch)
        bus.intercept(shout)
        assert await bus.request(task("hi"), "echo") == Finding(answer="HI")
        assert seen == ["Task", "Finding"]
        with pytest.raises(DeliveryError, match="refused"):
            await bus.request(task("secret"), "echo")

        def broken(envelope: Envelope) -> Envelope:
            raise KeyError("oops")

        bus.intercept(broken)
        with pytest.raises(DeliveryError, match="interceptor failed"):
            await bus.request(task("hi"), "echo")


async def test_an_interceptor_that_stops_the_reply_is_told_to_the_requester() -> None:
    async with MessageBus() as bus:
        bus.register("echo", echo)
        bus.intercept(lambda envelope: None if envelope.reply_to else envelope)
        with pytest.raises(DeliveryError, match="refused"):
            await asyncio.wait_for(bus.request(task(), "echo"), 1)


async def test_names_are_taken_once_and_given_back() -> None:
    async with MessageBus() as bus:
        bus.register("echo", echo)
        with pytest.raises(UnderstudyError, match="on the bus already"):
            bus.register("echo", echo)
        await bus.unregister("echo")
        assert "echo" not in bus
        with pytest.raises(UnderstudyError, match="register it before"):
            bus.subscribe("echo", "topic")


async def test_control_envelopes_are_taken_first_and_have_room_of_their_own() -> None:
    gate, seen = asyncio.Event(), []

    async def slow(envelope: Envelope) -> None:
        await gate.wait()
        seen.append(envelope.body.request)  # type: ignore[attr-defined]

    async with MessageBus() as bus:
        bus.register("slow", slow, capacity=2)
        await bus.send(task("under way"), "slow")
        await asyncio.sleep(0)
        await bus.send(task("1"), "slow")
        await bus.send(task("2"), "slow")
        await asyncio.wait_for(bus.send(task("stop"), "slow", control=True), 1)
        gate.set()
        await bus.drain()
    assert seen == ["under way", "stop", "1", "2"]


async def test_what_a_handler_sends_names_its_cause() -> None:
    seen: list[Envelope] = []
    async with MessageBus() as bus:

        async def middle(envelope: Envelope) -> Message:
            return await bus.request(task("inner"), "end")

        async def end(envelope: Envelope) -> Message:
            seen.append(envelope)
            return Finding(answer="")

        bus.register("middle", middle)
        bus.register("end", end)
        top = bus.envelope(task("outer"), "middle", run="r")
        await bus.call(top)
        await bus.request(task(), "end")
    inner, plain = seen
    assert (inner.cause, inner.sender, inner.run, inner.trace, inner.depth) == (top.id, "middle", "r", top.id, 2)
    assert (plain.cause, plain.sender, plain.run, plain.depth) == (None, "", "", 1)
    assert Envelope(**dict(inner)) == inner  # what the bus made itself would have passed the checks


async def test_within_a_run_what_a_handler_sends_has_the_same_key_at_every_attempt() -> None:
    seen: list[str] = []
    async with MessageBus() as bus:

        async def middle(envelope: Envelope) -> Message:
            await bus.request(task("a"), "end")
            answer = await bus.request(task("b"), "end")
            if envelope.attempt == 1:
                raise ConnectionError("once more")
            return answer

        async def end(envelope: Envelope) -> Message:
            seen.append(envelope.id)
            return Finding(answer="")

        bus.register("middle", middle, retry=Retry(2, wait=0.001))
        bus.register("end", end)
        await bus.call(Envelope(id="r/step/1", run="r", recipient="middle", body=task()))
    assert seen == ["r/step/1>1", "r/step/1>2"] * 2


async def test_a_plain_handler_does_as_well() -> None:
    async with MessageBus() as bus:
        bus.register("plain", lambda envelope: Finding(answer=envelope.body.request))  # type: ignore[attr-defined]
        assert await bus.request(task("a"), "plain") == Finding(answer="a")


async def test_broadcast_reaches_all_but_its_sender() -> None:
    seen: list[str] = []
    async with MessageBus() as bus:
        for name in ("a", "b", "c"):

            async def handler(envelope: Envelope, name: str = name) -> None:
                seen.append(name)
                if envelope.depth == 1 and name == "a":
                    await bus.broadcast(task(), control=True)

            bus.register(name, handler)
        await bus.send(task(), "a")
        await asyncio.sleep(0.01)
        await bus.drain()
    assert sorted(seen) == ["a", "b", "c"]


async def test_order_is_kept_among_senders_that_wait_for_room() -> None:
    seen: list[tuple[int, int]] = []

    async def handler(envelope: Envelope) -> None:
        await asyncio.sleep(0)
        seen.append(tuple(map(int, envelope.body.request.split())))  # type: ignore[attr-defined, arg-type]

    async with MessageBus(capacity=2) as bus:
        bus.register("one", handler)

        async def produce(who: int) -> None:
            for number in range(50):
                await bus.send(task(f"{who} {number}"), "one")

        await asyncio.gather(*map(produce, range(4)))
        await bus.drain()
    assert len(seen) == 200
    assert all([n for who, n in seen if who == one] == list(range(50)) for one in range(4))


async def test_a_sender_that_is_cancelled_while_it_waits_leaves_no_trace() -> None:
    gate, seen = asyncio.Event(), []

    async def slow(envelope: Envelope) -> None:
        await gate.wait()
        seen.append(envelope.body.request)  # type: ignore[attr-defined]

    async with MessageBus() as bus:
        bus.register("slow", slow, capacity=1)
        await bus.send(task("1"), "slow")
        await asyncio.sleep(0)
        await bus.send(task("2"), "slow")
        third, fourth = (asyncio.create_task(bus.send(task(n), "slow")) for n in ("3", "4"))
        await asyncio.sleep(0)
        third.cancel()
        gate.set()
        await fourth
        await asyncio.wait_for(bus.drain(), 1)
    assert seen == ["1", "2", "4"]
