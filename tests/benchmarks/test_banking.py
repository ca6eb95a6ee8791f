"""The BANKING77 table on sentences made here."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

zstandard = pytest.importorskip("zstandard")

from understudy.core.errors import UnderstudyError  # noqa: E402
from understudy.meta_tables import banking  # noqa: E402

CLASSES = {"train": range(6), "valid": range(6, 12), "test": range(12, 18)}


class Told:
    """A backbone whose vectors tell the class in some of their numbers; the others are noise."""

    name = "told"

    def __init__(self, noise: float = 0.3) -> None:
        self.noise, self.calls = noise, 0

    def digest(self) -> str:
        return f"{self.noise}"

    def embed(self, texts: Sequence[str]) -> Tensor:
        self.calls += 1
        source = torch.Generator().manual_seed(0)
        vectors = self.noise * torch.randn(len(texts), 24, generator=source)
        for number, text in enumerate(texts):
            vectors[number, int(text.split()[1])] += 1
        return torch.nn.functional.normalize(vectors, dim=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("banking")
    for fold in banking.FOLDS:
        folder = root / "banking77_folds" / fold
        folder.mkdir(parents=True)
        for part, classes in CLASSES.items():
            lines = [{"sentence": f"word{c} {c} number {i}", "label": f"c{c}"} for c in classes for i in range(12)]
            raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
            (folder / f"{part}.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(raw))
    return root


def part(data: Path, told: Any, name: str = "test") -> banking.Part:
    pairs = banking.read_pairs(data / "banking77_folds" / "01" / f"{name}.jsonl.zst")
    texts = [text for text, _ in pairs]
    return banking.part_of(pairs, dict(zip(texts, told.embed(texts), strict=True)))


def test_an_episode_asks_nothing_that_it_has_shown(data: Path) -> None:
    one = part(data, Told())
    episode, again = (banking.draw(one, 5, random.Random(3)) for _ in range(2))
    assert episode == again and [len(s) for s in episode.shown] == [5] * 5 == [len(s) for s in episode.asked]
    shown, asked = ({n for some in side for n in some} for side in (episode.shown, episode.asked))
    assert len(shown) == len(asked) == 25 and not shown & asked
    owners = {number: label for label, numbers in one.labels.items() for number in numbers}
    for some, others in zip(episode.shown, episode.asked, strict=True):
        assert len({owners[number] for number in (*some, *others)}) == 1
    with pytest.raises(UnderstudyError, match="0 classes have 25 sentences"):
        banking.draw(one, 20, random.Random(0))


def test_every_row_is_right_where_classes_can_be_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"EVERY": 2, "TRIED": 4, "AT_ONCE": 4}.items():
        monkeypatch.setattr(banking, name, value)
    told = Told(0.05)
    fold = banking.Fold(*(part(data, told, name) for name in CLASSES))
    episodes = [banking.draw(fold.test, 5, random.Random(seed)) for seed in range(3)]
    for row in (banking.by_words, banking.by_regression, banking.learned(banking.nearest, 0),
                banking.learned(banking.nearest, 2), banking.learned(banking.adapted, 2)):  # fmt: skip
        assert row(fold, 5, episodes) > 0.95
    blind = banking.Fold(*(part(data, Told(100.0), name) for name in CLASSES))
    assert banking.learned(banking.nearest, 0)(blind, 5, episodes) < 0.5, "noise tells nothing"


def test_a_fold_learns_which_numbers_matter(data: Path) -> None:
    told = Told(0.35)
    fold = banking.Fold(*(part(data, told, name) for name in CLASSES))
    train = banking.Fold(fold.train, fold.train, fold.train)
    episodes = [banking.draw(fold.train, 1, random.Random(seed)) for seed in range(40)]
    before, after = (banking.learned(banking.nearest, steps)(train, 1, episodes) for steps in (0, 100))
    assert after > before + 0.02


def test_rows_are_measured_once_and_sentences_embedded_once(data: Path, tmp_path: Path) -> None:
    told: Any = Told(0.05)
    steps: list[tuple[int, int, str]] = []
    names = ["tfidf", "embedding-prototype"]
    banking.measure(names, data, told, tmp_path, 2, lambda *step: steps.append(step))
    found = json.loads((tmp_path / "embedding-prototype.json").read_text(encoding="utf-8"))
    assert set(found["right"]) == {"1", "5"} and len(found["right"]["1"]) == 5 and found["mean"]["5"] == 1
    assert len(steps) == 5 * 2 * 2 and steps[-1][:2] == (19, 20) and told.calls == 1
    banking.measure(names, data, told, tmp_path, 2)
    banking.measure(["embedding-regression"], data, told, tmp_path, 2)
    assert told.calls == 1, "vectors are kept"
    banking.measure(["embedding-prototype"], data, told, tmp_path / "other", 2)
    assert told.calls == 2
    again = json.loads((tmp_path / "other" / "embedding-prototype.json").read_text(encoding="utf-8"))
    assert again["right"] == found["right"]


def test_sentences_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl.zst"
    with pytest.raises(UnderstudyError, match="cannot be read"):
        banking.read_pairs(file)
    file.write_bytes(zstandard.ZstdCompressor().compress(b'{"text": "no label"}\n'))
    with pytest.raises(UnderstudyError, match="cannot be read"):
        banking.read_pairs(file)
