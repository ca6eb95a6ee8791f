"""Meta-training: the stacked loss is each task's own, and the start gets better at learning a kind of task."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack
from understudy.core.batches import collate
from understudy.core.demonstrations import render
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.meta.training import Episode, MetaRecipe, meta_train, right_rows, stacked_loss
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites

WORDS = ("charged", "crashes", "password", "Lima", "euro", "France")
RECORD = Record((("queue", Choice(("bug", "billing"))),))


def example(word: str, queue: str) -> Example:
    return Example(Prompt(message=(("text", f"the {word} again"),)), RECORD, {"queue": queue})


def draw(rng: random.Random) -> Episode:
    """Two words, and which queue each belongs to: only the demonstrations say it."""
    queues = dict(zip(rng.sample(WORDS, 2), ("bug", "billing"), strict=True))
    both = [example(word, queue) for word, queue in queues.items()]
    return both * 2, both


def test_each_task_has_its_own_loss(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    sides = [[example("euro", "bug")], [example("Lima", "billing"), example("France", "bug")]]
    batch = collate([render(e, backbone) for side in sides for e in side], backbone.markers.pad)
    flat = HeadStack.random(backbone.sites, 2, 2, seed=3).tensors()
    flat = {name: tensor + 0.1 for name, tensor in flat.items()}
    together = stacked_loss(backbone, batch, torch.tensor([0, 1, 1]), 2)(flat)
    for number, side in enumerate(sides):
        alone = collate([render(e, backbone) for e in side], backbone.markers.pad)
        one = {name: tensor[number : number + 1] for name, tensor in flat.items()}
        expected = stacked_loss(backbone, alone, torch.zeros(len(side), dtype=torch.long), 1)(one)
        assert float(together[number]) == pytest.approx(float(expected), rel=0.03)  # passes run in bf16
    assert abs(float(together[0] - together[1])) > 0.1


@pytest.mark.parametrize("at_once", [1, 3])
def test_memory_does_not_grow_with_the_tasks_and_the_steps_are_the_same(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    backbone = new_backbone()
    held: list[int] = []

    def counted(*args: Any) -> Callable[[Any], torch.Tensor]:
        held.append(args[3])
        return stacked_loss(*args)

    monkeypatch.setattr("understudy.core.meta.training.stacked_loss", counted)
    starts = []
    for together in (5, at_once):
        clock = iter(range(10**6))
        monkeypatch.setattr("understudy.core.meta.training.time.perf_counter", lambda ticks=clock: float(next(ticks)))
        recipe = MetaRecipe(minutes=0.05, tasks=5, at_once=together, steps=2, outer_rate=1e-2)
        starts.append(meta_train(backbone, Start.plain(backbone.sites, rank=2), draw, recipe))
    assert max(held[4:]) == at_once and held[:4] == [5] * 4
    for name, tensor in starts[0].tensors.items():
        torch.testing.assert_close(tensor, starts[1].tensors[name], atol=3e-3, rtol=0)  # passes run in bf16
    before = Start.plain(backbone.sites, rank=2).tensors
    assert any(float((starts[0].tensors[name] - before[name]).abs().max()) > 0.01 for name in starts[0].tensors)


def test_the_trunk_below_the_heads_changes_no_loss(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone()
    batch = collate([render(example(w, "bug"), backbone) for w in ("euro", "Lima", "France")], backbone.markers.pad)
    start = Start.plain(backbone.sites, rank=2).on(upper_sites(backbone))
    flat = {name: (tensor + 0.1).repeat(3, 1, 1) for name, tensor in start.tensors.items()}
    task = torch.tensor([0, 1, 2])
    whole = stacked_loss(backbone, batch, task, 3)(flat)
    cached = stacked_loss(backbone, batch, task, 3, tuple(start.stack().down))(flat)
    torch.testing.assert_close(whole, cached, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("layers", ["top", "all"])
def test_rows_that_are_taken_in_turn_give_the_same_gradient(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch, layers: str
) -> None:
    backbone = new_backbone()
    some = [example(w, "bug" if n % 2 else "billing") for n, w in enumerate(WORDS)]
    batch = collate([render(one, backbone) for one in some], backbone.markers.pad)
    start = Start.plain(backbone.sites, rank=2)
    sites = upper_sites(backbone) if layers == "top" else ()
    start = start.on(sites) if sites else start
    task = torch.tensor([0, 0, 1, 1, 1, 0])
    found = []
    for rows in (0, 2, 4):
        flat = {name: (tensor + 0.1).repeat(2, 1, 1).requires_grad_(True) for name, tensor in start.tensors.items()}
        losses = stacked_loss(backbone, batch, task, 2, sites, rows)(flat)
        gradients = torch.autograd.grad(losses.sum(), list(flat.values()))
        found.append((losses.detach(), torch.cat([g.flatten() for g in gradients])))
    for losses, gradient in found[1:]:
        torch.testing.assert_close(losses, found[0][0], atol=0.02, rtol=0.02)  # passes run in bf16
        assert float(torch.nn.functional.cosine_similarity(gradient, found[0][1], dim=0)) > 0.999

    held: list[int] = []
    hidden = Backbone.hidden

    def counted(self: Backbone, ids: torch.Tensor, **more: Any) -> torch.Tensor:
        held.append(len(ids))
        return hidden(self, ids, **more)

    monkeypatch.setattr(Backbone, "hidden", counted)
    whole = Start.plain(backbone.sites, rank=2).tensors
    flat = {name: (tensor + 0.1).repeat(2, 1, 1) for name, tensor in whole.items()}
    stacked_loss(backbone, batch, task, 2, (), 2)(flat)
    assert held == [2, 2, 2]


def test_only_the_layers_that_adaptation_teaches_are_learned(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = new_backbone()
    for layers, sites in (("top", set(upper_sites(backbone))), ("all", set(backbone.sites))):
        clock = iter(range(10**6))
        monkeypatch.setattr("understudy.core.meta.training.time.perf_counter", lambda ticks=clock: float(next(ticks)))
        recipe = MetaRecipe(minutes=0.03, tasks=2, steps=1, layers=layers)
        start = meta_train(backbone, Start.plain(backbone.sites, rank=2), draw, recipe)
        assert {name.rsplit("|", 1)[0] for name in start.tensors} == sites


def test_a_row_is_right_when_all_its_decisions_are(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    both = [example("euro", "bug"), example("euro", "billing")]
    batch = collate([render(e, backbone) for e in both], backbone.markers.pad)
    pairs = Start.plain(backbone.sites).stack().gather(torch.tensor([0, 0]))
    assert sorted(right_rows(backbone, batch, pairs).tolist()) == [False, True]


def test_the_start_learns_to_learn(new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = new_backbone()
    clock = iter(range(10**6))
    monkeypatch.setattr("understudy.core.meta.training.time.perf_counter", lambda: float(next(clock)))
    last: list[float] = []
    before = {name: p.clone() for name, p in backbone.model.named_parameters()}

    def note(step: int, seconds: float, losses: object) -> None:
        assert isinstance(losses, list) and len(losses) == 2
        last.append(losses[-1])

    recipe = MetaRecipe(minutes=0.7, tasks=4, steps=2, outer_rate=1e-2, rates_rate=0.1)
    start = meta_train(backbone, Start.plain(backbone.sites, rank=2), draw, recipe, note)
    assert len(last) == 41, "a step for each second of the clock"
    assert sum(last[-8:]) < 0.8 * sum(last[:8])
    assert start.rates is not None and start.rates.keys() == start.tensors.keys()
    assert len({round(float(rate), 6) for rate in start.rates.values()}) > 1
    assert not any(tensor.requires_grad for tensor in (*start.tensors.values(), *start.rates.values()))
    assert all(torch.equal(before[name], p) for name, p in backbone.model.named_parameters()), "the backbone is frozen"


def test_a_loss_that_is_not_finite_stops_it(backbones: Callable[..., Backbone]) -> None:
    plain = Start.plain(backbones().sites, rank=2)
    broken = Start({name: tensor * float("nan") for name, tensor in plain.tensors.items()})
    with pytest.raises(UnderstudyError, match="meta step 0: the outer loss is not finite"):
        meta_train(backbones(), broken, draw, MetaRecipe(minutes=1, tasks=2, steps=1))


def steps_of(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, seconds: int = 4, **settings: Any
) -> tuple[Start, list[float]]:
    """The start after so many steps, and the last query loss of each."""
    clock = iter(range(10**6))
    monkeypatch.setattr("understudy.core.meta.training.time.perf_counter", lambda: float(next(clock)))
    seen: list[float] = []
    watch = settings.pop("watch", None)
    recipe = MetaRecipe(minutes=seconds / 60, tasks=2, steps=2, outer_rate=1e-2, **settings)
    plain = Start.plain(backbone.sites, rank=2)
    return meta_train(backbone, plain, draw, recipe, lambda step, at, losses: seen.append(losses[-1]), watch), seen


@pytest.mark.parametrize("part", [{"augment": 1.0}, {"dropout": 0.5}, {"attack": 0.5}])
def test_the_trainer_takes_the_small_parts(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch, part: dict[str, float]
) -> None:
    backbone = new_backbone()
    plain, losses = steps_of(backbone, monkeypatch)
    same, again = steps_of(backbone, monkeypatch)
    assert losses == again and all(torch.equal(plain.tensors[name], t) for name, t in same.tensors.items())
    other, changed = steps_of(backbone, monkeypatch, **part)
    assert len(changed) == len(losses) and changed[0] != losses[0], "another loss from the first step on"
    assert any(not torch.equal(plain.tensors[name], t) for name, t in other.tensors.items())
    if "attack" in part:
        assert changed[0] > losses[0], "what is attacked is worse"


def test_it_stops_when_what_is_watched_no_longer_falls_and_gives_the_best(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = new_backbone()
    looked: list[Start] = []
    told = iter([3.0, 1.0, 2.0, 2.0, 0.0])

    def watch(start: Start) -> float:
        looked.append(Start({name: t.clone() for name, t in start.tensors.items()}, dict(start.rates or {})))
        return next(told)

    start, losses = steps_of(backbone, monkeypatch, seconds=40, watch=watch, patience=2, look=3)
    assert len(looked) == 4 and len(losses) == 12, "two looks without a gain end it"
    assert all(torch.equal(start.tensors[name], t) for name, t in looked[1].tensors.items())
    assert start.rates is not None and looked[1].rates is not None
    assert all(float(start.rates[name]) == pytest.approx(float(rate)) for name, rate in looked[1].rates.items())
    assert any(not torch.equal(start.tensors[name], t) for name, t in looked[3].tensors.items())
    with pytest.raises(UnderstudyError, match="patience needs tasks to watch"):
        steps_of(backbone, monkeypatch, patience=2)


def test_tasks_of_heads_that_cannot_be_are_refused(backbones: Callable[..., Backbone]) -> None:
    backbone, sides = backbones(), draw(random.Random(0))
    for episodes, sites, said in (
        ([], (), "there are no tasks"),
        ([sides, ([], sides[1])], (), "task 1 shows nothing"),
        ([(sides[0], [])], (), "task 0 asks nothing"),
        ([(sides[0], ["a text"])], (), "task 0 asks what is no Example; give Role.examples"),
        ([sides], ("nowhere",), "has no site 'nowhere'; give upper_sites"),
    ):
        with pytest.raises(UnderstudyError, match=said):
            head_tasks(backbone, episodes, sites)
    whole, upper = Start.plain(backbone.sites, rank=2), upper_sites(backbone)
    tasks = head_tasks(backbone, [sides], upper)
    with pytest.raises(UnderstudyError, match="the heads have sites beside those that the tasks were made for"):
        tasks.query(whole.tensors)
    moved = {name: tensor + 0.1 for name, tensor in whole.on(upper).tensors.items()}
    without = head_tasks(backbone, [sides]).query(moved)
    torch.testing.assert_close(tasks.query(moved), without, atol=0, rtol=0.03)  # passes may run in bf16


def test_tasks_of_heads_may_have_different_numbers_of_examples(backbones: Callable[..., Backbone]) -> None:
    backbone, first, second = backbones(), draw(random.Random(0)), draw(random.Random(1))
    uneven = [(first[0], first[1]), (second[0][:3], second[1][:1])]
    begun = Start.plain(backbone.sites, rank=2).tensors
    tensors = {name: tensor.repeat(2, 1, 1) + 0.1 for name, tensor in begun.items()}
    together = head_tasks(backbone, uneven).support(tensors)
    for number, episode in enumerate(uneven):
        alone = head_tasks(backbone, [episode]).support({name: tensor[:1] for name, tensor in tensors.items()})
        assert float(together[number]) == pytest.approx(float(alone[0]), rel=0.03)
