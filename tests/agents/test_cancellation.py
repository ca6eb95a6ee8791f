"""Cancellation reaches handlers, what they sent, and plain functions in threads."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.cancellation import Cancelled, cancellable, cancelled, check_cancelled, on_cancel
from understudy.agents.letters import DeliveryError
from understudy.agents.messages import Envelope, Finding, Message, Task
from understudy.agents.tools import SqlTool


def task(text: str = "x") -> Task:
    return Task(request=text)


async def test_cancelling_an_envelope_cancels_what_its_handler_sent() -> None:
    started, ended = asyncio.Event(), list[str]()
    async with MessageBus() as bus:

        async def parent(envelope: Envelope) -> Message:
            await bus.send(task("aside"), "busy")
            return await bus.request(task("child"), "child")

        async def child(envelope: Envelope) -> Message:
            started.set()
            try:
                await asyncio.sleep(30)
            finally:
                ended.append(envelope.body.request)  # type: ignore[attr-defined]
            return Finding(answer="")

        async def busy(envelope: Envelope) -> None:
            await child(envelope)

        bus.register("parent", parent)
        bus.register("child", child)
        bus.register("busy", busy)
        envelope = bus.envelope(task("top"), "parent")
        request = asyncio.create_task(bus.call(envelope))
        await started.wait()
        await asyncio.sleep(0.01)
        assert bus.cancel(envelope.id) == 3
        with pytest.raises(DeliveryError, match="cancelled"):
            await request
        await bus.drain()
        assert sorted(ended) == ["aside", "child"]
        assert bus.cancel(envelope.id) == 0
        # Workers outlive what they handled.
        assert (await asyncio.gather(bus.request(task(), "child", timeout=0.01), return_exceptions=True))[0]


async def test_cancelling_a_run_takes_what_waits_and_leaves_other_runs() -> None:
    gate, seen = asyncio.Event(), list[str]()

    async def slow(envelope: Envelope) -> None:
        await gate.wait()
        seen.append(envelope.run)

    async with MessageBus() as bus:
        bus.register("slow", slow)
        for run in ("a", "b", "a"):
            await bus.send(task(), "slow", run=run)
        await asyncio.sleep(0)
        assert bus.cancel(run="a") == 2
        gate.set()
        await bus.drain()
    assert seen == ["b"]
    assert [letter.reason for letter in bus.dead] == ["cancelled"] * 2


async def test_a_plain_function_in_a_thread_is_asked_to_stop() -> None:
    started, stopped = threading.Event(), threading.Event()

    def crawl() -> Message:
        started.set()
        try:
            while True:
                check_cancelled()
                time.sleep(0.001)
        except Cancelled:
            stopped.set()
            raise

    async def handler(envelope: Envelope) -> Message:
        return await asyncio.to_thread(crawl)

    async with MessageBus() as bus:
        bus.register("crawler", handler)
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "crawler", timeout=0.05)
        assert started.is_set() and await asyncio.to_thread(stopped.wait, 2)
    assert not cancelled()


async def test_what_blocks_elsewhere_is_woken() -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    errors: list[Exception] = []
    done = threading.Event()

    def query() -> None:
        connection = sqlite3.connect(":memory:")
        try:
            with on_cancel(connection.interrupt):
                connection.execute(endless)
        except sqlite3.OperationalError as error:
            errors.append(error)
        finally:
            connection.close()
            done.set()

    async def wait() -> None:
        with cancellable():
            await asyncio.to_thread(query)

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await asyncio.to_thread(done.wait, 5)
    assert "interrupted" in str(errors[0])


async def test_a_cancellation_that_comes_too_late_does_not_hit_the_next_envelope() -> None:
    seen: list[str] = []
    async with MessageBus() as bus:

        async def handler(envelope: Envelope) -> None:
            seen.append(envelope.id)
            if len(seen) == 1:
                bus.cancel(envelope.id)  # and ends without another await

        bus.register("self", handler)
        for _ in range(3):
            await bus.send(task(), "self")
        await asyncio.wait_for(bus.drain(), 2)
    assert len(seen) == 3 and [letter.reason for letter in bus.dead] == ["cancelled"]


def test_what_was_taken_back_is_not_called() -> None:
    calls: list[int] = []
    with pytest.raises(KeyError), cancellable() as work:
        with on_cancel(lambda: calls.append(1)):
            pass
        work.on_cancel(lambda: calls.append(2))
        raise KeyError
    assert calls == [2] and work.requested
    work.on_cancel(lambda: calls.append(3))
    assert calls == [2, 3]


async def test_a_request_that_waits_for_room_is_cancelled_as_well() -> None:
    gate = asyncio.Event()

    async def slow(envelope: Envelope) -> Message:
        await gate.wait()
        return Finding(answer="")

    async with MessageBus(capacity=1) as bus:
        bus.register("slow", slow)
        others = [asyncio.create_task(bus.request(task(), "slow")) for _ in range(2)]
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(bus.call(bus.envelope(task(), "slow", run="r")))
        await asyncio.sleep(0.01)
        assert bus.cancel(run="r") == 1
        with pytest.raises(DeliveryError, match="cancelled"):
            await asyncio.wait_for(waiting, 1)
        gate.set()
        await asyncio.gather(*others)
        await asyncio.wait_for(bus.drain(), 1)


async def test_a_deadline_takes_along_what_the_handler_sent() -> None:
    ended: list[str] = []
    async with MessageBus() as bus:

        async def child(envelope: Envelope) -> None:
            try:
                await asyncio.sleep(30)
            finally:
                ended.append("child")

        async def parent(envelope: Envelope) -> Message:
            await bus.send(task(), "child")
            await asyncio.sleep(30)
            return Finding(answer="")

        bus.register("child", child)
        bus.register("parent", parent)
        with pytest.raises(DeliveryError, match="deadline"):
            await bus.request(task(), "parent", timeout=0.03)
        await asyncio.wait_for(bus.drain(), 1)
    assert ended == ["child"]


async def test_drain_waits_for_what_handlers_send_to_each_other() -> None:
    seen: list[str] = []
    async with MessageBus() as bus:

        async def first(envelope: Envelope) -> None:
            await asyncio.sleep(0.01)
            seen.append("first")

        async def second(envelope: Envelope) -> None:
            await asyncio.sleep(0.01)
            await bus.send(task(), "first")

        bus.register("first", first)
        bus.register("second", second)
        await bus.send(task(), "second")
        await bus.drain()
        assert seen == ["first"]


async def test_a_query_of_the_sql_tool_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("n\n" + "\n".join(map(str, range(200))), encoding="utf-8")
    tool = SqlTool(file, seconds=30.0)
    endless = "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d, numbers e"
    ended = threading.Event()

    def query() -> None:
        try:
            tool.execute(endless)
        except Cancelled:
            ended.set()

    async def handler(envelope: Envelope) -> Message:
        await asyncio.to_thread(query)
        return Finding(answer="")

    async with MessageBus() as bus:
        bus.register("coder", handler)
        with pytest.raises(DeliveryError, match="deadline passed"):
            await bus.request(task(), "coder", timeout=0.1)
        assert await asyncio.to_thread(ended.wait, 5)
    tool.close()
