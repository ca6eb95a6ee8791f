"""The decoder against a slow one that feeds every option and every token on its own, without a cache."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank, active
from understudy.core.decoding import ANSWER_ROOM, Call, Decoder, Reply
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Grades, ListOf, Record, Span, Text
from understudy.core.filling import Choose, Filler, Write
from understudy.core.heads import Head
from understudy.core.prompts import Example, Passage, Prompt
from understudy.core.reading import read
from understudy.core.trie import Trie


@torch.no_grad()
def slowly(backbone: Backbone, call: Call, head: Head | None) -> tuple[dict[str, Any], list[float]]:
    """The record filled by whole passes over everything so far: values, and the log-probability of each decision."""
    reading = read(call.prompt, backbone)
    ids = list(reading.ids)
    logs: list[float] = []

    def scores(ids: list[int]) -> Tensor:
        mask = None
        if head is not None and head.activation == "marker":
            mask = (torch.arange(len(ids)) >= reading.role_at).float().unsqueeze(0)
        pairs = head.stack().gather(torch.tensor([0])) if head else None
        with active(backbone.context, pairs, mask):
            logits: Tensor = backbone.logits(backbone.hidden(torch.tensor([ids])))[0]
        return logits

    def option(tokens: tuple[int, ...], options: tuple[tuple[int, ...], ...]) -> float:
        logits = scores([*ids, *tokens])
        total = 0.0
        for depth, token in enumerate(tokens):
            children = sorted({o[depth] for o in options if o[:depth] == tokens[:depth]})
            total += float(logits[len(ids) - 1 + depth, children].log_softmax(0)[children.index(token)])
        return total

    filling, answer = Filler(backbone, reading).record(call.record), None
    try:
        while True:
            action, answer = filling.send(answer), None
            if isinstance(action, Write):
                ids += action.ids
            elif isinstance(action, Choose):
                found = [option(tokens, action.options) for tokens in action.options]
                answer = max(range(len(found)), key=found.__getitem__)
                if len(found) > 1:
                    logs.append(found[answer])
                ids += action.options[answer]
            else:
                written: list[int] = []
                total, end = 0.0, backbone.markers.end
                while True:
                    allowed = list(action.constraint.allowed())
                    chances = scores(ids)[-1, allowed].log_softmax(0)
                    total += float(chances.max())
                    token = allowed[int(chances.argmax())]
                    if token == end:
                        break
                    action.constraint.advance(token)
                    written.append(token)
                    ids.append(token)
                logs.append(total)
                answer = tuple(written)
    except StopIteration as stop:
        return stop.value, logs


def calls_of(everything: Example) -> list[Call]:
    """Prompts and records of different lengths, with different heads."""
    prompt, fields = everything.prompt, dict(everything.record.fields)
    short = Prompt(message=(("request", "Is it 42?"),))
    some = Record(tuple((name, fields[name]) for name in ("queue", "count", "tags")))
    return [
        Call(prompt, everything.record, "row"),
        Call(short, some, ""),
        Call(
            Prompt(prompt.passages[:1], (), prompt.message, "Answers."),
            Record((("capital", fields["capital"]),)),
            "marker",
        ),
        Call(short, Record((("queue", fields["queue"]),)), "row"),
        Call(prompt, Record((("said", fields["said"]), ("steps", fields["steps"]))), "marker"),
        Call(short, Record((("sure", Choice(("yes",))),)), "row"),
    ]


def decoder_of(backbone: Backbone, new_head: Callable[..., Head]) -> Decoder:
    bank = HeadBank(backbone.sites)
    bank.add(new_head(backbone, "row", 1))
    bank.add(new_head(backbone, "marker", 2, activation="marker"))
    return Decoder(backbone, bank)


def same(one: Reply, other: Reply, tolerance: float) -> None:
    assert one.values == other.values
    assert [p.path for p in one.picks] == [p.path for p in other.picks]
    for a, b in zip(one.picks, other.picks, strict=True):
        assert a.probability == pytest.approx(b.probability, rel=tolerance, abs=1e-9)
    assert one.tokens == other.tokens


def against_slowly(backbone: Backbone, everything: Example, new_head: Callable[..., Head]) -> None:
    decoder = decoder_of(backbone, new_head)
    calls = calls_of(everything)
    for call, reply in zip(calls, decoder.decode(calls), strict=True):
        values, logs = slowly(backbone, call, decoder.bank.head(call.head))
        assert reply.values == values
        written = [math.log(p.probability) for p in reply.picks]
        # A text to which its constraint leaves no alternative is no decision, so certain ones are left out of both.
        assert [w for w in written if w] == pytest.approx([log for log in logs if log], abs=1e-3)
        assert math.log(reply.confidence) == pytest.approx(sum(logs), abs=1e-3)


def test_every_architecture_decodes_what_whole_passes_would(
    any_backbone: Backbone, everything: Example, new_head: Callable[..., Head]
) -> None:
    against_slowly(any_backbone, everything, new_head)


def test_so_does_a_backbone_whose_tokenizer_lacks_our_marks(
    backbones: Callable[..., Backbone], everything: Example, new_head: Callable[..., Head]
) -> None:
    against_slowly(backbones("gpt2", plain=True), everything, new_head)


def test_a_row_is_the_same_alone_and_in_a_mixed_batch(
    any_backbone: Backbone, everything: Example, new_head: Callable[..., Head]
) -> None:
    decoder = decoder_of(any_backbone, new_head)
    calls = calls_of(everything)
    together = decoder.decode(calls)
    for call, reply in zip(calls, together, strict=True):
        same(decoder.decode([call])[0], reply, 1e-4)
    for batch in (1, 2):
        for one, other in zip(Decoder(any_backbone, decoder.bank, batch).decode(calls), together, strict=True):
            same(one, other, 1e-4)
    assert len({reply.confidence for reply in together}) == len(calls)


def test_rows_that_are_done_leave(
    backbones: Callable[..., Backbone],
    everything: Example,
    new_head: Callable[..., Head],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoder = decoder_of(backbones(), new_head)
    rows: list[int] = []
    hidden = Backbone.hidden

    def watched(self: Backbone, ids: Tensor, **more: Any) -> Tensor:
        rows.append(len(ids))
        return hidden(self, ids, **more)

    monkeypatch.setattr(Backbone, "hidden", watched)
    decoder.decode(calls_of(everything))
    assert rows[0] == 5, "the sixth call has nothing to decide"
    assert rows == sorted(rows, reverse=True) and len(set(rows)) >= 3 and rows[-1] == 1


def test_the_options_of_a_choice_sum_to_one(backbones: Callable[..., Backbone], new_head: Callable[..., Head]) -> None:
    decoder = decoder_of(backbones(), new_head)
    options = ("no", "how to", "how to pay", "how to play", "billing")
    reply = decoder.decode([Call(Prompt(message=(("text", "Hello"),)), Record((("queue", Choice(options)),)), "row")])[
        0
    ]
    (pick,) = reply.picks
    assert set(pick.options) == set(options)
    assert sum(pick.options.values()) == pytest.approx(1, abs=1e-5)
    assert pick.value == reply.values["queue"] == max(pick.options, key=pick.options.__getitem__)
    assert reply.confidence == pytest.approx(pick.probability) and 0 < reply.confidence < 1


def test_a_prior_is_taken_off_the_scores(backbones: Callable[..., Backbone], new_head: Callable[..., Head]) -> None:
    backbone = backbones()
    options = ("yes", "no", "perhaps")
    call = Call(Prompt(message=(("text", "Hello"),)), Record((("sure", Choice(options)),)), "head")

    def chances(**more: Any) -> dict[str, float]:
        bank = HeadBank(backbone.sites)
        bank.add(new_head(backbone, "head", **more))
        return dict(Decoder(backbone, bank).decode([call])[0].picks[0].options)

    before = chances()
    even = chances(prior={"sure": {name: math.log(chance) for name, chance in before.items()}})
    assert list(even.values()) == pytest.approx([1 / 3] * 3, abs=1e-5)
    assert max(before.values()) > 0.4


def test_more_options_than_the_room_set_aside(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones("gpt2")
    decoder = decoder_of(backbone, new_head)
    options = tuple(f"{a}{b}x" for a in "abcdefghijkl" for b in "mnopqrstuvwxyz")
    trie = Trie([(*backbone.encode(option), backbone.markers.end) for option in options])
    assert trie.inner > ANSWER_ROOM + 40
    short = Prompt(message=(("text", "Hi"),))
    call = Call(
        short, Record((("sure", Choice(("yes", "no"))), ("name", Choice(options)), ("again", Choice(options)))), "row"
    )
    values, logs = slowly(backbone, call, decoder.bank.head("row"))
    reply = decoder.decode([call, Call(short, Record((("sure", Choice(("yes", "no"))),)))])[0]
    assert reply.values == values
    assert math.log(reply.confidence) == pytest.approx(sum(logs), abs=1e-3)


def test_an_answer_beyond_the_context_is_refused(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone("gpt2", context=112)
    decoder = Decoder(backbone, HeadBank(backbone.sites))
    record = Record(tuple((f"line {i}", Span(part="text", max_tokens=30)) for i in range(12)))
    with pytest.raises(UnderstudyError, match="112 tokens.*bound the fields"):
        decoder.decode([Call(Prompt(message=(("text", "I was charged twice this month."),)), record)])


def test_errors_name_what_is_wrong(backbones: Callable[..., Backbone]) -> None:
    decoder = Decoder(backbones(), HeadBank(backbones().sites))
    prompt = Prompt(message=(("text", "Hello"),))
    with pytest.raises(UnderstudyError, match="no head named 'qa'"):
        decoder.decode([Call(prompt, Record((("a", Text()),)), "qa")])
    with pytest.raises(UnderstudyError, match="'a' has nothing to choose from"):
        decoder.decode([Call(prompt, Record((("a", Choice(())),)))])
    with pytest.raises(UnderstudyError, match="fewer or shorter passages"):
        decoder.decode([Call(Prompt((Passage("", "word " * 1100),)), Record((("a", Choice(("x", "y"))),)))])
    assert decoder.decode([]) == []


def test_replies_come_in_the_order_of_the_calls(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    decoder = Decoder(backbones(), decoder_of(backbones(), new_head).bank, batch=2)
    calls = [
        Call(Prompt((Passage("", "word " * n),)), Record((("items", ListOf(Choice((f"only {n}",)), 1, 1)),)))
        for n in range(1, 6)
    ]
    assert [reply.values["items"] for reply in decoder.decode(calls)] == [[f"only {n}"] for n in range(1, 6)]


def test_a_grade_is_the_mean_of_its_probabilities(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    decoder = decoder_of(backbone, new_head)
    prompt = Prompt(message=(("text", "I loved Chad"),))
    labels = ("low", "middling", "high")
    record = Record((("sure", Choice(("yes", "no"))), ("places", Grades(("Niger", "Mali"), labels))))
    (reply,) = decoder.decode([Call(prompt, record, "row")])
    sure, *graded = reply.picks
    assert [pick.path for pick in graded] == ["places.Niger", "places.Mali"]
    for name, pick in zip(("Niger", "Mali"), graded, strict=True):
        mean = sum(at * pick.options[label] for at, label in enumerate(labels))
        assert reply.values["places"][name] == pytest.approx(mean)
        assert pick.value == max(pick.options, key=lambda label: pick.options[label])
    assert 0 < mean < 2
    assert reply.confidence == pytest.approx(sure.probability), "a grade rules nothing out, so it says nothing of doubt"


def test_reading_one_passage_is_the_part_of_the_reply_after_its_choice(either: Backbone) -> None:
    passages = (Passage("Peru", "Lima is its capital"), Passage("Chile", "They pay with the peso"))
    prompt = Prompt(passages, message=(("question", "capital of Peru?"),), role="answer")
    decoder = Decoder(either, HeadBank(either.sites))

    def ask(*headings: str) -> Reply:
        return decoder.decode([Call(prompt, Record((("it", Span(optional=True, headings=headings)),)))])[0]

    whole, parts = ask(), {heading: ask(heading) for heading in ("Peru", "Chile")}
    named = whole.picks[0]
    assert set(named.options) == {"Peru", "Chile", ""} and sum(named.options.values()) == pytest.approx(1)
    assert all(pick.path != "it#" for part in parts.values() for pick in part.picks)
    if named.value:
        assert whole.values == parts[named.value].values
        assert whole.confidence == pytest.approx(named.probability * parts[named.value].confidence, rel=1e-3)
