"""The fake clock: time passes when nothing else does, and everything that waits keeps its order."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy import Finding, Limits, MessageBus, Retry, Task, UnderstudyError, Workflow, check_cancelled
from understudy.agents.clock import now
from understudy.agents.letters import DeliveryError
from understudy.testing import FakeClock, Harness, Scripted, ScriptedAgent, Standstill
from understudy.testing.grip import Grip, Moment

WEEK = 7 * 24 * 3600


def agent(*replies: Any) -> dict[str, ScriptedAgent]:
    return {"coder": ScriptedAgent("coder", replies, takes=Task, gives=Finding)}


def asking(**options: Any) -> Workflow:
    flow = Workflow("asking", takes=Task)
    flow.step("coder", **options)
    return flow


def test_a_week_passes_at_once() -> None:
    clock = FakeClock(start=datetime(2030, 5, 1, tzinfo=UTC))
    began = time.monotonic()
    assert clock.run(asyncio.sleep(WEEK, "there")) == "there"
    assert clock.elapsed == WEEK
    assert clock.now() == datetime(2030, 5, 8, tzinfo=UTC).timestamp()
    assert time.monotonic() - began < 600


async def test_what_waits_keeps_its_order() -> None:
    clock, order = FakeClock(), []

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((seconds, clock.elapsed))

    with clock:
        await asyncio.gather(wait(3 * WEEK), wait(0.1), wait(2), wait(WEEK))
    assert order == [(0.1, 0.1), (2, 2), (WEEK, WEEK), (3 * WEEK, 3 * WEEK)]


async def test_a_timeout_comes_at_its_moment() -> None:
    clock = FakeClock()
    with clock, pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.sleep(61)
    assert clock.elapsed == 60


def test_the_timer_of_a_workflow() -> None:
    flow = Workflow("alarm")
    flow.sleep(WEEK)
    flow.step(lambda value: value + 1, name="last")
    harness = Harness(flow)
    run = harness.run_sync(1)
    assert (run.value, harness.clock.elapsed, run.usage.seconds) == (2, WEEK, WEEK)
    assert [event.at - run.events[0].at for event in run.events] == [0.0, WEEK, WEEK, WEEK, WEEK]


def test_the_pauses_between_retries() -> None:
    retry = Retry(attempts=3, wait=60, factor=2, longest=1000)
    harness = Harness(asking(retry=retry), agent(TimeoutError("busy"), TimeoutError("busy"), "4"))
    run = harness.run_sync("2 + 2")
    assert (run.steps["coder"].attempts, harness.clock.elapsed) == (3, 180)


def test_the_seconds_of_a_step() -> None:
    harness = Harness(asking(seconds=5), agent(Scripted("4", delay=6)))
    assert "it took longer than 5 s" in (harness.run_sync("2 + 2").error or "")
    assert harness.clock.elapsed == 5
    harness = Harness(asking(seconds=7), agent(Scripted("4", delay=6)))
    run = harness.run_sync("2 + 2")
    assert (run.status, run.result.steps[0].seconds) == ("completed", 6)


@pytest.mark.parametrize("year", [1990, 2100])
def test_deadlines_are_by_the_clock_whatever_the_time_is(year: int) -> None:
    clock = FakeClock(start=datetime(year, 1, 1, tzinfo=UTC))
    run = Harness(asking(seconds=7), agent(Scripted("4", delay=6)), clock=clock).run_sync("2 + 2")
    assert run.status == "completed"


def test_the_seconds_of_a_run() -> None:
    flow = Workflow("long", limits=Limits(seconds=3600, on_exceed="partial"))
    flow.step(lambda value: value, name="first")
    flow.sleep(7200)
    harness = Harness(flow)
    run = harness.run_sync(1)
    assert (run.status, run.error) == ("partial", "the run used up its 3600 seconds")
    assert harness.clock.elapsed == 3600


async def test_the_deadline_of_a_message() -> None:
    clock = FakeClock()

    async def slow(envelope: Any) -> Finding:
        await asyncio.sleep(100)
        return Finding(answer="too late")

    with clock:
        async with MessageBus() as bus:
            bus.register("slow", slow)
            with pytest.raises(DeliveryError, match="deadline passed"):
                await bus.request(Task(request="?"), "slow", timeout=30)
            assert bus.dead[0].at == clock.now()
    assert clock.elapsed == 30


def test_steps_see_the_time_of_the_clock_in_threads_too() -> None:
    flow = Workflow("times")
    flow.sleep(WEEK)
    flow.step(lambda value: now(), name="thread")
    flow.step(_woven, name="loop")
    clock = FakeClock(start=1000)
    run = Harness(flow, clock=clock).run_sync(1)
    assert run.steps["thread"].output == run.steps["loop"].output == 1000 + WEEK
    assert abs(now() - time.time()) < 60


async def _woven(value: float) -> float:
    return now()


def test_two_runs_are_the_same_whichever_thread_ends_first() -> None:
    def told(waits: list[float]) -> list[Any]:
        flow = Workflow("same")
        first = flow.step(lambda value: value, name="first")
        flow.each(first, do=lambda item: time.sleep(waits[item]), at_once=3, name="many", seconds=10)
        flow.sleep(0.1)
        return list(Harness(flow).run_sync([0, 1, 2, 3]).events)

    assert told([0.1, 0.05, 0, 0]) == told([0, 0.05, 0.1, 0])


async def test_threads_may_wait_for_each_other_and_be_waited_for_by_a_loop_that_spins() -> None:
    both = threading.Barrier(2)
    with FakeClock() as clock:
        await asyncio.gather(asyncio.to_thread(both.wait, 60), asyncio.to_thread(both.wait, 60))
        task = asyncio.create_task(asyncio.to_thread(time.sleep, 0.05))
        while not task.done():
            await asyncio.sleep(0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        left = asyncio.create_task(asyncio.to_thread(time.sleep, 0.1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.to_thread(time.sleep, 0.05)
        assert clock.elapsed == 0
    await left  # the clock is gone; its result comes all the same


def test_a_function_in_a_thread_is_waited_for() -> None:
    flow = Workflow("thread")
    flow.step(lambda value: time.sleep(0.2) or value, name="slow", seconds=0.1)
    harness = Harness(flow)
    assert harness.run_sync("done").value == "done"
    assert harness.clock.elapsed == 0


def test_a_function_that_does_not_end_meets_its_timeout() -> None:
    def stuck(value: Any) -> None:
        while True:
            check_cancelled()
            time.sleep(0.01)

    flow = Workflow("thread")
    flow.step(stuck, seconds=5)
    harness = Harness(flow, clock=FakeClock(patience=0.3))
    assert "longer than 5 s" in (harness.run_sync(1).error or "")
    assert harness.clock.elapsed == 5


async def test_the_test_moves_the_clock() -> None:
    flow = Workflow("reminders", takes=Task)
    flow.step("coder", name="first")
    flow.sleep(3600)
    flow.step(lambda finding: finding.answer, name="ask_again")
    flow.step(lambda text: Task(request=text), name="again")
    flow.step("coder", name="second")
    (coder,) = agent("one", "two").values()
    harness = Harness(flow, {"coder": coder})
    run = asyncio.create_task(harness.run("hello"))
    await harness.clock.advance(3599)
    assert len(coder.asked) == 1 and harness.clock.elapsed == 3599
    await harness.clock.advance(timedelta(seconds=1))
    assert len(coder.asked) == 2
    assert (await run).status == "completed" and harness.clock.elapsed == 3600


async def test_fractions_add_up_to_the_same_moment() -> None:
    clock, moments = FakeClock(), []

    async def wait() -> None:
        for _ in range(30):
            await asyncio.sleep(0.1)
        moments.append(clock.elapsed)

    with clock:
        task = asyncio.create_task(wait())
        await clock.advance(3)
        assert moments == [3.0]
        await task


async def test_fractions_of_timers_add_up_to_the_same_moment() -> None:
    flow = Workflow("ticks")
    for _ in range(5):
        flow.sleep(0.2)  # which is a little more in seconds since the epoch
    harness = Harness(flow)
    run = asyncio.create_task(harness.run(1))
    await harness.clock.advance(1)
    assert run.done() and harness.clock.elapsed == 1


def test_time_that_is_skipped_passes_between_runs() -> None:
    clock = FakeClock(start=0)
    flow = Workflow("times")
    flow.step(lambda value: now(), name="when")
    harness = Harness(flow, clock=clock)
    first = harness.run_sync(1).value
    clock.skip(timedelta(days=1))
    assert harness.run_sync(1).value - first == 24 * 3600
    for wrong in (-1, float("inf"), float("nan")):
        with pytest.raises(UnderstudyError, match="time does not pass by"):
            clock.skip(wrong)


async def test_the_loop_has_its_own_time_afterwards() -> None:
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    before = loop.time()
    for _ in range(3):
        clock = FakeClock()
        with clock:
            loop.call_later(WEEK + 0.2, lambda: fired.append(1))
            await asyncio.sleep(WEEK)
        assert fired == []  # it is still 0.2 s away
        assert loop.time() >= before
        began = time.monotonic()
        await asyncio.sleep(0.5)  # as real as ever
        assert time.monotonic() - began > 0.4
        assert fired == [1]
        fired.clear()


async def test_one_clock_for_a_loop_and_one_loop_for_a_clock() -> None:
    clock = FakeClock()
    with clock, pytest.raises(UnderstudyError, match="another FakeClock drives this event loop; use one clock"):
        await FakeClock().watch(asyncio.sleep(1))
    with clock, clock:
        await asyncio.gather(_entering(clock, 1, 3), _entering(clock, 2, 3))
    with clock:
        caught = await asyncio.to_thread(_raised, lambda: asyncio.run(clock.watch(asyncio.sleep(1))))
    assert "this clock drives another event loop" in caught
    with pytest.raises(UnderstudyError, match=r"running here already; write: await clock\.watch"):
        clock.run(asyncio.sleep(1))
    with pytest.raises(UnderstudyError, match=r"cannot drive a .*Loop; run the test in asyncio's own"):
        Grip(_ForeignLoop(), Moment(1))  # type: ignore[abstract]


async def _entering(clock: FakeClock, before: float, within: float) -> None:
    await asyncio.sleep(before)
    with clock:  # left in another order than entered
        await asyncio.sleep(within)


class _ForeignLoop(asyncio.AbstractEventLoop):
    pass


def _raised(call: Callable[[], object]) -> str:
    try:
        call()
    except UnderstudyError as error:
        return str(error)
    return ""


async def test_a_held_clock_waits_for_what_the_loop_does_not_know_of() -> None:
    clock, loop = FakeClock(), asyncio.get_running_loop()

    async def outside() -> str:
        future: asyncio.Future[str] = loop.create_future()
        threading.Timer(0.3, loop.call_soon_threadsafe, (future.set_result, "came")).start()
        async with asyncio.timeout(60):
            return await future

    with clock:
        with clock.held():
            assert await outside() == "came"
        assert clock.elapsed == 0
        with pytest.raises(TimeoutError):
            await outside()
        await asyncio.to_thread(time.sleep, 0.4)  # let the timer of the second one find the loop still there


async def test_what_cannot_come_is_told() -> None:
    class Silent:
        name, takes, gives = "silent", Task, Finding

        async def handle(self, message: Any) -> Finding:
            return await asyncio.get_running_loop().create_future()

    flow = Workflow("waiting", takes=Task)
    flow.step(lambda task: task, name="first")
    flow.step(Silent(), name="second")
    harness = Harness(flow, clock=FakeClock(patience=0.2))
    with pytest.raises(Standstill, match="waiting, run-1: it waits for what cannot come.*under way: second"):
        await harness.run("hello")
    await asyncio.sleep(0)  # the loop of the test goes on


class _Windows(asyncio.SelectorEventLoop):
    """As the loop of Windows: its clock tells 16 ms, and it waits by what gives futures that are done, a proactor."""

    def __init__(self) -> None:
        super().__init__()
        self._clock_resolution = 0.015625
        self._selector: Any = _Proactor(self._selector, super()._process_events)

    def _process_events(self, event_list: Any) -> None:
        """Nothing: a proactor has done it."""


class _Proactor:
    def __init__(self, selector: Any, process: Callable[[Any], None]) -> None:
        self._selector = selector
        self._process = process

    def select(self, timeout: float | None = None) -> list[object]:
        if timeout is not None and timeout < 0:
            raise ValueError("negative timeout")
        found = self._selector.select(timeout)
        self._process(found)
        return [object() for _ in found]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)


def test_timers_that_the_clock_of_windows_cannot_tell_apart_keep_their_moments() -> None:
    clock, ended = FakeClock(), []

    async def sleeping(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append((seconds, clock.elapsed))

    async def all_of_them() -> None:
        loop: Any = asyncio.get_running_loop()
        with clock:
            await asyncio.gather(sleeping(1.01), sleeping(1.0), sleeping(0.004), asyncio.to_thread(time.sleep, 0.01))
        assert loop._clock_resolution == 0.015625

    with asyncio.Runner(loop_factory=_Windows) as runner:
        runner.run(all_of_them())
    assert ended == [(0.004, 0.004), (1.0, 1.0), (1.01, 1.01)]
