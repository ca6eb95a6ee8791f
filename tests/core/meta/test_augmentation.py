"""Augmentation: edits change what they say they change, and never what a demonstration is about."""

import random
from collections.abc import Callable

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.demonstrations import render
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, ListOf, Number, Record, Span, SpanValue
from understudy.core.meta.augmentation import (
    augmented,
    edited,
    mixed,
    recased,
    rephrased,
    sentences_shuffled,
    shifted,
    words_dropped,
)
from understudy.core.prompts import Example, Passage, Prompt

TEXT = "Please send Anna Meier the 42 boxes today. She does not pay for them. Thank you very much!"
GROUPS = [("send {who} {what}", "{what} should go to {who}, please"), ("hello", "good day")]


def place(text: str, said: str) -> tuple[int, int]:
    return text.index(said), text.index(said) + len(said)


def test_words_are_left_out_but_not_what_matters() -> None:
    stay = [place(TEXT, "Anna Meier")]
    lost: dict[str, int] = {}
    for seed in range(300):
        new, ((start, end),) = edited(TEXT, stay, words_dropped(0.3), random.Random(seed))
        assert new[start:end] == "Anna Meier" and "  " not in new
        assert "42" in new.split() and "not" in new.split()
        left = new.split()
        assert [word for word in TEXT.split() if word in left] == left, "in their order"
        for word in set(TEXT.split()) - set(left):
            lost[word] = lost.get(word, 0) + 1
    assert lost["boxes"] / 300 == pytest.approx(0.3, abs=0.08)
    assert not set(lost) & {"Anna", "Meier", "42", "not"}
    assert edited("all gone", [], words_dropped(1.0), random.Random(0))[0] == "all"
    assert edited("gone", [], words_dropped(1.0), random.Random(0))[0] == "gone"


def test_the_case_changes_around_what_stays() -> None:
    found = {edited(TEXT, [place(TEXT, "Anna Meier"), place(TEXT, "Meier")], recased, random.Random(s))[0]
             for s in range(9)}  # fmt: skip
    assert found == {TEXT.lower().replace("anna meier", "Anna Meier"), TEXT.upper().replace("ANNA MEIER", "Anna Meier")}


def test_sentences_change_places_as_wholes() -> None:
    found = set()
    for seed in range(60):
        new, ((start, end),) = edited(TEXT, [place(TEXT, "pay")], sentences_shuffled, random.Random(seed))
        assert new[start:end] == "pay"
        found.add(new)
    assert len(found) == 6 and all(sorted(text.split()) == sorted(TEXT.split()) for text in found)
    across = [place(TEXT, "today. She")]
    assert {edited(TEXT, across, sentences_shuffled, random.Random(s))[1][0] for s in range(9)} == {across[0]}


def test_templates_say_the_same_of_the_same_values() -> None:
    edit = rephrased(GROUPS)
    text = "Send Anna 42 boxes"
    new, places = edited(text, [place(text, "Anna"), place(text, "boxes")], edit, random.Random(0))
    assert new == "42 boxes should go to Anna, please"
    assert [new[start:end] for start, end in places] == ["Anna", "boxes"]
    assert edited("Send boxes", [], edit, random.Random(0))[0] == "Send boxes"
    assert edited(text, [place(text, "Anna 42")], edit, random.Random(0))[0] == text, "it would be torn"
    with pytest.raises(UnderstudyError, match="the same slots; give all templates"):
        rephrased([("to {who}", "for {whom}")])


RECORD = Record(
    (
        ("queue", Choice(("post", "bill"))),
        ("who", Span(part="text")),
        ("all", ListOf(Span(part="text"))),
        ("count", Number(integer=True)),
        ("from", Span()),
        ("none", Span(part="text", optional=True)),
    )
)


def demonstration() -> Example:
    who, send = (SpanValue(0, *place(TEXT, said), said) for said in ("Anna Meier", "boxes today"))
    passage = Passage("Store", TEXT)
    values = {"queue": "post", "who": who, "all": [send, who], "count": 42, "from": who, "none": None}
    return Example(Prompt((passage,), (), (("text", TEXT), ("note", "boxes"))), RECORD, values)


def test_the_values_of_a_demonstration_are_where_they_are_moved_to(backbones: Callable[..., Backbone]) -> None:
    example = demonstration()
    texts = set()
    for seed in range(40):
        new = augmented(example, random.Random(seed))
        text = new.prompt.part("text")
        texts.add(text)
        for value in (new.values["who"], *new.values["all"]):
            assert text[value.start : value.end] == value.text
        assert [value.text for value in new.values["all"]] == ["boxes today", "Anna Meier"]
        assert new.values["from"] == example.values["from"] and new.prompt.passages == example.prompt.passages
        assert (new.values["queue"], new.values["count"], new.values["none"]) == ("post", 42, None)
        assert "42" in text.split()
        render(new, backbones())
    assert len(texts) > 10
    assert augmented(example, random.Random(3)) == augmented(example, random.Random(3))


def test_targets_move_together_in_support_and_query() -> None:
    x, y, xq, yq = (torch.arange(n).double().view(2, -1, 1) for n in (6, 6, 8, 8))
    many = [shifted((x, y), (xq, yq), 2.0, torch.Generator().manual_seed(seed)) for seed in range(400)]
    (new_x, new_y), (_, new_q) = many[0]
    assert torch.equal(new_x, x)
    moved = (new_y - y)[:, :1]
    torch.testing.assert_close(new_y - y, moved.expand(-1, 3, -1))
    torch.testing.assert_close(new_q - yq, moved.expand(-1, 4, -1))
    assert float(moved[0]) != float(moved[1])
    noise = torch.stack([(support[1] - y)[:, 0] for support, _ in many])
    assert float(noise.std()) == pytest.approx(2.0, rel=0.1)


def test_a_mixed_query_lies_between_support_and_query() -> None:
    x, xq = torch.zeros(3, 2, 4), torch.ones(3, 500, 4)
    new_x, new_y = mixed((x, 5 + x[..., :1]), (xq, 7 * xq[..., :1]), torch.Generator().manual_seed(1))
    share = 1 - new_x[..., :1]
    torch.testing.assert_close(new_x, (1 - share).expand(-1, -1, 4))
    torch.testing.assert_close(new_y, 5 * share + 7 * (1 - share))
    assert float(share.mean()) == pytest.approx(0.5, abs=0.04)
    assert float(share.var()) == pytest.approx(1 / 8, abs=0.02), "that of Beta(1/2, 1/2)"
    again = mixed((x, 5 + x[..., :1]), (xq, 7 * xq[..., :1]), torch.Generator().manual_seed(1))
    assert torch.equal(again[0], new_x)


def test_what_is_mixed_is_one_example_with_its_own_target_and_chance_is_the_generator_s() -> None:
    """y = 10 x of every example, so of every mixture; a mixture of x with another's y would not lie on the line."""
    x, xq = torch.arange(5.0).view(1, 5, 1).repeat(2, 1, 1), torch.full((2, 400, 1), 100.0)
    new_x, new_y = mixed((x, 10 * x), (xq, 10 * xq), torch.Generator().manual_seed(1), sharpness=4.0)
    torch.testing.assert_close(new_y, 10 * new_x)
    share = (100 - new_x) / (100 - 2)  # of the support, whose mean is 2
    assert float(share.var()) == pytest.approx(1 / 36, abs=0.004), "that of Beta(4, 4)"
    again, other = (mixed((x, 10 * x), (xq, 10 * xq), torch.Generator().manual_seed(s), 4.0)[0] for s in (1, 2))
    assert torch.equal(again, new_x) and not torch.allclose(other, new_x)


def test_a_value_that_is_said_stays_as_a_word_of_its_own() -> None:
    record = Record((("what", Choice(("art", "sport"))),))
    example = Example(Prompt((), (), (("text", "Party and art and Art"),)), record, {"what": "art"})
    texts = {augmented(example, random.Random(seed), [recased]).prompt.part("text") for seed in range(9)}
    assert texts == {"party and art and art", "PARTY AND art AND ART"}
    bare = augmented(example, random.Random(0), [words_dropped(1.0)]).prompt.part("text")
    assert bare == "art"


def test_another_template_is_never_the_same_one() -> None:
    edit = rephrased(GROUPS)
    assert {edited("hello", [], edit, random.Random(seed))[0] for seed in range(20)} == {"good day"}
