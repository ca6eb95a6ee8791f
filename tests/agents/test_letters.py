"""Dead letters: whatever is not delivered or fails is kept, with its reason and cause, and is never silent."""

import asyncio
import logging

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.letters import DeadLetter, DeliveryError
from understudy.agents.messages import Envelope, Message, Task


def task(text: str = "x") -> Task:
    return Task(request=text)


async def test_a_failed_handler_is_never_silent(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(envelope: Envelope) -> None:
        raise ValueError("no luck")

    seen: list[DeadLetter] = []
    async with MessageBus() as bus:
        bus.on_dead.append(seen.append)
        bus.register("broken", broken)
        with pytest.raises(DeliveryError, match=r"Task to broken: handler failed \(ValueError: no luck\)") as caught:
            await bus.request(task(), "broken")
        assert isinstance(caught.value.__cause__, ValueError)
        with caplog.at_level(logging.ERROR):
            await bus.send(task(), "broken")
            await bus.drain()
        assert "no luck" in caplog.text
        assert [letter.reason for letter in bus.dead] == ["handler failed"] * 2
    assert len(seen) == 2 and seen[0].cause == "ValueError: no luck" and seen[0].attempts == 1


async def test_undeliverable_letters_have_their_reason() -> None:
    async def silent(envelope: Envelope) -> None:
        return None

    async with MessageBus() as bus:
        bus.register("silent", silent)
        with pytest.raises(DeliveryError, match="no recipient"):
            await bus.request(task(), "nobody")
        with pytest.raises(DeliveryError, match="no reply"):
            await bus.request(task(), "silent")
        await bus.publish(task(), "unheard")
        assert [letter.reason for letter in bus.dead] == ["no recipient", "no reply", "no subscriber"]


async def test_a_handler_that_cancels_itself_is_a_failed_handler() -> None:
    async def odd(envelope: Envelope) -> Message:
        raise asyncio.CancelledError

    async with MessageBus() as bus:
        bus.register("odd", odd)
        for _ in range(2):
            with pytest.raises(DeliveryError, match="cancelled from within"):
                await asyncio.wait_for(bus.request(task(), "odd"), 2)


async def test_close_turns_what_is_left_into_dead_letters() -> None:
    async def slow(envelope: Envelope) -> None:
        await asyncio.sleep(30)

    bus = MessageBus()
    bus.register("slow", slow)
    waiting = asyncio.create_task(bus.request(task(), "slow"))
    await asyncio.sleep(0)
    await bus.send(task(), "slow")
    await asyncio.sleep(0.01)
    await bus.close()
    with pytest.raises(DeliveryError, match="bus closed"):
        await waiting
    assert [letter.reason for letter in bus.dead] == ["bus closed"] * 2
    with pytest.raises(DeliveryError, match="bus closed"):
        await bus.request(task(), "slow")


async def test_a_dead_letter_can_be_sent_again() -> None:
    seen: list[Envelope] = []

    async def handler(envelope: Envelope) -> None:
        seen.append(envelope)

    async with MessageBus() as bus:
        await bus.send(task("again"), "late", timeout=5)
        bus.register("late", handler)
        await bus.resend(bus.dead[0])
        await bus.drain()
    assert seen[0].body == task("again") and seen[0].attempt == 2 and seen[0].deadline is None


class Rude(BaseException):
    """No Exception, as those of some test runners are not."""


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [Rude("x"), Mute()])
async def test_whatever_a_handler_raises_is_told_and_its_worker_goes_on(error: BaseException) -> None:
    async def handler(envelope: Envelope) -> Message:
        raise error

    async with MessageBus() as bus:
        bus.register("odd", handler)
        for _ in range(2):
            with pytest.raises(DeliveryError, match=type(error).__name__):
                await asyncio.wait_for(bus.request(task(), "odd"), 2)


async def test_what_was_published_is_sent_again_to_the_one_that_failed() -> None:
    seen: list[str] = []
    async with MessageBus() as bus:

        async def good(envelope: Envelope) -> None:
            seen.append("good")

        async def bad(envelope: Envelope) -> None:
            seen.append("bad")
            if seen.count("bad") == 1:
                raise ValueError("not yet")

        bus.register("good", good)
        bus.register("bad", bad)
        bus.subscribe("good", Task)
        bus.subscribe("bad", Task)
        await bus.publish(task())
        await bus.drain()
        assert bus.dead[0].mailbox == "bad" and "to bad" in str(DeliveryError(bus.dead[0]))
        await bus.resend(bus.dead[0])
        await bus.drain()
    assert sorted(seen) == ["bad", "bad", "good"]


async def test_a_reply_that_is_refused_or_no_message_settles_its_request() -> None:
    async with MessageBus() as bus:
        bus.register("text", lambda envelope: "text")  # type: ignore[arg-type, return-value]
        with pytest.raises(DeliveryError, match="str"):
            await bus.request(task(), "text")
        bus.register("echo", lambda envelope: envelope.body)
        bus.intercept(lambda envelope: None if envelope.reply_to else envelope)
        with pytest.raises(DeliveryError, match="refused"):
            await bus.request(task(), "echo", timeout=0.03)
        await asyncio.sleep(0.05)
        assert [letter.reason for letter in bus.dead] == ["handler failed", "refused"]
