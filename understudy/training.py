"""The recipe of the shipped backbone: tokenizer, pretraining with the role heads, meta-training of the start."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from .agents import gatherer
from .agents.generators import GENERATORS
from .agents.marginal import marginal
from .board import Board
from .core import corpora as tasks
from .core.abstention import abstention_threshold
from .core.backbone import Backbone
from .core.bank import HeadBank, HeadStack
from .core.decoding import Call, Decoder
from .core.distillation import Teacher
from .core.errors import UnderstudyError
from .core.fields import Record, SpanValue
from .core.heads import Head
from .core.meta.start import Start
from .core.meta.training import MetaRecipe, meta_train
from .core.packing import Packed
from .core.pretraining import Pretraining, Progress, Recipe
from .core.prompts import Example, Prompt
from .core.release import NANO, SMALL, Shape, new_backbone, save
from .core.texts import read_documents, read_sentences, teacher_source, text_sources
from .core.variations import variations
from .core.vocabulary import train_tokenizer
from .mixture import ROLES, SHARES, episodes, self_supervised, streams, tokenizer_texts
from .origin import MULTITASK, Origin
from .teacher_vectors import lessons

SENTENCES = 300_000
OF_TASKS = 0.35
VARIATIONS = 170_000
"""How many texts a teacher reads: sentences as they stand, and made ones; the words of its vocabulary beside them."""

ABSTAINING = ("coder", "qa")
"""Roles whose answers are right or wrong as a whole, so that a confidence under which they abstain can be found."""

WRONG = 0.15
"""Of what a shipped role answers to generated examples, the share that may be wrong."""
ABOUT_THRESHOLD = (
    f"the least confidence at which at most {100 * WRONG:.0f} % of 400 generated examples answered were wrong"
)


@dataclass(frozen=True)
class Preset:
    """A size and how its minutes are spent."""

    name: str
    shape: Shape
    pretraining: Recipe
    meta: MetaRecipe
    continued: Recipe
    rank: int = 8


PRESETS = {
    "nano": Preset(
        "nano", NANO, Recipe(minutes=48), MetaRecipe(minutes=6),
        # A backbone that reads already: five times the sentences for half the role tasks.
        continued=Recipe(
            minutes=60, rows_tokens=2560, lesson_rows=512, lessons_until=1.0, matrix_rate=6e-3, other_rate=1e-3,
            head_rate=1e-3, text_weight=0.15, warmup=0.01, decay=0.75, heads_alone=0.1,
        ),
    ),
    # One GPU, 16 minutes in all; a quarter of it reads text. Not run yet: no GPU has been at hand.
    "small": Preset(
        "small", SMALL,
        Recipe(
            minutes=13, rows_tokens=16_384, lesson_rows=1024, text_until=0.25, lessons_until=0.9, warmup=0.01,
            heads_alone=0.08,
        ),
        MetaRecipe(minutes=2.5, tasks=16, at_once=16),
        continued=Recipe(
            minutes=13, rows_tokens=16_384, lesson_rows=2048, lessons_until=1.0, matrix_rate=6e-3, other_rate=1e-3,
            head_rate=1e-3, text_weight=0.15, warmup=0.01, decay=0.75, heads_alone=0.08,
        ),
    ),
}  # fmt: skip


def threshold(backbone: Backbone, head: Head, examples: int = 400, error: float = WRONG) -> float:
    """The least confidence at which at most ``error`` of the role's answers to generated examples were wrong."""
    bank = HeadBank(backbone.sites)
    bank.add(head)
    rng = random.Random(f"threshold:{head.name}")
    drawn = [GENERATORS[head.name](rng) for _ in range(examples)]
    decoder = Decoder(backbone, bank)
    if head.name == "qa":
        with ThreadPoolExecutor(1) as apart:  # whoever trains may have a loop of his own running
            found = apart.submit(asyncio.run, _read(decoder, drawn)).result()
    else:
        replies = decoder.decode([Call(e.prompt, e.record, head.name) for e in drawn])
        found = [(reply.values, reply.confidence) for reply in replies]
    right = [_told(values) == _told(e.values) for (values, _), e in zip(found, drawn, strict=True)]
    return abstention_threshold([confidence for _, confidence in found], right, error)


async def _read(decoder: Decoder, drawn: Sequence[Example]) -> list[tuple[dict[str, Any], float]]:
    """The reader's answers and how sure it is of each, summed over passages; those that read alike are the same."""

    async def ask(prompt: Prompt, record: Record) -> gatherer.Reply:
        return await gatherer.ask(decoder, gatherer.Call(prompt, record, "qa"))

    read = (marginal(ask, e.prompt, e.record, lambda span: span.text.casefold()) for e in drawn)
    return [({"answer": span}, confidence) for span, confidence in await asyncio.gather(*read)]


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are compared: spans by their text, wherever it stands, and without text they say nothing."""
    return {name: one.text.casefold() or None if isinstance(one, SpanValue) else one for name, one in values.items()}


def train_backbone(
    preset: Preset,
    data: Path,
    out: Path,
    work: Path,
    *,
    teacher: Path | None = None,
    origin: str | None = None,
    on_teacher: Callable[[int, int], None] | None = None,
    on_pretraining: Callable[[Progress], None] | None = None,
    on_meta: Callable[[int, float, Any], None] | None = None,
    date: str = "",
    device: str = "cpu",
) -> None:
    """Train into ``out`` (backbone folder and ``heads/`` in it); goes on where ``work`` left off.

    Args:
        teacher: folder of a sentence encoder to distil from; without one words begin at random.
        origin: a trained backbone (``default`` or a folder) to begin with, with the preset's recipe for such a one.

    Raises:
        UnderstudyError: the data folder is not as docs/data.md says, the origin is broken, or a loss is not finite.
    """
    began = time.time()
    before = Origin.load(origin, ROLES, preset.rank) if origin else None
    if before:
        preset = replace(preset, pretraining=preset.continued)
    corpora = tasks.read_corpora(data)
    sentences = read_sentences(data, SENTENCES, of_tasks=OF_TASKS)
    work.mkdir(parents=True, exist_ok=True)
    begun_as = {"preset": preset.name, "from": before.backbone.digest() if before else None}
    same_training(work / "training.json", begun_as, "resume with the same --preset and --from")
    tokenizer = before.backbone.tokenizer if before else _tokenizer(preset, corpora, sentences, work / "tokenizer")
    taught, words = None, None
    if teacher is not None:
        file = work / "lessons.safetensors"
        told = on_teacher or (lambda done, of: None)
        student = before.backbone if before else None
        known = Teacher.load(teacher).words()
        made = variations(sentences, known, VARIATIONS)
        read = list(dict.fromkeys([*sentences, *made, *known]))
        taught, words = lessons(teacher, read, tokenizer, preset.shape.width, file, told, student)
    if before:
        backbone, heads = before.backbone, before.heads
    else:
        backbone = new_backbone(preset.shape, tokenizer, preset.name, words=words)
        heads = HeadStack.random(backbone.sites, len(ROLES) + 1, preset.rank)
    every = self_supervised(corpora, sentences)
    reads = preset.pretraining.text_until > 0
    text = Packed.kept(read_documents(data), tokenizer, work / "text.safetensors") if reads else None
    run = Pretraining(
        backbone, heads, streams(every, sentences, data), preset.pretraining, work, taught, text, device
    )
    run.resume()
    board = Board(work / "tensorboard")

    def note(standing: Progress) -> None:
        board.pretraining(standing)
        if on_pretraining:
            on_pretraining(standing)

    def note_meta(step: int, seconds: float, losses: Any) -> None:
        board.meta(step, losses)
        if on_meta:
            on_meta(step, seconds, losses)

    progress = run.run(note)
    sources = tasks.sources(corpora) + text_sources(data, reads) + ([teacher_source(teacher)] if teacher else [])
    sources.append({"task": "generated role tasks", "source": "understudy.agents.generators"})
    history = before.history() if before else []
    sources = [*(before.manifest.get("data", []) if before else []), *sources]
    sources = list({json.dumps(source, sort_keys=True): source for source in sources}.values())
    finish(backbone, run.heads, progress, preset, every, sources, out, history=history, on_meta=note_meta, date=date,
           began=began, device=device)  # fmt: skip
    board.close()


def same_training(file: Path, about: dict[str, Any], mend: str) -> None:
    """Note in ``file`` what is trained in its folder.

    Raises UnderstudyError where the folder is of another training, to be mended by ``mend``, or the note is broken.
    """
    if not file.exists():
        file.write_text(json.dumps(about), encoding="utf-8")
        return
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = f"it cannot be read what is trained here ({error})"
        raise UnderstudyError(what, where=str(file), mend="give another --work, or remove this one") from None
    if noted != about:
        what = f"this is the folder of another training: {noted}, not {about}"
        raise UnderstudyError(what, where=str(file.parent), mend=mend)


def _machine(device: str) -> str:
    on = f", {torch.cuda.get_device_name()}" if device.startswith("cuda") else ""
    return f"{torch.get_num_threads()} CPU threads{on}, {platform.machine()}, torch {torch.__version__}"


def _tokenizer(preset: Preset, corpora: list[tasks.Corpus], sentences: list[str], folder: Path) -> Any:
    """The tokenizer of a new backbone, trained once and kept in ``folder``."""
    if (folder / "tokenizer.json").exists():
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer = train_tokenizer(tokenizer_texts(corpora, sentences), preset.shape.vocabulary)
    tokenizer.save_pretrained(folder)
    return tokenizer


def finish(
    backbone: Backbone,
    heads: HeadStack,
    progress: Progress,
    preset: Preset,
    corpora: list[tasks.Corpus],
    sources: list[dict[str, Any]],
    out: Path,
    *,
    history: list[dict[str, Any]],
    on_meta: Callable[[int, float, Any], None] | None,
    date: str,
    began: float,
    device: str,
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
        "machine": _machine(device),
        "seconds": round(time.time() - began),
        "pretraining": {name: None if value != value else value for name, value in asdict(progress).items()},
        "meta": {
            "steps": len(trace),
            "query_loss_first": trace[0] if trace else None,
            "query_loss_last": [sum(c) / len(c) for c in zip(*tail, strict=True)] if tail else None,
        },
        "before": history,
        "data": sources,
    }
    save(backbone, start, manifest, out)
    multitask.save(out / MULTITASK)
    shipped = Backbone.load(str(out))
    about = {"name": preset.name, "digest": shipped.digest()}
    for number, name in enumerate(ROLES):
        one = heads.pick(number).tensors()
        stack = HeadStack.of_tensors({key: tensor.to(torch.bfloat16) for key, tensor in one.items()})
        head = Head.of_stack(name, stack, backbone=about)
        if name in ABSTAINING:
            head = replace(head, threshold=threshold(shipped, head), report={"threshold": ABOUT_THRESHOLD})
        head.save(out / "heads" / name)
    digests = {
        str(file.relative_to(out)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(out.rglob("*.safetensors")) if file.name != MULTITASK
    }
    text = json.dumps({**manifest, "sha256": digests}, indent=1, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8")
