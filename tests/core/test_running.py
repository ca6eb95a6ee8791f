"""Rows that join and leave between passes say what they would say alone, and share what they read alike."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder, Reply
from understudy.core.fields import Choice, ListOf, Record, Span, Text
from understudy.core.heads import Head
from understudy.core.prompts import Passage, Prompt
from understudy.core.rows import Row
from understudy.core.running import Prefixes, Running, rows_of

QUEUE = Choice(("billing", "bug", "how to", "how to pay"))
TEXT = "I was charged twice this month. How do I reset my password?"


def calls_of(count: int = 6) -> list[Call]:
    records = (
        Record((("queue", QUEUE), ("said", Text(6)))),
        Record((("tags", ListOf(QUEUE, 1, 4)),)),
        Record((("part", Span(part="text")), ("queue", QUEUE))),
    )
    heads = ("row", "marker", "", "other")
    return [
        Call(Prompt((), (), (("text", TEXT[: 20 + 3 * n]),), f"Role {n % 2}."), records[n % 3], heads[n % 4])
        for n in range(count)
    ]


@pytest.fixture
def bank(any_backbone: Backbone, new_head: Callable[..., Head]) -> HeadBank:
    made = HeadBank(any_backbone.sites)
    made.add(new_head(any_backbone, "row", 1))
    made.add(new_head(any_backbone, "marker", 2, activation="marker"))
    made.add(new_head(any_backbone, "other", 3, activation="marker"))
    return made


def same(one: Reply, other: Reply) -> None:
    assert one.values == other.values and one.tokens == other.tokens
    for mine, theirs in zip(one.picks, other.picks, strict=True):
        assert mine.probability == pytest.approx(theirs.probability, rel=1e-5, abs=1e-6)
        assert dict(mine.options) == pytest.approx(dict(theirs.options), rel=1e-5, abs=1e-6)


def test_rows_join_and_leave_while_others_are_decoded(any_backbone: Backbone, bank: HeadBank) -> None:
    calls = calls_of(9)
    alone = [Decoder(any_backbone, bank, prefixes=Prefixes(0)).decode([call])[0] for call in calls]
    for seed in range(3):
        rng = random.Random(seed)
        running, waiting = Running(any_backbone, bank, Prefixes()), list(enumerate(calls))
        numbers: dict[int, int] = {}
        rows: list[Row] = []
        done: list[Row] = []
        while waiting or running.rows:
            some = [waiting.pop(0) for _ in range(min(len(waiting), rng.randint(0, 3)))]
            new = rows_of([call for _, call in some], any_backbone, bank)
            rows += new
            numbers |= {id(row): number for (number, _), row in zip(some, new, strict=True)}
            done += running.join(new)
            done += running.step()
        assert sorted(numbers[id(row)] for row in done) == list(range(len(calls)))
        for row in done:
            same(row.reply(0.0), alone[numbers[id(row)]])


def test_a_row_that_is_dropped_leaves_the_others_as_they_are(any_backbone: Backbone, bank: HeadBank) -> None:
    calls = calls_of(5)
    alone = Decoder(any_backbone, bank).decode(calls)
    running = Running(any_backbone, bank)
    rows = rows_of(calls, any_backbone, bank)
    done = running.join(rows)
    gone = next(row for row in running.rows)
    running.drop([gone])
    while running.rows:
        done += running.step()
    assert {id(row) for row in done} == {id(row) for row in rows} - {id(gone)}
    for row, reply in zip(rows, alone, strict=True):
        if row is not gone:
            same(row.reply(0.0), reply)


def roles_reading_the_same(backbone: Backbone, words: int = 60) -> list[Call]:
    shared = (Passage("Note", "the price of euro and Lima " * (words // 6)),)
    record = Record((("queue", QUEUE), ("said", Text(4))))
    return [
        Call(Prompt(shared, ("Hello there",), (("text", TEXT),), f"Role number {n}."), record, head)
        for n, head in enumerate(("marker", "other", "", "marker", "other"))
    ]


def test_activated_heads_read_what_they_share_once(any_backbone: Backbone, bank: HeadBank) -> None:
    calls = roles_reading_the_same(any_backbone)
    alone = [Decoder(any_backbone, bank, prefixes=Prefixes(0)).decode([call])[0] for call in calls]
    fed: list[int] = []
    hidden = Backbone.hidden

    def counting(self: Backbone, ids: Tensor, **more: object) -> Tensor:
        fed.append(int((ids != self.markers.pad).sum()))
        return hidden(self, ids, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Backbone, "hidden", counting)
        decoder = Decoder(any_backbone, bank)
        together = decoder.decode(calls)
        once = sum(fed)
        fed.clear()
        again = decoder.decode(calls)
    for one, other, third in zip(alone, together, again, strict=True):
        same(one, other)
        same(one, third)
    prompt = len(rows_of(calls[:1], any_backbone, bank)[0].prefix)
    assert prompt > 60 and once < 3 * prompt, "five prompts would be five times as long"
    assert sum(fed) < 2 * prompt, "the second time only what follows the marker is read"
    assert decoder.prefixes.hits == 4 + 5


def test_heads_that_are_active_everywhere_share_nothing(any_backbone: Backbone, bank: HeadBank) -> None:
    (row,) = rows_of([Call(Prompt(message=(("text", TEXT),)), Record((("queue", QUEUE),)), "row")], any_backbone, bank)
    assert row.prefix == ()
    decoder = Decoder(any_backbone, bank)
    decoder.decode([Call(p.prompt, p.record, "row") for p in roles_reading_the_same(any_backbone)])
    assert decoder.prefixes.hits == 0


def test_what_was_not_used_lately_is_forgotten() -> None:
    kept = Prefixes(most=50)
    layer = ((torch.zeros(1, 1, 1), torch.zeros(1, 1, 1)),)
    one, two, three = (tuple(range(n, n + 20)) for n in (0, 100, 200))
    kept.put(one, layer)
    kept.put(two, layer)
    assert kept.get(one) is layer
    kept.put(three, layer)
    assert kept.get(two) is None and kept.get(one) is layer and kept.get(three) is layer
