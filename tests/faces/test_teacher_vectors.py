"""A teacher's vectors are computed once, kept, and made anew when anything that they are made of has changed."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from understudy import teacher_vectors as module
from understudy.core.backbone import Backbone
from understudy.teacher_vectors import lessons, lessons_made_of

SENTENCES = [f"sentence {i} about {word}" for i in range(150) for word in ("rain", "money")]


class Reader:
    """A teacher of 300 directions whose vectors are drawn from the text."""

    asked = 0

    def encode(self, texts: list[str], batch: int = 256, on_batch: object = None) -> Tensor:
        Reader.asked += 1
        seeds = [zlib.crc32(text.encode()) for text in texts]
        rows = [torch.randn(300, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return F.normalize(torch.stack(rows), dim=-1)


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loads:
        load = staticmethod(lambda folder, quantised: Reader())

    monkeypatch.setattr(module, "Teacher", Loads)
    Reader.asked = 0


def test_they_are_kept_until_something_changes(tmp_path: Path) -> None:
    tokenizer = Backbone.load("default").tokenizer
    file = tmp_path / "lessons.safetensors"

    def make(some: list[str]) -> tuple[module.Lessons, Tensor]:
        return lessons(Path("teacher"), some, tokenizer, 256, file, lambda done, of: None)

    first, words = make(SENTENCES)
    asked = Reader.asked
    again, same = make(SENTENCES)
    assert Reader.asked == asked, "the teacher is not asked again"
    torch.testing.assert_close(again.vectors, first.vectors, atol=1e-3, rtol=0)
    assert words.shape == same.shape == (len(tokenizer), 256)
    make(SENTENCES[:-1])
    assert Reader.asked > asked
    file.write_bytes(b"cut off")
    assert lessons_made_of(file) == ""
    make(SENTENCES)


def test_a_trained_student_is_met_where_it_is(tmp_path: Path) -> None:
    backbone = Backbone.load("default")
    plain, _ = lessons(Path("t"), SENTENCES, backbone.tokenizer, 256, tmp_path / "a.st", lambda done, of: None)
    met, _ = lessons(Path("t"), SENTENCES, backbone.tokenizer, 256, tmp_path / "b.st", lambda done, of: None, backbone)
    student = backbone.embed(SENTENCES)
    before, after = ((student * one.vectors).sum(-1).mean() for one in (plain, met))
    assert after > before + 0.1, "the same vectors, turned"
    torch.testing.assert_close(met.vectors @ met.vectors.t(), plain.vectors @ plain.vectors.t(), atol=2e-3, rtol=0)
