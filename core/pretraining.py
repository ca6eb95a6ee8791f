"""Pretraining: the backbone and the shipped heads learn together, every row of a batch with its own head.

    loss = Σ_decisions −log p(right | allowed) / M  +  λ · causal LM on a share of the text  +  μ · distillation

after a first stage, for those that have the time, of causal LM alone, on packed rows of running text. The backbone
learns what all roles share and each head what only its role needs, because the bank serves learning as it serves
decoding. Resumable: the state is saved as safetensors and JSON, in one move.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .attention import choose_kernel
from .backbone import Backbone
from .bank import HeadStack, Pair, active
from .batches import Batch, collate, decision_losses, per_row, text_losses, token_losses
from .distillation import Lessons, distillation_loss, pooled
from .errors import UnderstudyError
from .fused import FusedLayers, Places
from .masters import Masters
from .packing import Packed
from .precision import fast_precision
from .streams import WIDTH, Sorter, Stream


@dataclass(frozen=True)
class Recipe:
    """How to pretrain. Times are wall-clock, so that a recipe fits the machine that it is run on.

    Until the share ``text_until`` of the time text alone is read, in ``text_rows`` rows of the whole context. Sentences
    are distilled in every step until the share ``lessons_until``, then in one step of ``lessons_every``. In the last
    share ``heads_alone`` of the time only the heads learn, on the backbone as it ships.
    """

    minutes: float = 40.0
    rows_tokens: int = 5120
    longest: int = 320
    matrix_rate: float = 0.01
    other_rate: float = 1.5e-3
    head_rate: float = 2e-3
    text_until: float = 0.0
    text_rows: int = 32
    text_weight: float = 0.3
    text_share: float = 0.06
    lesson_rows: int = 128
    lesson_weight: float = 1.0
    lessons_until: float = 0.5
    lessons_every: int = 2
    warmup: float = 0.0005
    decay: float = 0.45
    heads_alone: float = 0.12
    seed: int = 0


@dataclass
class Progress:
    """Where a run stands: printed, logged and saved with each checkpoint."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    loss: float = math.nan
    cosine: float = math.nan
    right: dict[str, float] = field(default_factory=dict)


def rate(recipe: Recipe, elapsed: float) -> float:
    """Warm-up, constant, linear decay to 2 %: the factor on every learning rate at share ``elapsed`` of the time."""
    if elapsed < recipe.warmup:
        return max(elapsed / recipe.warmup, 0.05)
    if elapsed > 1 - recipe.decay:
        return max((1 - elapsed) / recipe.decay, 0.02)
    return 1.0


class Pretraining:
    """A resumable run over a backbone and a stack of heads.

    Args:
        backbone: its model is trained in place.
        heads: [H] heads, trained along.
        streams: name → examples for one head.
        folder: where checkpoints are kept.
        lessons: sentences with a teacher's vectors; nothing is distilled where there are none.
        text: running text for the first stage; there is none where it is missing.
        device: where to train, such as ``cuda``; the model comes back to the CPU at the end.
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: HeadStack,
        streams: Mapping[str, Stream],
        recipe: Recipe,
        folder: Path,
        lessons: Lessons | None = None,
        text: Packed | None = None,
        device: str = "cpu",
    ) -> None:
        self.backbone, self.streams, self.recipe, self.folder = backbone, streams, recipe, folder
        self.lessons, self.text, self.device = lessons, text, torch.device(device)
        self.progress = Progress()
        self.sorter = Sorter(streams, backbone, recipe.rows_tokens, recipe.longest)
        model = backbone.model
        torch.nn.Module.to(model, self.device, fast_precision(self.device.type))
        model.train().requires_grad_(True)
        if self.device.type == "cpu":
            model.set_attn_implementation("eager")  # faster than the fused kernel for rows of this length
        self.heads = heads.to(self.device)
        self.masters = Masters(model, self.heads.tensors(), recipe.matrix_rate, recipe.other_rate, recipe.head_rate)
        self._fused = FusedLayers(model) if FusedLayers.able(model) else None

    def loss(self, batch: Batch, heads: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Total loss (scalar), and of each decision its loss [M] and whether it was right [M]."""
        pairs, select = self.heads.beside(heads)
        decided = None if self.recipe.text_weight or not self._fused else (batch.row, batch.at)
        states = self._hidden(batch.ids, pairs, select, decided)
        losses, right = decision_losses(self.backbone, batch, states)
        total = losses.mean()
        if self.recipe.text_weight:
            text = text_losses(self.backbone, batch, states, self.recipe.text_share, seed)
            total = total + self.recipe.text_weight * text
        return total, losses.detach(), right

    def _hidden(
        self, ids: Tensor, pairs: Mapping[str, Pair] | None = None, select: Tensor | None = None,
        decided: Places | None = None,
    ) -> Tensor:  # fmt: skip
        if self._fused:
            return self._fused.hidden(ids, pairs, select, decided)
        with active(self.backbone.context, pairs, select=select):
            return self.backbone.hidden(ids)

    def lesson(self, lessons: Lessons, seed: int) -> tuple[Tensor, float]:
        """Distillation and language modelling of a batch of sentences: the loss, and the mean cosine to the teacher."""
        drawn = lessons.batch(seed, self.recipe.lesson_rows, self.backbone.markers.pad, WIDTH // 4)
        ids, lengths, vectors = (tensor.to(self.device) for tensor in drawn)
        states = self._hidden(ids)
        student = pooled(states, lengths)
        loss = self.recipe.lesson_weight * distillation_loss(student, vectors)
        text = token_losses(self.backbone, ids, lengths, states, self.recipe.text_share, seed)
        cosine = float((student.detach() * vectors).sum(-1).mean())
        return loss + self.recipe.text_weight * text, cosine

    def reading(self, text: Packed, seed: int) -> Tensor:
        """Causal language modelling of packed rows: the mean loss of all tokens, a scalar."""
        ids = text.batch(seed, self.recipe.text_rows, self.backbone.max_tokens).to(self.device)
        lengths = torch.full((len(ids),), ids.shape[1], device=self.device)
        self.progress.tokens += ids.numel()
        return token_losses(self.backbone, ids, lengths, self._hidden(ids), 1.0, seed)

    def run(self, on_progress: Callable[[Progress], None] | None = None, save_every: float = 300.0) -> Progress:
        """Train until the recipe's minutes are used up (those of earlier, interrupted runs counted in).

        Raises:
            UnderstudyError: a loss is not finite.
        """
        budget = self.recipe.minutes * 60
        last_save = self.progress.seconds
        right: dict[str, list[float]] = {name: [] for name in self.streams}
        while self.progress.seconds < budget:
            seed = self.recipe.seed * 1_000_003 + self.progress.step
            began = time.perf_counter()
            elapsed = self.progress.seconds / budget
            if self.text is not None and elapsed < self.recipe.text_until:
                loss = self.reading(self.text, seed)
                self._finite(loss)
                loss.backward()
                self.masters.step(rate(self.recipe, elapsed))
            else:
                loss = self._rehearse(seed, elapsed, right)
            self.progress.step += 1
            self.progress.loss = _smooth(self.progress.loss, float(loss.detach()))
            self.progress.seconds += time.perf_counter() - began
            if on_progress:
                on_progress(self.progress)
            if self.progress.seconds - last_save > save_every:
                self.save()
                last_save = self.progress.seconds
        self.save()
        self.release()
        return self.progress

    def _rehearse(self, seed: int, elapsed: float, right: dict[str, list[float]]) -> Tensor:
        """One step of role tasks, and of sentences where it is their turn: the loss of the role tasks."""
        recipe = self.recipe
        alone = elapsed >= 1 - recipe.heads_alone
        if alone and not self.masters.frozen:  # before the first pass, which need not keep what the weights' want
            self.masters.freeze()
        names, items = self.sorter.batch(seed)
        batch = collate(items, self.backbone.markers.pad, WIDTH).to(self.device)
        heads = torch.tensor([self.streams[name].head for name in names], device=self.device)
        total, _, hits = self.loss(batch, heads, seed)
        self._finite(total)
        total.backward()
        early = elapsed < recipe.lessons_until
        if self.lessons and not alone and (early or self.progress.step % recipe.lessons_every == 0):
            lesson, cosine = self.lesson(self.lessons, seed)
            lesson.backward()
            self.progress.cosine = _smooth(self.progress.cosine, cosine)
        factor = rate(recipe, min(1.0, elapsed / max(1 - recipe.heads_alone, 1e-9)))
        if alone:
            factor = 0.02 + 0.5 * (1 - elapsed) / recipe.heads_alone
        self.masters.step(factor)
        self._note(batch, names, hits, right)
        return total

    def _finite(self, loss: Tensor) -> None:
        if not bool(torch.isfinite(loss)):
            where = f"step {self.progress.step}"
            raise UnderstudyError("the loss is not finite", where=where, mend="lower the rates")

    def release(self) -> None:
        """Make the model plain again: on the CPU, fp32, frozen, with the usual attention kernel."""
        self.backbone.model.cpu().float().eval().requires_grad_(False)
        self.heads = HeadStack.of_tensors({name: t.detach() for name, t in self.heads.to("cpu").tensors().items()})
        self.backbone.model.set_attn_implementation("sdpa")
        choose_kernel(self.backbone.model)

    def _note(self, batch: Batch, names: Sequence[str], hits: Tensor, right: dict[str, list[float]]) -> None:
        """Keep running figures: tokens, and of each stream the share of rows right in every decision."""
        whole = (per_row((~hits).float(), batch) == 0).float()
        for name, value in zip(names, whole.tolist(), strict=True):
            right[name] = [*right[name][-199:], value]
        self.progress.right = {name: sum(v) / len(v) for name, v in right.items() if v}
        self.progress.tokens += int(batch.lengths.sum())

    def save(self) -> None:
        """Write the checkpoint beside the old one, then move it into its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / "checkpoint.draft"
        about: dict[str, Any] = {"progress": asdict(self.progress), "recipe": asdict(self.recipe)}
        about["frozen"] = self.masters.frozen
        save_file(self.masters.tensors(), draft, metadata={"about": json.dumps(about)})
        draft.replace(self.folder / "checkpoint.safetensors")

    def resume(self) -> bool:
        """Go on from the folder's checkpoint; False when there is none.

        Raises:
            UnderstudyError: it is broken, or of another backbone.
        """
        file = self.folder / "checkpoint.safetensors"
        if not file.exists():
            return False
        try:
            tensors = load_file(file)
            with safe_open(file, framework="pt") as opened:
                about = json.loads(opened.metadata()["about"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            mend = "remove it to begin again"
            raise UnderstudyError(f"the checkpoint cannot be read ({error})", where=str(file), mend=mend) from error
        if not self.masters.load(tensors):
            mend = "give another folder, or the recipe that it was made with"
            raise UnderstudyError("the checkpoint is of another backbone", where=str(file), mend=mend)
        if about.get("frozen"):
            self.masters.freeze()
        self.progress = Progress(**about["progress"])
        return True


def _smooth(old: float, new: float) -> float:
    """A running mean over some fifty steps."""
    return new if math.isnan(old) else 0.98 * old + 0.02 * new
