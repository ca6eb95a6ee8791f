"""Evidence found for multi-hop questions: every recipe, paired with balanced PageRank, on the sets of one folder.

    python -m benchmarks.retrieval --data DIR --embedder default --embedder hashed --embedder FOLDER

DIR holds hotpotqa_train.json and musique_train.json with their corpora, as the HippoRAG repository has them
(github.com/OSU-NLP-Group/HippoRAG, MIT). A sentence encoder in FOLDER is for measuring alone. The share of a question's
passages among the first two and five results, and the share of questions with all of them among five, with 95 %
intervals (bootstrap over questions); the difference to the recipe ``graph`` in recall@5 is paired by question.
``--gate`` asks instead how much ``auto`` should trust the entities: 5-fold cross-validation over constants and slopes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from unittest.mock import patch

import numpy as np

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore, retrieval
from understudy.knowledge.embedders import embedder
from understudy.knowledge.evaluation import Share, share
from understudy.knowledge.retrieval import RECIPES

BALANCED = "graph"
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Asked:
    """A question, and the places in the corpus of the passages that answer it."""

    query: str
    gold: tuple[int, ...]


@dataclass(frozen=True)
class Collection:
    """A corpus of (title, text) and the questions over it."""

    name: str
    corpus: tuple[tuple[str, str], ...]
    asked: tuple[Asked, ...]


def hotpotqa(folder: Path) -> Collection:
    """HotpotQA-train: 100 questions over 994 passages; gold are the titles of the supporting facts."""
    pages = json.loads((folder / "hotpotqa_train_corpus.json").read_text(encoding="utf-8"))
    corpus = tuple((title, "".join(lines)) for title, lines in pages.items())
    places = {title: place for place, (title, _) in enumerate(corpus)}
    rows = json.loads((folder / "hotpotqa_train.json").read_text(encoding="utf-8"))
    asked = [
        Asked(row["question"], tuple(dict.fromkeys(places[title] for title, _ in row["supporting_facts"])))
        for row in rows
    ]
    return Collection("HotpotQA-train", corpus, tuple(asked))


def musique(folder: Path) -> Collection:
    """MuSiQue-train: 100 questions over 1,890 passages; gold are the supporting paragraphs."""
    pages = json.loads((folder / "musique_train_corpus.json").read_text(encoding="utf-8"))
    corpus = tuple((page["title"], page["text"]) for page in pages)
    places = {page: place for place, page in enumerate(corpus)}
    rows = json.loads((folder / "musique_train.json").read_text(encoding="utf-8"))
    asked = [
        Asked(
            row["question"],
            tuple(places[p["title"], p["paragraph_text"]] for p in row["paragraphs"] if p["is_supporting"]),
        )
        for row in rows
    ]
    return Collection("MuSiQue-train", corpus, tuple(asked))


@dataclass(frozen=True)
class Scored:
    """What a recipe found: recall [questions] at two and at five, and the median seconds of a search."""

    two: np.ndarray
    five: np.ndarray
    seconds: float


@contextmanager
def filled(collection: Collection, source: str) -> Iterator[tuple[KnowledgeStore, dict[int, int]]]:
    """A store of the corpus, with the queries encoded beforehand, and the place in the corpus of each passage."""
    with KnowledgeStore.open(":memory:", Remembered(source)) as store:
        passages = [Passage(title, text, str(place)) for place, (title, text) in enumerate(collection.corpus)]
        places = {number: place for place, number in enumerate(store.add_passages(passages))}
        store.embedder.encode([asked.query for asked in collection.asked])
        store.search("warm up")
        yield store, places


def recalled(store: KnowledgeStore, places: Mapping[int, int], asked: Asked, k: int, recipe: str = "auto") -> float:
    """The share of a question's passages among the first ``k``."""
    found = {places[result.passage] for result in store.search(asked.query, k, recipe)}
    return len(found & set(asked.gold)) / len(asked.gold)


def measure(collection: Collection, source: str) -> dict[str, Scored]:
    """Every recipe over one collection with one embedder."""
    with filled(collection, source) as (store, places):
        found = {}
        for recipe in RECIPES:
            two, five, seconds = [], [], []
            for asked in collection.asked:
                begun = perf_counter()
                five.append(recalled(store, places, asked, 5, recipe))
                seconds.append(perf_counter() - begun)
                two.append(recalled(store, places, asked, 2, recipe))
            found[recipe] = Scored(np.array(two), np.array(five), median(seconds))
    return found


GATES = ((0.2, 0.0), (0.3, 0.0), (0.5, 0.0), (0.7, 0.0), (1.0, 0.0), (0.3, 0.2), (0.3, 0.4), (0.3, 0.7), (0.0, 1.0))


def gates(collections: Sequence[Collection], source: str) -> list[str]:
    """The recall@5 of ``auto`` with each gate, and of the gate chosen on other questions, by fold and by set."""
    found: dict[str, np.ndarray] = {}
    shipped = retrieval.ENTITY_SHARE, retrieval.COVERED_SHARE
    for collection in collections:
        with filled(collection, source) as (store, places):
            rows = []
            for constant, slope in GATES:
                with patch.multiple(retrieval, ENTITY_SHARE=constant, COVERED_SHARE=slope):
                    rows.append([recalled(store, places, asked, 5) for asked in collection.asked])
            found[collection.name] = np.array(rows)
    lines = [f"| gate | {' | '.join(found)} |", "| --- |" + " --- |" * len(found)]
    for number, (constant, slope) in enumerate(GATES):
        cells = [f"{100 * rows[number].mean():.1f}" for rows in found.values()]
        mark = ", shipped" if (constant, slope) == shipped else ""
        lines.append(f"| {constant} + {slope} · covered{mark} | {' | '.join(cells)} |")
    cells = []
    for rows in found.values():
        fold = np.random.default_rng(0).permutation(rows.shape[1]) % 5
        chosen = [rows[:, fold != part].mean(axis=1).argmax() for part in range(5)]
        cells.append(f"{100 * np.mean([rows[chosen[part], place] for place, part in enumerate(fold)]):.1f}")
    lines.append(f"| chosen by 5-fold cross-validation | {' | '.join(cells)} |")
    cells = []
    for name, rows in found.items():
        others = np.concatenate([other for own, other in found.items() if own != name], axis=1)
        cells.append(f"{100 * rows[others.mean(axis=1).argmax()].mean():.1f}")
    lines.append(f"| chosen on the other set | {' | '.join(cells)} |")
    return lines


class Remembered:
    """An embedder that encodes a text once."""

    def __init__(self, source: str) -> None:
        self._inner = embedder(source)
        self._known: dict[str, np.ndarray] = {}
        self.name, self.dimension, self.source = self._inner.name, self._inner.dimension, source
        self.weight = self._inner.weight

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= dict(zip(new, self._inner.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def difference(one: np.ndarray, other: np.ndarray) -> Share:
    """The mean difference of paired values with its interval."""
    gaps = one - other
    draws = np.random.default_rng(0).integers(0, len(gaps), (_RESAMPLES, len(gaps)))
    low, high = np.quantile(gaps[draws].mean(axis=1), [0.025, 0.975])
    return Share(float(gaps.mean()), float(low), float(high))


def table(scores: Mapping[str, Scored]) -> list[str]:
    """Rows of a Markdown table."""
    lines = []
    for recipe, scored in scores.items():
        cells = [_percent(share(scored.two)), _percent(share(scored.five)), _percent(share(scored.five == 1.0))]
        gap = "" if recipe == BALANCED else _percent(difference(scored.five, scores[BALANCED].five), sign=True)
        lines.append(f"| {recipe} | {' | '.join(cells)} | {gap} | {1000 * scored.seconds:.1f} |")
    return lines


def _percent(value: Share, *, sign: bool = False) -> str:
    mark = "+" if sign else ""
    return f"{100 * value.mean:{mark}.1f} [{100 * value.low:{mark}.1f}, {100 * value.high:{mark}.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedder", action="append", help="default, hashed, a folder or a hub id; may be repeated")
    parser.add_argument("--gate", action="store_true", help="compare gates instead of recipes")
    options = parser.parse_args()
    for source in options.embedder or ["default"]:
        collections = (hotpotqa(options.data), musique(options.data))
        if options.gate:
            print(f"\nrecall@5 of auto, embedder {Path(source).name}\n")
            print("\n".join(gates(collections, source)))
            continue
        for collection in collections:
            print(f"\n{collection.name}, {len(collection.corpus)} passages, embedder {Path(source).name}\n")
            print(
                "| recipe | recall@2 | recall@5 | all@5 | recall@5 − balanced | ms |\n"
                "| --- | --- | --- | --- | --- | --- |"
            )
            for line in table(measure(collection, source)):
                print(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
