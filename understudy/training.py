"""The recipe of the shipped backbone: tokenizer, pretraining with the role heads, meta-training of the start."""

from __future__ import annotations

import hashlib
import json
import platform
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from .agents.generators import GENERATORS, recalling
from .core import corpora as tasks
from .core.adaptation import abstention_threshold
from .core.backbone import Backbone
from .core.bank import HeadBank, HeadStack
from .core.decoding import Call, Decoder
from .core.heads import Head
from .core.meta.start import Start
from .core.meta.training import Episode, MetaRecipe, meta_train
from .core.pretraining import Pretraining, Progress, Recipe, Stream
from .core.prompts import Example
from .core.release import NANO, Shape, new_backbone, save
from .core.vocabulary import train_tokenizer

ROLES = ("planner", "coder", "qa", "recommender")
SHARES = {"planner": 0.22, "coder": 0.28, "qa": 0.24, "recommender": 0.06, "public tasks": 0.14, "recall": 0.3}


ABSTAINING = ("coder", "qa")
"""Roles whose answers are right or wrong as a whole, so that a confidence under which they abstain can be found."""


@dataclass(frozen=True)
class Preset:
    """A size and how its minutes are spent."""

    name: str
    shape: Shape
    pretraining: Recipe
    meta: MetaRecipe
    rank: int = 8


PRESETS = {
    "nano": Preset("nano", NANO, Recipe(minutes=45), MetaRecipe(minutes=8)),
}


def threshold(backbone: Backbone, head: Head, examples: int = 200, error: float = 0.2) -> float:
    """The least confidence at which at most ``error`` of the role's answers to generated examples were wrong."""
    bank = HeadBank(backbone.sites)
    bank.add(head)
    rng = random.Random(f"threshold:{head.name}")
    drawn = [GENERATORS[head.name](rng) for _ in range(examples)]
    replies = Decoder(backbone, bank).decode([Call(e.prompt, e.record, head.name) for e in drawn])
    right = [reply.values == dict(e.values) for reply, e in zip(replies, drawn, strict=True)]
    return abstention_threshold([reply.confidence for reply in replies], right, error)


def texts(example: Example) -> Iterator[str]:
    """All text of an example, for the tokenizer."""
    for passage in example.prompt.passages:
        yield from (" " + passage.title, " " + passage.text)
    for name, text in example.prompt.message:
        yield from (" " + name, " " + text)
    yield " " + example.prompt.role
    for name, value in example.values.items():
        yield " " + name
        if isinstance(value, str):
            yield " " + value


def tokenizer_texts(corpora: list[tasks.Corpus], each: int = 6000) -> Iterator[str]:
    """What the tokenizer learns from: generated role tasks and the public tasks, in the shares of training."""
    rng = random.Random(11)
    for name in ROLES:
        for _ in range(each):
            yield from texts(GENERATORS[name](rng))
    for _ in range(2 * each):
        yield from texts(tasks.sample(corpora, rng))


def streams(corpora: list[tasks.Corpus]) -> dict[str, Stream]:
    """One stream of examples for each shipped head, and the public tasks for the start of new ones."""
    found = {
        name: Stream(number, SHARES[name], GENERATORS[name]) for number, name in enumerate(ROLES)
    }
    found["public tasks"] = Stream(len(ROLES), SHARES["public tasks"], lambda rng: tasks.sample(corpora, rng))
    found["recall"] = Stream(len(ROLES), SHARES["recall"], recalling.example)
    return found


def episodes(corpora: list[tasks.Corpus]) -> Callable[[random.Random], Episode]:
    """Draws a task the way a user would give it: a few labels or one span, 6 to 12 demonstrations, and questions."""
    usable = [c for c in corpora if len(c.lines) >= 60 and not c.family.startswith("blimp")]
    families: dict[str, list[tasks.Corpus]] = {}
    for corpus in usable:
        families.setdefault(corpus.family, []).append(corpus)
    names = sorted(families)

    def draw(rng: random.Random) -> Episode:
        while True:
            corpus = rng.choice(families[rng.choice(names)])
            support, query = rng.randint(6, 12), 6
            found = tasks.episode(corpus, rng, support + query)
            if found is not None:
                return found[:support], found[support:]

    return draw


def train_backbone(
    preset: Preset,
    data: Path,
    out: Path,
    work: Path,
    *,
    on_pretraining: Callable[[Progress], None] | None = None,
    on_meta: Callable[[int, float, Any], None] | None = None,
    date: str = "",
) -> None:
    """Train from nothing into ``out`` (backbone folder and ``heads/`` in it); goes on where ``work`` left off.

    Raises:
        UnderstudyError: the data folder is not as docs/data.md says, or a loss is not finite.
    """
    began = time.time()
    corpora = tasks.read_corpora(data)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer_folder = work / "tokenizer"
    if (tokenizer_folder / "tokenizer.json").exists():
        from transformers import PreTrainedTokenizerFast

        tokenizer = PreTrainedTokenizerFast.from_pretrained(tokenizer_folder)
    else:
        tokenizer = train_tokenizer(tokenizer_texts(corpora), preset.shape.vocabulary)
        tokenizer.save_pretrained(tokenizer_folder)
    backbone = new_backbone(preset.shape, tokenizer, preset.name)
    heads = HeadStack.random(backbone.sites, len(ROLES) + 1, preset.rank)
    run = Pretraining(backbone, heads, streams(corpora), preset.pretraining, work)
    run.resume()
    progress = run.run(on_pretraining)
    finish(backbone, heads, progress, preset, corpora, out, on_meta=on_meta, date=date, began=began)


def finish(
    backbone: Backbone,
    heads: HeadStack,
    progress: Progress,
    preset: Preset,
    corpora: list[tasks.Corpus],
    out: Path,
    *,
    on_meta: Callable[[int, float, Any], None] | None,
    date: str,
    began: float,
) -> None:
    """Meta-train the start, and write backbone, heads and manifest."""
    trace: list[Any] = []

    def note(step: int, seconds: float, losses: Any) -> None:
        trace.append(losses)
        if on_meta:
            on_meta(step, seconds, losses)

    multitask = Start(heads.pick(len(ROLES)).tensors())
    start = meta_train(backbone, multitask, episodes(corpora), preset.meta, note)
    tail = trace[-max(1, len(trace) // 10) :]
    manifest = {
        "schema": "understudy/backbone/v1",
        "name": preset.name,
        "date": date,
        "recipe": {"pretraining": asdict(preset.pretraining), "meta": asdict(preset.meta), "shares": SHARES},
        "shape": asdict(preset.shape),
        "machine": f"{torch.get_num_threads()} CPU threads, {platform.machine()}, torch {torch.__version__}",
        "seconds": round(time.time() - began),
        "pretraining": asdict(progress),
        "meta": {
            "steps": len(trace),
            "query_loss_first": trace[0] if trace else None,
            "query_loss_last": [sum(c) / len(c) for c in zip(*tail, strict=True)] if tail else None,
        },
        "data": tasks.sources(corpora) + [{"task": "generated role tasks", "source": "understudy.agents.generators"}],
    }
    save(backbone, start, manifest, out)
    shipped = Backbone.load(str(out))
    about = {"name": preset.name, "digest": shipped.digest()}
    for number, name in enumerate(ROLES):
        one = heads.pick(number).tensors()
        stack = HeadStack.of_tensors({key: tensor.to(torch.bfloat16) for key, tensor in one.items()})
        head = Head.of_stack(name, stack, backbone=about)
        if name in ABSTAINING:
            head = replace(head, threshold=threshold(shipped, head))
        head.save(out / "heads" / name)
    digests = {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(out.rglob("*.safetensors"))
    }
    text = json.dumps({**manifest, "sha256": digests}, indent=1, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")
