"""What a teacher's vectors become, and that a backbone comes to have them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from transformers import BertConfig, BertModel
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack
from understudy.core.distillation import (
    Lessons,
    Teacher,
    distillation_loss,
    pooled,
    principal,
    turned_to,
    vocabulary_vectors,
)
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.markers import SPECIAL
from understudy.core.pretraining import Pretraining, Recipe
from understudy.core.prompts import Example, Prompt
from understudy.core.streams import Stream

SENTENCES = ["I was charged twice", "the app crashes", "the capital of Peru is Lima", "euro", "How do I reset it?"]


@pytest.fixture(scope="module")
def teacher(tokenizer: Fast, tmp_path_factory: pytest.TempPathFactory) -> Teacher:
    """An encoder of random weights in a folder."""
    folder = tmp_path_factory.mktemp("teacher")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Teacher.load(folder)


def test_a_teacher_gives_unit_vectors_whatever_the_batch(teacher: Teacher) -> None:
    alone = torch.cat([teacher.encode([sentence]) for sentence in SENTENCES])
    together = teacher.encode(SENTENCES, batch=2)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(together, alone, atol=0.02, rtol=0.02)  # it reads in bf16
    seen: list[int] = []
    teacher.encode(SENTENCES, batch=2, on_batch=seen.append)
    assert seen == [2, 4, 5]


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="the teacher cannot be loaded"):
        Teacher.load(tmp_path)


def test_the_principal_directions_keep_cosines() -> None:
    generator = torch.Generator().manual_seed(0)
    plane = torch.randn(200, 3, generator=generator) @ torch.randn(3, 12, generator=generator)
    vectors = F.normalize(plane, dim=-1)
    directions = principal(vectors, 3)
    torch.testing.assert_close(directions.t() @ directions, torch.eye(3), atol=1e-5, rtol=0)
    reduced = vectors @ directions
    torch.testing.assert_close(reduced @ reduced.t(), vectors @ vectors.t(), atol=1e-5, rtol=0)
    assert principal(vectors, 16).shape == (12, 16), "a wider student has empty directions"


def test_directions_turn_to_a_student_that_has_learned_from_the_teacher() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors = F.normalize(torch.randn(300, 12, generator=generator), dim=-1)
    directions = principal(vectors, 5)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator))[0]
    noise = 0.01 * torch.randn(300, 5, generator=generator)
    student = vectors @ directions @ turn + noise
    found = turned_to(directions, vectors, student)
    torch.testing.assert_close(found, directions @ turn, atol=0.01, rtol=0)
    torch.testing.assert_close(found.t() @ found, torch.eye(5), atol=1e-4, rtol=0)


def test_words_begin_where_the_teacher_has_them(teacher: Teacher, tokenizer: Fast) -> None:
    directions = principal(teacher.encode(SENTENCES * 4), 16)
    words = vocabulary_vectors(teacher, tokenizer, directions)
    assert words.shape == (len(tokenizer), 16)
    torch.testing.assert_close(words.norm(dim=1), torch.ones(len(tokenizer)))
    torch.testing.assert_close(words, vocabulary_vectors(teacher, tokenizer, directions))
    again = vocabulary_vectors(teacher, tokenizer, directions, seed=1)
    (month,) = tokenizer.encode(" month", add_special_tokens=False)
    marks = float((words[: len(SPECIAL)] * again[: len(SPECIAL)]).sum(-1).mean())
    assert float(words[month] @ again[month]) > 0.3 > marks, "marks mean nothing by themselves"


def test_the_pooled_state_is_the_mean_of_the_row_without_its_padding() -> None:
    states = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    found = pooled(states, torch.tensor([4, 2]))
    torch.testing.assert_close(found[0], F.normalize(states[0].mean(0), dim=0))
    torch.testing.assert_close(found[1], F.normalize(states[1, :2].mean(0), dim=0))


def test_the_loss_is_the_equation() -> None:
    student, teacher = torch.eye(3), torch.eye(3)[[0, 2, 1]]
    scores = student @ teacher.t() / 0.05
    contrast = -torch.stack([scores[i].log_softmax(0)[i] for i in range(3)]).mean()
    assert float(distillation_loss(student, teacher)) == pytest.approx(2 / 3 + 0.25 * float(contrast), rel=1e-5)
    assert float(distillation_loss(student, student)) < 1e-6


def test_batches_hold_sentences_of_nearly_one_length() -> None:
    ids = [tuple(range(9, 9 + length)) for length in (3, 20, 4, 21, 3, 22, 5, 20)]
    lessons = Lessons(ids, torch.arange(8.0).unsqueeze(1))
    for seed in range(12):
        batch, lengths, vectors = lessons.batch(seed, 3, pad=0)
        assert batch.shape[0] == 3 and batch.shape[1] % 8 == 0
        for row, length, vector in zip(batch, lengths, vectors, strict=True):
            assert tuple(row[:length].tolist()) == ids[int(vector)] and not row[length:].any()


def draw(rng: object) -> Example:
    return Example(Prompt(message=(("text", "a"),)), Record((("q", Choice(("x", "y"))),)), {"q": "x"})


def test_a_backbone_comes_to_have_the_teachers_vectors(new_backbone: Callable[..., Backbone], tmp_path: Path) -> None:
    backbone = new_backbone()
    vectors = F.normalize(torch.randn(5, backbone.width, generator=torch.Generator().manual_seed(0)), dim=-1)
    lessons = Lessons([backbone.encode(sentence) for sentence in SENTENCES], vectors)
    recipe = Recipe(minutes=0.1, rows_tokens=64, lesson_rows=5, warmup=0.0, lessons_until=1.0)
    heads = HeadStack.random(backbone.sites, 1, 2)
    progress = Pretraining(backbone, heads, {"only": Stream(0, 1.0, draw)}, recipe, tmp_path / "run", lessons).run()
    with torch.no_grad():
        ids, lengths, wanted = lessons.batch(0, 5, backbone.markers.pad)
        found = pooled(backbone.hidden(ids), lengths)
    assert progress.step > 10
    assert float((found * wanted).sum(-1).mean()) > 0.8
