"""Learning a role from a few demonstrations, and saying honestly how well."""

import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from understudy.core.abstention import abstention_threshold
from understudy.core.adaptation import Report, _same, adapt, adapt_many
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record, Span, SpanValue
from understudy.core.folds import Cohort, Layout, parts_of
from understudy.core.heads import Head
from understudy.core.intervals import wilson
from understudy.core.meta.start import Start
from understudy.core.prompts import Example, Prompt
from understudy.core.readout import ALONE
from understudy.core.teaching import teach
from understudy.core.trunk import upper_sites

RECORD = Record((("queue", Choice(("bug", "billing"))),))
FILLERS = ("the", "my")


def example(text: str, queue: str) -> Example:
    return Example(Prompt(message=(("text", text),)), RECORD, {"queue": queue})


def two_keywords(count: int) -> list[Example]:
    """A toy role that a word decides: charged is billing, crashes is a bug."""
    words = (("charged", "billing"), ("crashes", "bug"))
    return [example(f"{FILLERS[i // 2 % 2]} {words[i % 2][0]}", words[i % 2][1]) for i in range(count)]


@pytest.fixture(scope="module")
def plain(backbones: Callable[..., Backbone]) -> Start:
    """A start without learned rates: Adam moves it."""
    return Start.plain(backbones().sites, rank=4)


@pytest.fixture(scope="module")
def start(plain: Start) -> Start:
    """A start with rates that suit a backbone of random weights."""
    return Start(plain.tensors, {name: torch.tensor(0.3) for name in plain.tensors})


@pytest.fixture(scope="module")
def learned(backbones: Callable[..., Backbone], start: Start) -> tuple[Head, Report, list[tuple[int, int, float]]]:
    told: list[tuple[int, int, float]] = []
    head, report = adapt(
        backbones(), two_keywords(16), start, "triage", steps=24, folds=16, on_step=lambda *one: told.append(one)
    )
    return head, report, told


def test_a_toy_role_is_learned_better_than_chance(learned: tuple[Head, Report, Any]) -> None:
    _, report, _ = learned
    assert report.low > 0.5, report
    assert report.losses[report.steps] == min(report.losses) < 0.5 * report.losses[0]


def test_the_head_answers_as_it_was_shown(
    learned: tuple[Head, Report, Any], backbones: Callable[..., Backbone]
) -> None:
    head, _, _ = learned
    bank = HeadBank(backbones().sites)
    bank.add(head)
    examples = two_keywords(4)
    for name, share in (("triage", 1.0), ("", 0.5)):
        replies = Decoder(backbones(), bank).decode([Call(e.prompt, RECORD, name) for e in examples])
        assert sum(r.values == e.values for r, e in zip(replies, examples, strict=True)) / 4 == share
        assert all(reply.confidence > 0.8 for reply in replies) is bool(name)


def test_the_report_is_about_these_demonstrations(
    learned: tuple[Head, Report, Any], backbones: Callable[..., Backbone]
) -> None:
    head, report, told = learned
    assert (report.demonstrations, report.folds) == (16, 16)
    assert [step for step, _, _ in told] == list(range(len(report.losses)))
    assert [loss for _, _, loss in told] == list(report.losses) and all(of == 24 for _, of, _ in told)
    assert (report.low, report.high) == wilson(report.accuracy * 16, 16)
    assert head.report == report.document() and head.threshold == report.threshold
    assert head.backbone == {"name": "llama", "digest": backbones().digest()} and head.name == "triage"
    assert report.seconds > 0


def test_the_backbone_and_the_start_stay_as_they_were(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone(seed=4)
    start = Start.plain(backbone.sites, rank=2)
    weights = {name: p.clone() for name, p in backbone.model.named_parameters()}
    tensors = {name: t.clone() for name, t in start.tensors.items()}
    adapt(backbone, two_keywords(4), start, steps=2)
    assert all(torch.equal(weights[name], p) for name, p in backbone.model.named_parameters())
    assert all(torch.equal(tensors[name], t) for name, t in start.tensors.items())
    assert backbone.context.pairs is None


def test_each_fold_leaves_its_own_out(backbones: Callable[..., Backbone]) -> None:
    cohort = Cohort.of("triage", two_keywords(5), backbones(), 2)
    layout = Layout.of([cohort], 0)
    left_out = torch.zeros(3, 5, dtype=torch.bool)
    rows = layout.batch.row[layout.held]
    left_out[rows // 5, rows % 5] = True
    assert left_out.sum(0).tolist() == [1] * 5 and not left_out[2].any()
    assert sorted(left_out.sum(1).tolist()) == [0, 2, 3]
    assert left_out[0].tolist() not in ([True, False] * 2 + [True], [False, True] * 2 + [False]), "not in turns"
    assert not (layout.held & layout.learns).any() and (layout.held | layout.learns).all()


def turned(count: int) -> list[Example]:
    """The same words with the other answers."""
    return [
        replace(one, values={"queue": "bug" if one.values["queue"] == "billing" else "billing"})
        for one in two_keywords(count)
    ]


@pytest.mark.parametrize("tokens", [1, 60, 10_000])
def test_what_is_too_large_is_cut_between_heads_and_nothing_changes(
    backbones: Callable[..., Backbone], start: Start, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    cohorts = [Cohort.of("a", two_keywords(5), backbones(), 3), Cohort.of("b", turned(3), backbones(), 3)]
    parts = parts_of(cohorts, 0, tokens=tokens)
    assert [head for part in parts for head in part.heads] == [(n, f) for n in (0, 1) for f in range(4)]
    assert len(parts) == 8 if tokens == 1 else len(parts) > 1 if tokens == 60 else len(parts) == 1
    whole = teach(backbones(), cohorts, start, 3, precision=torch.float32)
    monkeypatch.setattr("understudy.core.teaching.parts_of", lambda cohorts, pad, activation: parts)
    cut = teach(backbones(), cohorts, start, 3, precision=torch.float32)
    for one, other in zip(whole.losses, cut.losses, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for first, second in zip(whole.heads, cut.heads, strict=True):
        for name, tensor in first.tensors().items():
            torch.testing.assert_close(second.tensors()[name], tensor, atol=1e-4, rtol=1e-4)


def test_without_folds_all_steps_are_taken(backbones: Callable[..., Backbone], start: Start) -> None:
    (stack,) = teach(backbones(), [Cohort.of("a", two_keywords(4), backbones(), 0)], start, 3).heads
    fewer, more = (teach(backbones(), [Cohort.of("a", two_keywords(4), backbones(), 0)], start, n) for n in (2, 3))
    site = next(iter(stack.up))
    torch.testing.assert_close(stack.up[site], more.heads[0].up[site])
    assert len(stack) == 1 and not torch.equal(stack.up[site], fewer.heads[0].up[site])


def test_many_roles_learn_in_one_batch_what_each_learns_alone(backbones: Callable[..., Backbone], start: Start) -> None:
    backbone = backbones()
    roles = {"straight": two_keywords(6), "turned": turned(9), "few": two_keywords(2)}
    settings: dict[str, Any] = {"steps": 3, "folds": 4, "readout": False}
    together = adapt_many(backbone, roles, start, **settings)
    assert list(together) == list(roles)
    for name, examples in roles.items():
        head, report = adapt(backbone, examples, start, name, **settings)
        other, alike = together[name]
        assert other.name == name and alike.folds == min(4, len(examples))
        assert alike.losses[: len(report.losses)] == pytest.approx(report.losses, rel=2e-2), "bf16 passes"
        for site, (down, up) in head.pairs.items():
            torch.testing.assert_close(other.pairs[site][0], down, atol=2e-2, rtol=2e-2)
            torch.testing.assert_close(other.pairs[site][1], up, atol=2e-2, rtol=2e-2)
    assert adapt_many(backbone, {}, start) == {}


def test_the_role_of_a_bad_demonstration_is_named_where_there_are_several(
    backbones: Callable[..., Backbone], start: Start
) -> None:
    with pytest.raises(UnderstudyError, match="turned, demonstration 2: field 'queue' cannot be 'else'"):
        roles = {"straight": two_keywords(4), "turned": [example("the", "bug"), example("the", "else")]}
        adapt_many(backbones(), roles, start)


def test_the_upper_layers_alone_can_learn(backbones: Callable[..., Backbone], start: Start) -> None:
    backbone = backbones()
    head, report = adapt(backbone, two_keywords(8), start, steps=12, layers="top", readout=False)
    assert set(head.pairs) == set(upper_sites(backbone)) < set(backbone.sites)
    assert report.losses[report.steps] < report.losses[0]
    bank = HeadBank(backbone.sites)
    bank.add(head)
    decoder = Decoder(backbone, bank)
    (bare,), (adapted,) = ([decoder.decode([Call(two_keywords(1)[0].prompt, RECORD, n)])[0]] for n in ("", "role"))
    assert bare.picks[0].probability != pytest.approx(adapted.picks[0].probability, abs=1e-3)


def test_an_activated_head_learns_and_leaves_what_comes_before_alone(
    backbones: Callable[..., Backbone], start: Start
) -> None:
    backbone = backbones()
    examples = [replace(e, prompt=replace(e.prompt, role="Sorts messages.")) for e in two_keywords(16)]
    head, report = adapt(backbone, examples, start, steps=24, folds=16, activation="marker", readout=False)
    assert head.activation == "marker" and head.invocation == backbone.markers.role
    assert report.losses[report.steps] < 0.9 * report.losses[0]


def test_the_readout_takes_part_where_left_out_demonstrations_say_so(
    backbones: Callable[..., Backbone], plain: Start
) -> None:
    """With no steps the language model knows nothing, and a linear rule on the words decides the role."""
    head, report = adapt(backbones(), two_keywords(16), plain, steps=0)
    alone, before = adapt(backbones(), two_keywords(16), plain, steps=0, readout=False)
    assert report.mix["queue"][1] > 0 and not before.mix and not alone.readouts
    assert report.accuracy > before.accuracy and report.accuracy > 0.9
    bank = HeadBank(backbones().sites)
    bank.add(head)
    replies = Decoder(backbones(), bank).decode([Call(e.prompt, RECORD, "role") for e in two_keywords(4)])
    assert [r.values for r in replies] == [dict(e.values) for e in two_keywords(4)]


def test_without_folds_nothing_is_left_out_and_nothing_is_claimed(
    backbones: Callable[..., Backbone], plain: Start
) -> None:
    head, report = adapt(backbones(), two_keywords(16), plain, steps=2, folds=0)
    assert report.steps == 2 and report.folds == 0 and head.threshold == 0
    assert math.isnan(report.accuracy) and report.document()["accuracy"] is None
    assert json.loads(json.dumps(report.document(), allow_nan=False))["losses"] == [None, None, None]
    assert head.readouts["queue"].mix == report.mix["queue"] == ALONE
    bank = HeadBank(backbones().sites)
    bank.add(head)
    replies = Decoder(backbones(), bank).decode([Call(e.prompt, RECORD, "role") for e in two_keywords(4)])
    assert [r.values for r in replies] == [dict(e.values) for e in two_keywords(4)]


def test_a_contradicting_demonstration_is_reported(backbones: Callable[..., Backbone], start: Start) -> None:
    examples = two_keywords(48)
    examples[6] = example("my charged", "bug")  # others with the very same words say billing
    _, report = adapt(backbones(), examples, start, steps=30, folds=8)
    assert report.disagree == (7,)
    assert report.accuracy == 47 / 48


def test_noise_is_reported_as_noise(backbones: Callable[..., Backbone], plain: Start) -> None:
    """Messages that all differ, with labels drawn at random: what can be learned by heart says nothing of new ones."""
    words = "charged crashes password euro the my application month capital number".split()
    accuracies = []
    for seed in range(5):
        rng = random.Random(seed)
        examples = [example(" ".join(rng.sample(words, 4)), ("bug", "billing")[n % 2]) for n in range(14)]
        _, report = adapt(backbones(), examples, plain, steps=6, folds=14)
        accuracies.append(report.accuracy)
        assert report.low < 0.5
    assert sum(accuracies) / 5 < 0.62, accuracies


def test_learned_rates_are_used_in_place_of_adam(backbones: Callable[..., Backbone], plain: Start) -> None:
    still = Start(plain.tensors, {name: torch.tensor(0.0) for name in plain.tensors})
    _, report = adapt(backbones(), two_keywords(4), still, steps=3)
    assert len(set(report.losses)) == 1 and report.steps == 0
    for moving in (plain, Start(plain.tensors, {name: torch.tensor(0.05) for name in plain.tensors})):
        _, report = adapt(backbones(), two_keywords(4), moving, steps=3)
        assert len(set(report.losses)) == 4


def test_spans_count_by_their_text_however_deep() -> None:
    first, second, other = SpanValue(0, 0, 4, "euro"), SpanValue(1, 5, 9, "euro"), SpanValue(0, 5, 9, "peso")
    wanted = {"it": first, "all": [{"one": first, "n": [1]}], "none": None}
    assert _same({"it": second, "all": [{"one": second, "n": [1]}], "none": None}, wanted)
    assert not _same({"it": second, "all": [{"one": other, "n": [1]}], "none": None}, wanted)
    assert not _same({"it": second, "all": [], "none": None}, wanted)
    assert not _same({"it": None, "all": [{"one": second, "n": [1]}], "none": None}, wanted)


# ---- what goes wrong


def test_two_demonstrations_are_the_least(backbones: Callable[..., Backbone], start: Start) -> None:
    for count in (0, 1):
        with pytest.raises(UnderstudyError, match=rf"{count} demonstration\(s\) given; give at least two"):
            adapt(backbones(), two_keywords(count), start)


def test_a_demonstration_that_does_not_fit_is_named(backbones: Callable[..., Backbone], start: Start) -> None:
    examples = two_keywords(4)
    with pytest.raises(UnderstudyError, match="demonstration 3: the prompt has .* tokens.*shorter"):
        adapt(backbones(), [*examples[:2], example("the " * 1100, "bug"), examples[3]], start)
    with pytest.raises(UnderstudyError, match="demonstration 2: field 'queue' cannot be 'else'; choose among bug"):
        adapt(backbones(), [examples[0], example("the", "else")], start)
    with pytest.raises(UnderstudyError, match="demonstration 1: .*no value for 'queue'"):
        adapt(backbones(), [replace(examples[0], values={}), *examples], start)


def test_an_answer_beyond_the_context_is_named(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone("gpt2", context=112)
    record = Record(tuple((f"line {i}", Span(part="text")) for i in range(12)))
    text = "I was charged twice this month."
    long = Example(
        Prompt(message=(("text", text),)), record, {f"line {i}": SpanValue(0, 0, 31, text) for i in range(12)}
    )
    with pytest.raises(UnderstudyError, match="demonstration 2: message and answer have .* tokens.*reads 112"):
        adapt(backbone, [*two_keywords(1), long], Start.plain(backbone.sites))


def test_a_loss_that_is_not_finite_names_its_demonstration(new_backbone: Callable[..., Backbone], start: Start) -> None:
    backbone = new_backbone()
    examples = [*two_keywords(3), example("the Lima", "bug")]
    word, *_ = set(backbone.encode("Lima")) - {i for e in examples[:3] for i in backbone.encode(e.prompt.part("text"))}
    with torch.no_grad():  # a backbone that knows no such word: what it reads there is not a number
        backbone.model.get_input_embeddings().weight[word] = float("nan")
        backbone.model.lm_head.weight = torch.nn.Parameter(torch.ones(len(backbone.tokenizer), 32), requires_grad=False)
    with pytest.raises(
        UnderstudyError, match="demonstration 4: the loss of the demonstration is not finite .at step 0"
    ):
        adapt(backbone, examples, start)


def test_rates_that_are_too_high_are_said_to_be(backbones: Callable[..., Backbone], start: Start) -> None:
    wild = Start(start.tensors, {name: torch.tensor(1e30) for name in start.tensors})
    with pytest.raises(UnderstudyError, match=r"demonstration \d: .*not finite \(at step [1-9].*rates"):
        adapt(backbones(), two_keywords(4), wild)


def test_nothing_to_decide_is_nothing_to_learn(backbones: Callable[..., Backbone], start: Start) -> None:
    only = replace(example("the", "x"), record=Record((("queue", Choice(("x",))),)))
    with pytest.raises(UnderstudyError, match="nothing to decide"):
        adapt(backbones(), [only, only], start)


# ---- figures


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    # 9 of 10: Brown, Cai, DasGupta (2001) give the formula; 15 of 50: (0.191, 0.438), a textbook's example.
    [(9, 10, 0.5958, 0.9821), (15, 50, 0.1910, 0.4375), (0, 8, 0.0, 0.3244), (8, 8, 0.6756, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_gives_known_values(right: int, total: int, low: float, high: float) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-4)


@pytest.mark.parametrize(
    ("confidences", "right", "threshold"),
    [
        ([0.9, 0.8, 0.7], [True, True, True], 0.0),
        ([0.9, 0.8, 0.3], [True, True, False], 0.8),
        ([0.9, 0.8, 0.3, 0.2], [True, False, True, False], 0.9),
        ([0.5] * 10, [True] * 9 + [False], 0.0),
        ([0.9, 0.2], [False, True], 0.9 + 1e-6),
        ([1.0], [False], 1.0),
    ],
)
def test_the_threshold_is_the_least_that_keeps_the_error(
    confidences: list[float], right: list[bool], threshold: float
) -> None:
    found = abstention_threshold(confidences, right)
    assert found == pytest.approx(threshold)
    answered = [ok for c, ok in zip(confidences, right, strict=True) if c >= found]
    assert confidences == [1.0] or not answered or answered.count(False) <= 0.1 * len(answered)
