"""The recipe on a toy stream: it learns, it stops and goes on bit by bit, and leaves a plain model behind."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.attention import KERNEL
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.packing import Packed
from understudy.core.pretraining import Pretraining, Progress, Recipe, rate
from understudy.core.prompts import Example, Prompt
from understudy.core.streams import Stream

RECORD = Record((("queue", Choice(("bug", "billing"))),))
WORDS = {"charged": "billing", "crashes": "bug", "password": "bug", "euro": "billing"}
RECIPE = Recipe(minutes=1.0, rows_tokens=240, text_share=0.2, warmup=0.0, head_rate=1e-2)


def draw(rng: random.Random) -> Example:
    word, queue = rng.choice(sorted(WORDS.items()))
    return Example(Prompt(message=(("text", f"{rng.choice(['the', 'my', 'a'])} {word}"),)), RECORD, {"queue": queue})


def turned(rng: random.Random) -> Example:
    """The same messages, the other way round: only its own head can tell."""
    example = draw(rng)
    return Example(example.prompt, RECORD, {"queue": "bug" if example.values["queue"] == "billing" else "billing"})


STREAMS = {"straight": Stream(0, 0.6, draw), "turned": Stream(1, 0.4, turned)}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every question takes a tenth of a second, so that a run is the same every time."""

    def ticks() -> Iterator[float]:
        now = 0.0
        while True:
            yield (now := now + 0.125)

    running = ticks()
    monkeypatch.setattr("understudy.core.pretraining.time.perf_counter", lambda: next(running))


@pytest.fixture
def run(new_backbone: Callable[..., Backbone], tmp_path: Path) -> Callable[..., Pretraining]:
    def make(folder: str = "run", recipe: Recipe = RECIPE, seed: int = 0) -> Pretraining:
        backbone = new_backbone(seed=seed)
        heads = HeadStack.random(backbone.sites, 2, 2, seed=seed)
        return Pretraining(backbone, heads, STREAMS, recipe, tmp_path / folder)

    return make


def state(run: Pretraining) -> dict[str, Tensor]:
    """Everything that decides how the run goes on."""
    found = run.masters.tensors()
    found.update({f"live|{name}": p.detach().clone() for name, p in run.masters.live.items()})
    return found


def same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert tensor.dtype == other[name].dtype and torch.equal(tensor, other[name]), name


@pytest.mark.usefixtures("clock")
def test_the_loss_falls_and_each_head_learns_its_own_stream(run: Callable[..., Pretraining]) -> None:
    told: list[float] = []
    pretraining = run(recipe=Recipe(**{**vars(RECIPE), "minutes": 0.5}))
    progress = pretraining.run(lambda standing: told.append(standing.loss))
    assert progress.step > 60 and progress.seconds >= 30 and progress.tokens > 100 * progress.step
    assert told[-1] < 0.6 * told[0]
    assert min(progress.right.values()) > 0.8, "no single head could say both"
    model = pretraining.backbone.model
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert model.config._attn_implementation == KERNEL


@pytest.mark.usefixtures("clock")
def test_text_is_read_before_anything_else(new_backbone: Callable[..., Backbone], tmp_path: Path) -> None:
    backbone = new_backbone(context=160)
    before = {name: p.clone() for name, p in backbone.model.named_parameters()}
    said = "the first word and the second word and the third word " * 4
    text = Packed(torch.tensor(backbone.encode(said), dtype=torch.int32))
    recipe = replace(RECIPE, minutes=0.2, text_until=1.0, text_rows=4)
    heads = HeadStack.random(backbone.sites, 2, 2)
    kept = {name: tensor.clone() for name, tensor in heads.tensors().items()}
    told: list[float] = []
    run = Pretraining(backbone, heads, STREAMS, recipe, tmp_path, text=text)
    progress = run.run(lambda standing: told.append(standing.loss))
    assert told[-1] < 0.8 * told[0], "what is said again and again is soon known"
    assert progress.tokens == progress.step * 4 * backbone.max_tokens and not progress.right
    assert any(not torch.equal(p, before[name]) for name, p in backbone.model.named_parameters())
    assert all(torch.equal(kept[name], tensor) for name, tensor in run.heads.tensors().items()), "no head took part"


class Stopped(Exception):
    """The machine went down."""


@pytest.mark.usefixtures("clock")
def test_a_run_that_was_stopped_goes_on_bit_by_bit(run: Callable[..., Pretraining]) -> None:
    recipe = Recipe(**{**vars(RECIPE), "minutes": 0.1})
    whole = run("whole", recipe)
    whole.run()

    stopped, kept = run("stopped", recipe), {}

    def stop(progress: Progress) -> None:
        if progress.step >= 8:
            stopped.save()
            kept.update(state(stopped))
            raise Stopped

    with pytest.raises(Stopped):
        stopped.run(stop)
    resumed = run("stopped", recipe, seed=9)  # other weights: all of them must come from the checkpoint
    assert resumed.resume()
    same_bits(state(resumed), kept)
    assert repr(resumed.progress) == repr(stopped.progress) and resumed.progress.step >= 8
    resumed.run()
    assert resumed.progress.step == whole.progress.step > 10
    assert resumed.progress.seconds == whole.progress.seconds
    same_bits(state(resumed), state(whole))
    assert sorted(file.name for file in resumed.folder.iterdir()) == ["checkpoint.safetensors"]


@pytest.mark.usefixtures("clock")
def test_a_run_that_is_done_only_comes_back(run: Callable[..., Pretraining]) -> None:
    recipe = Recipe(**{**vars(RECIPE), "minutes": 0.02})
    assert not run("fresh", recipe).resume()
    first = run("one", recipe)
    first.run()
    again = run("one", recipe, seed=3)
    assert again.resume()
    assert again.run().step == first.progress.step
    for name, p in again.backbone.model.named_parameters():
        assert torch.equal(p, dict(first.backbone.model.named_parameters())[name])


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    run: Callable[..., Pretraining], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretraining = run()
    pretraining.save()
    before = (pretraining.folder / "checkpoint.safetensors").read_bytes()

    def half(tensors: object, file: Path, metadata: object) -> None:
        file.write_bytes(b"half of it")
        raise Stopped

    monkeypatch.setattr("understudy.core.pretraining.save_file", half)
    with pytest.raises(Stopped):
        pretraining.save()
    assert (pretraining.folder / "checkpoint.safetensors").read_bytes() == before
    assert run(seed=5).resume()


def test_a_broken_checkpoint_is_named(run: Callable[..., Pretraining]) -> None:
    pretraining = run()
    pretraining.save()
    file = pretraining.folder / "checkpoint.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UnderstudyError, match="checkpoint.safetensors: the checkpoint cannot be read"):
        run().resume()


def test_a_checkpoint_of_another_shape_is_named(
    run: Callable[..., Pretraining], new_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    run().save()
    other = new_backbone("gpt2")
    heads = HeadStack.random(other.sites, 2, 2)
    with pytest.raises(UnderstudyError, match="another backbone"):
        Pretraining(other, heads, STREAMS, RECIPE, tmp_path / "run").resume()


def test_a_loss_that_is_not_finite_stops_the_run(run: Callable[..., Pretraining]) -> None:
    pretraining = run()
    with torch.no_grad():
        next(iter(pretraining.masters.live.values())).fill_(float("nan"))
    with pytest.raises(UnderstudyError, match="step 0: the loss is not finite; lower the rates"):
        pretraining.run()


def test_the_rate_warms_up_holds_and_falls() -> None:
    recipe = Recipe(warmup=0.1, decay=0.4)
    assert [rate(recipe, at) for at in (0.0, 0.05, 0.1, 0.6)] == pytest.approx([0.05, 0.5, 1, 1])
    assert [rate(recipe, at) for at in (0.8, 0.9, 1.0)] == pytest.approx([0.5, 0.25, 0.02])
