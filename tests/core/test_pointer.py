"""Spans that a linear model points at: the scores are what the equation says, and what is shown is found elsewhere."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.adaptation import FEW, STEPS, adapt
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.fields import Choice, Number, Record, Span, SpanValue, Text
from understudy.core.filling import numbers_of
from understudy.core.heads import Head
from understudy.core.meta.start import Start
from understudy.core.pointer import Pointer, _joined, _scores, learn_pointers, token_features
from understudy.core.prompts import Example, Prompt
from understudy.core.reading import Tokens

RECORD = Record((("what", Span(part="text", optional=True)),))
THINGS = ("cable", "lamp", "red chair", "old desk", "phone", "grey bag", "mirror", "clock", "small box", "pen")


def example(thing: str | None, number: int) -> Example:
    text = f"hello {number} I lost my {thing} on the train" if thing else f"hello {number} when do you open"
    value = None if thing is None else SpanValue(0, at := text.index(thing), at + len(thing), thing)
    return Example(Prompt(message=(("text", text),), role="what was lost"), RECORD, {"what": value})


EXAMPLES = [example(None if number % 4 == 3 else thing, number) for number, thing in enumerate(THINGS)]


@pytest.fixture(scope="module")
def default() -> Backbone:
    return Backbone.load("default")


def texts_of(backbone: Backbone, texts: Sequence[str]) -> list[Tokens]:
    return [Tokens(text, *backbone.encode_with_offsets(text)) for text in texts]


def test_scores_are_what_the_equation_says() -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 5, 3), torch.randn(4, 3, 3), torch.randn(4, 2)
    lengths, longest = torch.tensor([5, 3]), 3
    found = _joined(_scores(x, weight, bias, longest), bias, lengths)
    assert found.shape == (4, 2, 5 * 3 + 1)
    for fold in range(4):
        for row in range(2):
            y = x[row] @ weight[fold]
            for first in range(5):
                for more in range(3):
                    got = found[fold, row, first * 3 + more]
                    last = first + more
                    if last >= lengths[row]:
                        assert got == float("-inf")
                        continue
                    inside = y[first : last + 1, 0].sum() + (more + 1) * bias[fold, 0]
                    torch.testing.assert_close(got, inside + y[first, 1] + y[last, 2])
            assert found[fold, row, -1] == bias[fold, 1]


def test_the_likeliest_span_is_given_with_its_probability() -> None:
    features = torch.eye(4)
    weight = torch.tensor([[-9.0, 0, 0], [2, 3, 0], [2, 0, 3], [-9, 0, 0]])
    place, chance = Pointer(weight, torch.tensor([0.0, 0.0]), 3, "text").point(features)
    assert place == (1, 2) and 0.98 < chance < 1
    place, chance = Pointer(weight, torch.tensor([0.0, 30.0]), 3, "text").point(features)
    assert place is None and chance > 0.99
    short = Pointer(weight, torch.tensor([0.0, float("-inf")]), 1, "text")
    assert short.point(features)[0] == (1, 1), "of one token at most"
    assert Pointer(weight[:0].new_zeros(4, 3), torch.tensor([0.0, 0.0]), 3, "text").point(features[:0]) == (None, 1.0)


def test_what_cannot_be_the_value_is_passed_over() -> None:
    weight = torch.tensor([[0.0, 0, 0], [2, 3, 0], [2, 0, 3], [1, 0, 0]])
    pointer = Pointer(weight, torch.tensor([0.0, float("-inf")]), 3, "text")
    place, chance = pointer.point(torch.eye(4), [(1, 3), (0, 0), (0, 3)])
    assert place == (1, 3) and chance > 0.99, "the others take no part of the probability"
    assert pointer.point(torch.eye(4), [(0, 3)]) == (None, 0.0), "longer than it points at"
    assert pointer.point(torch.eye(4), []) == (None, 0.0)


def learned(backbone: Backbone, examples: Sequence[Example]) -> tuple[list[Pointer], list[Tensor]]:
    texts = texts_of(backbone, [one.prompt.part("text") for one in examples])
    features = token_features(backbone, texts)
    values = [one.values["what"] for one in examples]
    places = [None if v is None else text.cover(v) for text, v in zip(texts, values, strict=True)]
    out = torch.arange(len(examples)) % 5
    return learn_pointers(features, places, out, 5, 16, True, "text"), features


def test_what_was_shown_is_found_elsewhere(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    pointer = learned(backbone, EXAMPLES)[0][-1]
    for text, wanted in (("dear 77 I lost my grey chair on the train", "grey chair"), ("dear 78 when do you open", "")):
        (tokens,) = texts_of(backbone, [text])
        place, chance = pointer.point(token_features(backbone, [tokens])[0])
        assert (tokens.span(0, *place).text if place else "") == wanted
        assert 0 < chance <= 1


def test_a_fold_knows_nothing_of_what_it_leaves_out(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    first = learned(backbone, EXAMPLES)[0]
    changed = list(EXAMPLES)
    changed[2] = Example(EXAMPLES[2].prompt, RECORD, {"what": SpanValue(0, 0, 5, "hello")})
    second = learned(backbone, changed)[0]
    torch.testing.assert_close(first[2].weight, second[2].weight)
    assert not torch.allclose(first[1].weight, second[1].weight)
    changed[2] = Example(EXAMPLES[2].prompt, RECORD, {"what": SpanValue(0, 1, 4, "ell")})
    third = learned(backbone, changed)[0]
    torch.testing.assert_close(first[2].weight, third[2].weight)
    assert not torch.equal(first[1].weight[-2:], third[1].weight[-2:]), "only where it is seen may words be cut"


def test_features_are_the_same_alone_and_in_a_batch(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    texts = texts_of(backbone, ["one two three", "", "a much longer text than the others are", "4 Nine"])
    together = token_features(backbone, texts)
    for text, features in zip(texts, together, strict=True):
        assert len(features) == len(text.ids)
        torch.testing.assert_close(token_features(backbone, [text])[0], features, rtol=1e-4, atol=1e-5)


@pytest.fixture
def taught(new_backbone: Callable[..., Backbone]) -> tuple[Backbone, Head]:
    backbone = new_backbone()
    head, report = adapt(backbone, EXAMPLES, Start.plain(backbone.sites), steps=1, folds=5)
    assert report.mix == {"what": (0.0, 1.0, 0.0)} and "what" in head.pointers
    assert report.accuracy >= 0.5, "random weights cannot copy; the pointer finds what it has not seen"
    return backbone, head


def test_a_role_points_after_it_was_saved(taught: tuple[Backbone, Head], tmp_path: Path) -> None:
    backbone, head = taught
    head.save(tmp_path / "role")
    bank = HeadBank(backbone.sites)
    bank.add(Head.load(tmp_path / "role"))
    asked = [example("green hat", 31), example(None, 32)]
    replies = Decoder(backbone, bank).decode([Call(one.prompt, RECORD, "role") for one in asked])
    for one, reply in zip(asked, replies, strict=True):
        assert reply.values == one.values
        assert [pick.path for pick in reply.picks] == ["what"] and reply.confidence == reply.picks[0].probability
    told: list[tuple[str, str]] = []
    Decoder(backbone, bank).decode([Call(one.prompt, RECORD, "role", lambda *said: told.append(said)) for one in asked])
    assert told == [("what", "green hat")], "what is pointed at is told, and nothing of nothing"


def test_fields_beside_a_span_are_filled_too(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    record = Record((("what", Span(part="text", optional=True)), ("lost", Choice(("yes", "no")))))
    several = [
        Example(one.prompt, record, {**one.values, "lost": "no" if one.values["what"] is None else "yes"})
        for one in EXAMPLES
    ]
    head, report = adapt(backbone, several, Start.plain(backbone.sites), steps=1, folds=5)
    assert set(report.mix) == {"what", "lost"}
    bank = HeadBank(backbone.sites)
    bank.add(head)
    asked = several[0]
    reply = Decoder(backbone, bank).decode([Call(asked.prompt, record, head.name)])[0]
    assert reply.values == asked.values and [pick.path for pick in reply.picks] == ["what", "lost"]


def test_longer_spans_than_it_can_point_at_are_copied(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    words = " ".join(f"w{number}" for number in range(40))
    text = f"hello {words}"
    record = Record((("what", Span(part="text", optional=True, max_tokens=400)),))
    value = SpanValue(0, 6, len(text), words)
    long = [Example(one.prompt, record, one.values) for one in EXAMPLES[:4]]
    long[0] = Example(Prompt(message=(("text", text),), role="what was lost"), record, {"what": value})
    head, report = adapt(backbone, long, Start.plain(backbone.sites), steps=1)
    assert not head.pointers and "what" not in report.mix


def test_copied_texts_and_numbers_are_pointed_at(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    record = Record((("thing", Text()), ("number", Number(integer=True)), ("mood", Text())))
    moods = ("calm", "cross")

    def made(thing: str, number: int, mood: str) -> Example:
        text = f"hello {number} I lost my {thing} on the train" if thing else f"hello {number} when do you open"
        values = {"thing": thing, "number": number, "mood": mood}
        return Example(Prompt(message=(("text", text),), role="what was lost"), record, values)

    some = [made("" if n % 4 == 3 else thing, 10 + n, moods[n % 2]) for n, thing in enumerate(THINGS)]
    head, report = adapt(backbone, some, Start.plain(backbone.sites), steps=1, folds=5)
    assert set(head.pointers) == {"thing", "number"} == set(report.mix), "what is not in the message is written"
    bank = HeadBank(backbone.sites)
    bank.add(head)
    for thing, number in (("grey chair", 12), ("", 15)):
        asked = made(thing, number, "calm")
        reply = Decoder(backbone, bank).decode([Call(asked.prompt, record, head.name)])[0]
        assert (reply.values["thing"], reply.values["number"]) == (thing, number)
    nothing = Prompt(message=(("text", "no number here"),), role="what was lost")
    values = Decoder(backbone, bank).decode([Call(nothing, record, head.name)])[0].values
    assert isinstance(values["number"], int), "where no number stands in the message one is written"


@pytest.mark.parametrize(
    ("text", "found"),
    [("order 1234567899999 now", [1234567899999]), ("1,234 of 12", [1234, 12]), ("it is -34.", [-34]), ("12.5", []),
     ("on 2024-05-06", []), ("$5 or 5%", [5, 5]), ("7pm, 3rd", []), ("", []), ("v1.2.3", [])],
)  # fmt: skip
def test_numbers_are_found_whole(default: Backbone, text: str, found: list[int]) -> None:
    (tokens,) = texts_of(default, [text])
    assert list(numbers_of(tokens, Number(integer=True)).values()) == found


def test_fractions_are_numbers_where_they_may_be(default: Backbone) -> None:
    (tokens,) = texts_of(default, ["12.5 of 3"])
    assert list(numbers_of(tokens, Number()).values()) == [12.5, 3.0]


def test_a_value_is_found_as_a_whole_word(default: Backbone) -> None:
    (tokens,) = texts_of(default, ["concat the cat, cat"])
    place = tokens.find("cat")
    assert place is not None and tokens.span(0, *place).start == 11
    assert tokens.find("on") is None and tokens.find(" ") is None and tokens.find("") is None


def test_a_role_of_long_numbers_is_learned(default: Backbone) -> None:
    record = Record((("order", Number(integer=True)),))

    def made(number: int, more: str) -> Example:
        text = f"{more} order {number} has not come, 2 weeks now"
        return Example(Prompt(message=(("note", "x"), ("text", text))), record, {"order": number})

    some = [made(1234567890000 + 7919 * n, ("please", "my", "the")[n % 3]) for n in range(8)]
    head, report = adapt(default, some, Start.plain(default.sites), steps=0)
    assert head.pointers["order"].part == "text" and report.accuracy > 0.7
    bank = HeadBank(default.sites)
    bank.add(head)
    asked = made(9876543210123, "your")
    assert Decoder(default, bank).decode([Call(asked.prompt, record, head.name)])[0].values == asked.values


def test_a_head_of_before_has_no_pointers(taught: tuple[Backbone, Head], tmp_path: Path) -> None:
    _, head = taught
    head.save(tmp_path / "role")
    file = tmp_path / "role" / "head.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    del document["pointers"]
    file.write_text(json.dumps(document), encoding="utf-8")
    assert Head.load(tmp_path / "role").pointers == {}


def test_roles_that_are_read_out_take_fewer_steps(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    some = EXAMPLES[:4]
    start = Start.plain(backbone.sites)
    assert len(adapt(backbone, some, start, folds=2)[1].losses) <= FEW + 1
    record = Record((("mood", Text()),))
    written = [Example(one.prompt, record, {"mood": "calm and cross"}) for one in some]
    taken: list[int] = []
    adapt(backbone, written, start, folds=2, on_step=lambda step, of, loss: taken.append(of))
    assert taken[0] == STEPS, "what is written is the language model's"
    taken.clear()
    adapt(backbone, some, start, folds=2, readout=False, on_step=lambda step, of, loss: taken.append(of))
    assert taken[0] == STEPS


def test_without_folds_the_pointer_counts(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    head, _ = adapt(backbone, EXAMPLES, Start.plain(backbone.sites), steps=1, folds=0)
    assert "what" in head.pointers
