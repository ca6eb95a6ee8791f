"""Pretraining: the backbone and the shipped heads learn together, every row of a batch with its own head.

    loss = Σ_decisions −log p(right | allowed) / M  +  λ · causal LM on a share of the text  +  μ · distillation

The backbone learns what all roles share and each head what only its role needs, because the bank serves learning as
it serves decoding. Resumable: the state is saved as safetensors and JSON, in one move.
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
from .fused import FusedLayers
from .precision import fast_precision
from .streams import WIDTH, Sorter, Stream


@dataclass(frozen=True)
class Recipe:
    """How to pretrain. Times are wall-clock, so that a recipe fits the machine that it is run on.

    Sentences are distilled in every step until the share ``lessons_until`` of the time, then in one step of
    ``lessons_every``. In the last share ``heads_alone`` of the time only the heads learn, on the backbone as it ships.
    """

    minutes: float = 40.0
    rows_tokens: int = 5120
    longest: int = 320
    matrix_rate: float = 0.01
    other_rate: float = 1.5e-3
    head_rate: float = 2e-3
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
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: HeadStack,
        streams: Mapping[str, Stream],
        recipe: Recipe,
        folder: Path,
        lessons: Lessons | None = None,
    ) -> None:
        self.backbone, self.heads, self.streams, self.recipe, self.folder = backbone, heads, streams, recipe, folder
        self.lessons = lessons
        self.progress = Progress()
        self.sorter = Sorter(streams, backbone, recipe.rows_tokens, recipe.longest)
        model = backbone.model.to(fast_precision("cpu")).train().requires_grad_(True)
        model.set_attn_implementation("eager")  # on a CPU faster than the fused kernel for rows of this length
        embedding = model.get_input_embeddings().weight
        # The passes may run in bf16; the optimisers keep masters in fp32, whose small steps bf16 would lose.
        self._live = dict(model.named_parameters())
        self._named = {name: p.detach().float().clone() for name, p in self._live.items()}
        matrices = [self._named[n] for n, p in self._live.items() if p.ndim == 2 and p is not embedding]
        others = [self._named[n] for n, p in self._live.items() if p.ndim != 2 or p is embedding]
        self._flat = {name: tensor.requires_grad_(True) for name, tensor in heads.tensors().items()}
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=recipe.matrix_rate, weight_decay=0.01, momentum=0.95),
            torch.optim.AdamW(
                [
                    {"params": others, "lr": recipe.other_rate},
                    {"params": list(self._flat.values()), "lr": recipe.head_rate},
                ],
                betas=(0.9, 0.95),
                weight_decay=0.0,
            ),
        ]
        self._frozen = False
        self._fused = FusedLayers(model) if FusedLayers.able(model) else None
        self._base = [[group["lr"] for group in o.param_groups] for o in self.optimisers]

    def loss(self, batch: Batch, heads: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Total loss (scalar), and of each decision its loss [M] and whether it was right [M]."""
        pairs, select = self.heads.beside(heads)
        states = self._hidden(batch.ids, pairs, select)
        losses, right = decision_losses(self.backbone, batch, states)
        total = losses.mean()
        if self.recipe.text_weight:
            text = text_losses(self.backbone, batch, states, self.recipe.text_share, seed)
            total = total + self.recipe.text_weight * text
        return total, losses.detach(), right

    def _hidden(
        self, ids: Tensor, pairs: Mapping[str, Pair] | None = None, select: Tensor | None = None
    ) -> Tensor:
        if self._fused:
            return self._fused.hidden(ids, pairs, select)
        with active(self.backbone.context, pairs, select=select):
            return self.backbone.hidden(ids)

    def lesson(self, lessons: Lessons, seed: int) -> tuple[Tensor, float]:
        """Distillation and language modelling of a batch of sentences: the loss, and the mean cosine to the teacher."""
        ids, lengths, vectors = lessons.batch(seed, self.recipe.lesson_rows, self.backbone.markers.pad, WIDTH // 4)
        states = self._hidden(ids)
        student = pooled(states, lengths)
        loss = self.recipe.lesson_weight * distillation_loss(student, vectors)
        text = token_losses(self.backbone, ids, lengths, states, self.recipe.text_share, seed)
        cosine = float((student.detach() * vectors).sum(-1).mean())
        return loss + self.recipe.text_weight * text, cosine

    def run(self, on_progress: Callable[[Progress], None] | None = None, save_every: float = 300.0) -> Progress:
        """Train until the recipe's minutes are used up (those of earlier, interrupted runs counted in)."""
        budget = self.recipe.minutes * 60
        last_save = self.progress.seconds
        right: dict[str, list[float]] = {name: [] for name in self.streams}
        while self.progress.seconds < budget:
            seed = self.recipe.seed * 1_000_003 + self.progress.step
            began = time.perf_counter()
            names, items = self.sorter.batch(seed)
            batch = collate(items, self.backbone.markers.pad, WIDTH)
            heads = torch.tensor([self.streams[name].head for name in names])
            total, _, hits = self.loss(batch, heads, seed)
            if not bool(torch.isfinite(total)):
                where = f"step {self.progress.step}"
                raise UnderstudyError("the loss is not finite", where=where, mend="lower the rates")
            total.backward()
            elapsed = self.progress.seconds / budget
            early = elapsed < self.recipe.lessons_until
            alone = elapsed >= 1 - self.recipe.heads_alone
            if alone and not self._frozen:
                self._freeze()
            if self.lessons and not alone and (early or self.progress.step % self.recipe.lessons_every == 0):
                lesson, cosine = self.lesson(self.lessons, seed)
                lesson.backward()
                self.progress.cosine = _smooth(self.progress.cosine, cosine)
            self._to_masters()
            factor = rate(self.recipe, min(1.0, elapsed / max(1 - self.recipe.heads_alone, 1e-9)))
            if alone:
                factor = 0.02 + 0.5 * (1 - elapsed) / self.recipe.heads_alone
            for optimiser, rates in zip(self.optimisers, self._base, strict=True):
                for group, base in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = base * factor
                learning = [p for g in optimiser.param_groups for p in g["params"] if p.grad is not None]
                if learning:
                    torch.nn.utils.clip_grad_norm_(learning, 1.0)
                    optimiser.step()
                optimiser.zero_grad()
            self._from_masters()
            self._note(batch, names, hits, float(total.detach()), right)
            self.progress.seconds += time.perf_counter() - began
            if on_progress:
                on_progress(self.progress)
            if self.progress.seconds - last_save > save_every:
                self.save()
                last_save = self.progress.seconds
        self.save()
        self.release()
        return self.progress

    def release(self) -> None:
        """Make the model plain again: fp32, frozen, with the usual attention kernel."""
        self.backbone.model.float().eval().requires_grad_(False)
        self.backbone.model.set_attn_implementation("sdpa")
        choose_kernel(self.backbone.model)

    def _freeze(self) -> None:
        """From now on the backbone is as it ships; gradients of this step are dropped with it."""
        self.backbone.model.requires_grad_(False)
        for live in self._live.values():
            live.grad = None
        self._frozen = True

    def _to_masters(self) -> None:
        for name, live in self._live.items():
            self._named[name].grad = None if live.grad is None else live.grad.float()
            live.grad = None

    @torch.no_grad()
    def _from_masters(self) -> None:
        if self._frozen:
            return
        for name, live in self._live.items():
            live.copy_(self._named[name])

    def _note(
        self, batch: Batch, names: Sequence[str], hits: Tensor, loss: float, right: dict[str, list[float]]
    ) -> None:
        """Keep running figures: loss, tokens, and of each stream the share of rows right in every decision."""
        whole = (per_row((~hits).float(), batch) == 0).float()
        for name, value in zip(names, whole.tolist(), strict=True):
            right[name] = [*right[name][-199:], value]
        self.progress.right = {name: sum(v) / len(v) for name, v in right.items() if v}
        self.progress.step += 1
        self.progress.tokens += int(batch.lengths.sum())
        self.progress.loss = _smooth(self.progress.loss, loss)

    def save(self) -> None:
        """Write the checkpoint beside the old one, then move it into its place."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"model|{name}": p.detach().contiguous() for name, p in self._named.items()}
        tensors.update({f"heads|{name}": p.detach().contiguous() for name, p in self._flat.items()})
        for number, optimiser in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                for key, value in state.items():
                    tensors[f"optimiser|{number}|{index}|{key}"] = torch.as_tensor(value).clone()
        draft = self.folder / "checkpoint.draft"
        about: dict[str, Any] = {"progress": asdict(self.progress), "recipe": asdict(self.recipe)}
        save_file(tensors, draft, metadata={"about": json.dumps(about)})
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
        masters = {f"model|{name}": p for name, p in self._named.items()}
        masters.update({f"heads|{name}": p for name, p in self._flat.items()})
        if any(name not in tensors or tensors[name].shape != p.shape for name, p in masters.items()):
            mend = "give another folder, or the recipe that it was made with"
            raise UnderstudyError("the checkpoint is of another backbone", where=str(file), mend=mend)
        with torch.no_grad():
            for name, p in masters.items():
                p.copy_(tensors[name])
        self._from_masters()
        for number, optimiser in enumerate(self.optimisers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                kind, *rest = name.split("|")
                if kind == "optimiser" and int(rest[0]) == number:
                    state.setdefault(int(rest[1]), {})[rest[2]] = tensor
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        self.progress = Progress(**about["progress"])
        return True


def _smooth(old: float, new: float) -> float:
    """A running mean over some fifty steps."""
    return new if math.isnan(old) else 0.98 * old + 0.02 * new
