"""The portrait of a backbone: its figures against ones that are known beforehand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

pytest.importorskip("zstandard")

from understudy.core.backbone import Backbone  # noqa: E402
from understudy.core.meta.start import Start  # noqa: E402
from understudy.portrait import CHINESE, bits_per_byte, chinese, neighbours, samples  # noqa: E402

TEXTS = ["The capital of Peru is Lima.", "I was charged twice this month.", "The app crashes at once when opened."]


@pytest.fixture(scope="module")
def nano() -> Backbone:
    return Backbone.load("default")


def test_a_backbone_that_knows_nothing_needs_the_bits_of_a_uniform_draw(
    nano: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = sum(len(nano.encode(text)) - 1 for text in TEXTS)
    length = sum(len(nano.decode(list(nano.encode(text))[1:]).encode()) for text in TEXTS)
    trained = bits_per_byte(nano, TEXTS)
    size = len(nano.tokenizer)
    monkeypatch.setattr(Backbone, "logits", lambda self, states: torch.zeros(*states.shape[:-1], size))
    uniform = bits_per_byte(nano, TEXTS)
    assert uniform == pytest.approx(math.log2(size) * tokens / length, rel=1e-4)
    assert trained < 0.7 * uniform


def test_samples_go_on_from_the_first_words_and_are_the_same_again(nano: Backbone) -> None:
    found = samples(nano, TEXTS, words=3, tokens=4)
    assert [text.partition(" …")[0] for text in found] == ["The capital of", "I was charged", "The app crashes"]
    assert all(text.partition(" …")[2] for text in found) and found == samples(nano, TEXTS, words=3, tokens=4)


def test_chinese_demonstrations_are_learned_without_error(nano: Backbone) -> None:
    found = chinese(nano, Start.plain(nano.sites))
    assert found["of"] == sum(map(len, CHINESE.values())) - 8 and 0 <= found["right"] <= found["of"]


def test_an_embedding_has_all_its_own_neighbours_and_few_of_chance(nano: Backbone) -> None:
    texts = [f"{word} number {n}" for word in ("red", "blue", "green", "cold") for n in range(25)]

    class Same:
        def encode(self, some: Any) -> Any:
            return nano.embed(some)

    class Chance:
        def encode(self, some: Any) -> Any:
            drawn = torch.randn(len(some), 8, generator=torch.Generator().manual_seed(0))
            return torch.nn.functional.normalize(drawn, dim=-1)

    same: Any = Same()
    chance: Any = Chance()
    assert neighbours(nano, same, texts) == 1.0
    assert neighbours(nano, chance, texts) < 0.3
