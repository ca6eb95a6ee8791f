"""Distillation: a sentence encoder teaches the backbone what words and sentences mean.

    t = P v / |P v|                                the teacher's vector v in the D directions that carry most of it
    s = mean of the last hidden states, |s| = 1    the student's
    loss = mean(1 − s·t) + w · cross entropy of  s tᵀ / τ  with the identity      (in-batch contrast)

The teacher's vectors of the vocabulary's own words are the embedding that a new backbone begins with, so that its
pooled states are a static sentence embedding before the first step (Model2Vec, Tulkens and van Dongen 2024). The
teacher is any sentence encoder in a folder; nothing of it is needed once the backbone is trained.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from .errors import UnderstudyError


@dataclass
class Teacher:
    """A sentence encoder: mean-pooled last hidden states of a transformers encoder, normalised."""

    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, folder: str | Path, *, quantised: bool = False) -> Teacher:
        """Read an encoder.

        Args:
            quantised: its linear maps in 8 bits (dynamic, by channel): on two cores 1.6 times as fast, vectors with a
                cosine of 0.97 to its own.

        Raises:
            UnderstudyError: the folder holds no encoder.
        """
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model: Any = AutoModel.from_pretrained(str(folder), local_files_only=True, dtype=torch.float32)
        except (OSError, ValueError) as error:
            mend = "give a folder with a sentence encoder (config.json, model.safetensors, tokenizer.json)"
            raise UnderstudyError(f"the teacher cannot be loaded ({error})", where=str(folder), mend=mend) from error
        model = model.eval()
        if quantised and "x86" in torch.backends.quantized.supported_engines:
            with warnings.catch_warnings():  # PyTorch means to move this to a package of its own
                warnings.simplefilter("ignore")
                scheme = torch.ao.quantization.per_channel_dynamic_qconfig
                model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear: scheme})
        return cls(model, tokenizer)

    def words(self) -> list[str]:
        """The whole words of its vocabulary: a list of what there is to know the meaning of."""
        found = []
        for token in self.tokenizer.get_vocab():
            word = token.lstrip("Ġ▁")
            if len(word) > 1 and word.isalpha() and token not in self.tokenizer.all_special_tokens:
                found.append(word)
        return sorted(set(found))

    @torch.no_grad()
    def encode(self, texts: Sequence[str], batch: int = 256, on_batch: Callable[[int], None] | None = None) -> Tensor:
        """Unit vectors [N, E] of ``texts``, sorted by length while they are encoded."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: Tensor | None = None
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            inputs = self.tokenizer(
                [texts[i] for i in some], padding=True, truncation=True, max_length=96, return_tensors="pt"
            )
            states = self.model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            vectors = F.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1), dim=-1)
            if found is None:
                found = torch.zeros(len(texts), vectors.shape[1])
            found[torch.tensor(some)] = vectors
            if on_batch:
                on_batch(min(start + batch, len(order)))
        return torch.zeros(0, 1) if found is None else found


def principal(vectors: Tensor, width: int) -> Tensor:
    """The ``width`` directions [E, D] that carry most of ``vectors`` [N, E] (uncentred, so that cosines are kept).

    Where the teacher is narrower than the student, the other directions are empty.
    """
    _, directions = torch.linalg.eigh(vectors.t() @ vectors)
    best = directions.flip(1)[:, :width]
    return F.pad(best, (0, width - best.shape[1]))


def turned_to(directions: Tensor, vectors: Tensor, student: Tensor) -> Tensor:
    """The same directions [E, D], turned so that ``vectors`` [N, E] in them lie as the ``student``'s [N, D] do.

    Orthogonal Procrustes (Schönemann 1966): a student that has already learned from this teacher keeps what it knows.
    """
    left, _, right = torch.linalg.svd((vectors @ directions).t() @ student)
    turned: Tensor = directions @ (left @ right)
    return turned


def vocabulary_vectors(
    teacher: Teacher, tokenizer: PreTrainedTokenizerFast, directions: Tensor, seed: int = 0
) -> Tensor:
    """A start for the embedding [V, D], each row of unit length: what the teacher says of the token, and some noise.

    The noise keeps tokens apart that the teacher finds alike, so that a copy can still be told from a synonym; bytes
    and marks, which mean nothing by themselves, are noise alone.
    """
    size, width = len(tokenizer), directions.shape[1]
    texts = [str(tokenizer.decode([token], skip_special_tokens=True)).strip() for token in range(size)]
    meant = [token for token, text in enumerate(texts) if len(text) > 1 and text.isprintable() and "�" not in text]
    noise = F.normalize(torch.randn(size, width, generator=torch.Generator().manual_seed(seed)), dim=-1)
    known = teacher.encode([texts[token] for token in meant]) @ directions
    known = F.normalize(known - known.mean(0), dim=-1)
    noise[torch.tensor(meant)] = F.normalize(0.8 * known + 0.6 * noise[torch.tensor(meant)], dim=-1)
    return noise


def pooled(states: Tensor, lengths: Tensor) -> Tensor:
    """Unit vectors [B, D]: the mean of the hidden states [B, T, D] over each row's first ``lengths`` [B] tokens."""
    mask = (torch.arange(states.shape[1], device=states.device).unsqueeze(0) < lengths.unsqueeze(1)).unsqueeze(-1)
    mean = (states.float() * mask).sum(1) / lengths.clamp(min=1).unsqueeze(-1)
    return F.normalize(mean, dim=-1)


def distillation_loss(student: Tensor, teacher: Tensor, contrast: float = 0.25, temperature: float = 0.05) -> Tensor:
    """See the equation above; ``student`` and ``teacher`` are unit vectors [B, D]."""
    cosine = (student * teacher).sum(-1)
    scores = student @ teacher.t() / temperature
    return (1 - cosine).mean() + contrast * F.cross_entropy(scores, torch.arange(len(student), device=student.device))


@dataclass(frozen=True)
class Lessons:
    """Sentences as token ids with the teacher's vectors, drawn in batches of one length.

    Attributes:
        ids: the tokens of each sentence.
        vectors: [N, D] the teacher's, in the student's directions, of unit length.
    """

    ids: Sequence[tuple[int, ...]]
    vectors: Tensor

    def batch(self, seed: int, rows: int, pad: int, multiple: int = 8) -> tuple[Tensor, Tensor, Tensor]:
        """``rows`` sentences of nearly one length: ids [B, T], lengths [B], vectors [B, D]."""
        order = self._by_length()
        start = random.Random(seed).randrange(max(1, len(order) - rows + 1))
        some = order[start : start + rows]
        wide = -(-max(len(self.ids[i]) for i in some) // multiple) * multiple
        ids = torch.full((len(some), wide), pad)
        for row, index in enumerate(some):
            ids[row, : len(self.ids[index])] = torch.tensor(self.ids[index])
        return ids, torch.tensor([len(self.ids[i]) for i in some]), self.vectors[torch.tensor(some)]

    def _by_length(self) -> list[int]:
        known: list[int] | None = self.__dict__.get("_order")
        if known is None:
            order = list(range(len(self.ids)))
            random.Random(0).shuffle(order)
            known = sorted(order, key=lambda i: len(self.ids[i]))
            object.__setattr__(self, "_order", known)
        return known
