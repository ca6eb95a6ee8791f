"""One thread, one batch, many who ask: the same answers, in turn, given up when nobody waits for them."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, ListOf, Record, Text
from understudy.core.heads import Head
from understudy.core.prompts import Passage, Prompt
from understudy.core.running import Running
from understudy.core.scheduler import Scheduler

LONG = Record((("tags", ListOf(Choice(("a", "b")), 30, 30)),))
SHORT = Record((("queue", Choice(("billing", "bug"))), ("said", Text(3))))


def call(text: str = "Hello", record: Record = SHORT, head: str = "row") -> Call:
    return Call(Prompt(message=(("text", text),)), record, head)


@pytest.fixture
def bank(backbones: Callable[..., Backbone], new_head: Callable[..., Head]) -> HeadBank:
    made = HeadBank(backbones().sites)
    made.add(new_head(backbones(), "row", 1))
    made.add(new_head(backbones(), "other", 2))
    return made


@pytest.fixture
def scheduler(backbones: Callable[..., Backbone], bank: HeadBank) -> Iterator[Scheduler]:
    made = Scheduler(backbones(), bank, batch=4)
    yield made
    made.close()


class Gate(threading.Event):
    """Passes wait until it is set; ``entered`` says that one does."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    event = Gate()
    hidden = Backbone.hidden

    def waiting(self: Backbone, ids: Tensor, **more: object) -> Tensor:
        event.entered.set()
        assert event.wait(20)
        return hidden(self, ids, **more)

    monkeypatch.setattr(Backbone, "hidden", waiting)
    yield event
    event.set()


def test_many_threads_get_what_a_decoder_gives(scheduler: Scheduler) -> None:
    calls = [call(f"number {n}", SHORT if n % 3 else LONG, ("row", "other", "")[n % 3]) for n in range(18)]
    expected = Decoder(scheduler.backbone, scheduler.bank).decode(calls)
    found: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda n=n: found.update({n: scheduler.decode([calls[n]])[0].values}))
        for n in range(len(calls))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {n: reply.values for n, reply in enumerate(expected)}
    assert [reply.values for reply in scheduler.decode(calls)] == [reply.values for reply in expected]


def test_calls_share_passes(scheduler: Scheduler) -> None:
    scheduler.decode([call("one", LONG)])
    alone = scheduler.passes
    scheduler.decode([call(f"number {n}", LONG) for n in range(4)])
    assert scheduler.passes - alone < 1.5 * alone


def test_a_short_call_does_not_wait_for_a_long_one(scheduler: Scheduler, gate: Gate) -> None:
    long = scheduler.submit(call("long", LONG))
    short = scheduler.submit(call("short"))
    done: list[str] = []
    long.add_done_callback(lambda _: done.append("long"))
    short.add_done_callback(lambda _: done.append("short"))
    gate.set()
    long.result(60), short.result(60)
    assert done == ["short", "long"]


def test_every_owner_is_served_in_turn(scheduler: Scheduler, gate: Gate) -> None:
    order: list[str] = []
    first = scheduler.submit(call("in the batch", LONG))
    assert gate.entered.wait(20)
    futures = []
    for owner, count in (("greedy", 12), ("modest", 2)):
        for n in range(count):
            future = scheduler.submit(call(f"{owner} {n}"), owner)
            future.add_done_callback(lambda _, owner=owner: order.append(owner))
            futures.append(future)
    gate.set()
    for future in (first, *futures):
        future.result(60)
    assert order.index("modest") < 4 and len(order) - order[::-1].index("modest") <= 8


def test_a_call_nobody_waits_for_leaves_the_batch(
    scheduler: Scheduler, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished: list[int] = []
    drop = Running.drop
    monkeypatch.setattr(
        Running, "drop", lambda self, rows: (unfinished.append(sum(not row.done for row in rows)), drop(self, rows))[1]
    )
    running, waiting = scheduler.submit(call("running", LONG)), scheduler.submit(call("other", LONG))
    assert gate.entered.wait(20)
    assert running.cancel()
    gate.set()
    with pytest.raises(CancelledError):
        running.result(10)
    assert wait([running], 10).done == {running}, "who waits for several futures is told"
    assert len(waiting.result(60).values["tags"]) == 30
    assert sum(unfinished) == 1


def test_who_asks_too_fast_waits(scheduler: Scheduler, gate: Gate) -> None:
    scheduler.waiting = 3
    futures = [scheduler.submit(call("taken", LONG)) for _ in range(1)]
    assert gate.entered.wait(20)
    futures += [scheduler.submit(call(f"{n}")) for n in range(3)]
    with pytest.raises(UnderstudyError, match="3 calls are waiting and none was taken within 0.05 s"):
        scheduler.submit(call("one too many"), timeout=0.05)
    assert futures.pop().cancel()
    futures.append(scheduler.submit(call("in its place"), timeout=0.05))
    gate.set()
    futures.append(scheduler.submit(call("now"), timeout=30))
    for future in futures:
        future.result(60)


def test_a_bad_call_fails_alone(scheduler: Scheduler) -> None:
    good = scheduler.submit(call("good", LONG))
    bad = [
        scheduler.submit(call("unknown", head="nobody")),
        scheduler.submit(call("empty", Record((("a", Choice(())),)))),
        scheduler.submit(Call(Prompt((Passage("", "word " * 1100),)), SHORT, "row")),
    ]
    for future, why in zip(bad, ("no head named", "nothing to choose from", "fewer or shorter passages"), strict=True):
        with pytest.raises(UnderstudyError, match=why):
            future.result(30)
    assert len(good.result(60).values["tags"]) == 30


def test_a_failed_pass_is_the_failure_of_the_calls_in_it_and_not_of_the_next(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Backbone, "hidden", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("out of memory")))
        with pytest.raises(RuntimeError, match="out of memory"):
            scheduler.submit(call()).result(30)
    assert scheduler.decode([call()])[0].values["queue"] in ("billing", "bug")


def test_the_thread_ends_when_nobody_asks_and_comes_back(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.core.scheduler.IDLE_SECONDS", 0.05)
    for _ in range(2):
        scheduler.decode([call()])
        deadline = time.monotonic() + 10
        while scheduler._thread is not None:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_closed_scheduler_fails_what_waits_and_takes_no_more(
    backbones: Callable[..., Backbone], bank: HeadBank, gate: Gate
) -> None:
    scheduler = Scheduler(backbones(), bank, batch=1)
    first, second = scheduler.submit(call("first", LONG)), scheduler.submit(call("second"))
    assert gate.entered.wait(20)
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    with pytest.raises(UnderstudyError, match="the scheduler is closed"):
        second.result(10)
    gate.set()
    closing.join(20)
    with pytest.raises(UnderstudyError, match="the scheduler is closed"):
        first.result(10)  # thirty tokens are more than the pass that was running
    with pytest.raises(UnderstudyError, match="the scheduler is closed"):
        scheduler.submit(call())
    assert not any(thread.name == "scheduler" and thread.is_alive() for thread in threading.enumerate())


def test_two_threads_on_one_backbone_keep_their_heads_apart(
    backbones: Callable[..., Backbone], bank: HeadBank, new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    other = HeadBank(backbone.sites)
    other.add(new_head(backbone, "row", 9))
    calls = [call(f"number {n}", LONG) for n in range(6)]
    expected = [Decoder(backbone, some).decode(calls) for some in (bank, other)]
    vectors = backbone.embed(["I was charged", "euro"])
    schedulers = [Scheduler(backbone, some) for some in (bank, other)]
    futures = [[scheduler.submit(one) for one in calls] for scheduler in schedulers]
    for _ in range(20):
        assert torch.allclose(backbone.embed(["I was charged", "euro"]), vectors, atol=1e-5)
    for wanted, some in zip(expected, futures, strict=True):
        assert [future.result(60).values for future in some] == [reply.values for reply in wanted]
    for scheduler in schedulers:
        scheduler.close()


def test_a_head_of_a_higher_rank_may_come_while_rows_run(
    scheduler: Scheduler, gate: Gate, new_head: Callable[..., Head]
) -> None:
    first = scheduler.submit(call("first", LONG))
    assert gate.entered.wait(20)
    scheduler.bank.add(new_head(scheduler.backbone, "wide", 3, rank=12))
    second = scheduler.submit(call("second", LONG, "wide"))
    gate.set()
    alone = Decoder(scheduler.backbone, scheduler.bank).decode([call("first", LONG), call("second", LONG, "wide")])
    assert [first.result(60).values, second.result(60).values] == [reply.values for reply in alone]
