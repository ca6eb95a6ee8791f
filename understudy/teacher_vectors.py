"""Lessons: sentences with a teacher's vectors, computed once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .core.backbone import Backbone
from .core.distillation import Lessons, Teacher, principal, turned_to, vocabulary_vectors

LONGEST = 72
"""Tokens of a sentence at most."""
FACING = 20_000
"""Sentences by which the teacher's directions are turned to those that a trained student has."""


def lessons(
    teacher: Path, sentences: list[str], tokenizer: Any, width: int, file: Path, on_batch: Callable[[int, int], None],
    student: Backbone | None = None,
) -> tuple[Lessons, Tensor]:
    """The sentences with the teacher's vectors, and the embedding [V, D] to begin with; kept in ``file``.

    The vectors face the way of those that ``student`` has learned before, where there is one.
    """
    said = "\n".join((str(teacher), str(width), str(len(tokenizer)), student.digest() if student else "", *sentences))
    made_of = hashlib.sha256(said.encode()).hexdigest()
    if file.exists() and lessons_made_of(file) == made_of:
        kept = load_file(file)
        vectors, words = kept["vectors"].float(), kept["words"].float()
    else:
        reader = Teacher.load(teacher, quantised=True)
        raw = reader.encode(sentences, on_batch=lambda done: on_batch(done, len(sentences)))
        directions = principal(raw, width)
        if student:
            directions = turned_to(directions, raw[:FACING], student.embed(sentences[:FACING]))
        vectors = torch.nn.functional.normalize(raw @ directions, dim=-1)
        words = vocabulary_vectors(reader, tokenizer, directions)
        draft = file.with_suffix(".draft")
        save_file({"vectors": vectors.half(), "words": words.half()}, draft, metadata={"made_of": made_of})
        draft.replace(file)
    encoded: Any = tokenizer([" " + sentence for sentence in sentences], add_special_tokens=False)
    ids = [tuple(one[:LONGEST]) for one in encoded["input_ids"]]
    return Lessons(ids, vectors), words


def lessons_made_of(file: Path) -> str:
    """The digest of sentences, teacher and width for which a file of vectors was made; empty where it is broken."""
    try:
        with safe_open(file, framework="pt") as opened:
            return str((opened.metadata() or {}).get("made_of", ""))
    except (SafetensorError, OSError):
        return ""
