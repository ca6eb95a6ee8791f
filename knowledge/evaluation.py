"""Evaluation: how much of the evidence each recipe finds.

recall@k = the share of a question's passages among the first k;  all@k = whether all of them are there
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import UnderstudyError
from .reader import StoreReader
from .results import Result

DEPTHS = (2, 5)
_RESAMPLES = 2000


@dataclass(frozen=True)
class Question:
    """A query and the evidence that answers it.

    Attributes:
        query: the text.
        evidence: what each passage that is needed is called by: its source, or its title.
    """

    query: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """A mean over questions with its 95 % interval (bootstrap over questions), as shares."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class RecipeScore:
    """What a recipe found.

    Attributes:
        recipe: its name.
        recall: depth → recall.
        complete: depth → the share of questions with all of their evidence.
        seconds: the median time of a search.
        missed: the queries without all of their evidence at the greatest depth.
    """

    recipe: str
    recall: Mapping[int, Share]
    complete: Mapping[int, Share]
    seconds: float
    missed: tuple[str, ...] = ()


def question(row: Mapping[str, Any], where: str) -> Question:
    """The question of ``{"query": …, "sources": […]}`` or ``{"query": …, "titles": […]}``.

    Raises:
        UnderstudyError: when it is none; ``where`` is named as its place.
    """
    evidence = row.get("sources") or row.get("titles")
    if not isinstance(row.get("query"), str) or not _texts(evidence):
        raise UnderstudyError(
            "not a question with its evidence",
            where=where,
            mend='write {"query": "…", "titles": ["…"]}, or "sources" instead of "titles"',
        )
    return Question(row["query"], tuple(dict.fromkeys(evidence or ())))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def evaluate(
    store: StoreReader,
    asked: Sequence[Question],
    recipes: Sequence[str],
    depths: Sequence[int] = DEPTHS,
    progress: Callable[[int, int], None] | None = None,
) -> list[RecipeScore]:
    """Asks every recipe every question.

    Args:
        store: that is asked.
        asked: the questions.
        recipes: their names.
        depths: the numbers of results that are looked at.
        progress: is told how many searches are done, and of how many.

    Raises:
        UnderstudyError: when there is no question.
    """
    if not asked:
        raise UnderstudyError("there is no question to ask")
    scores = []
    unknown = _unknown(store, asked)
    if unknown:
        raise UnderstudyError(
            f"no passage is called {unknown[0]!r}" + (f", nor {len(unknown) - 1} more" if len(unknown) > 1 else ""),
            mend="name evidence by a passage's title or source, as a search shows them",
        )
    store.search(asked[0].query)  # builds the caches, which is not counted
    for number, recipe in enumerate(recipes):
        recall = np.zeros((len(asked), len(depths)))
        seconds = []
        for place, question in enumerate(asked):
            begun = time.perf_counter()
            found = store.search(question.query, max(depths), recipe)
            seconds.append(time.perf_counter() - begun)
            recall[place] = [_found(question, found[:depth]) for depth in depths]
            if progress:
                progress(number * len(asked) + place + 1, len(recipes) * len(asked))
        scores.append(
            RecipeScore(
                recipe,
                {depth: share(recall[:, i]) for i, depth in enumerate(depths)},
                {depth: share(recall[:, i] == 1.0) for i, depth in enumerate(depths)},
                float(np.median(seconds)),
                tuple(q.query for q, row in zip(asked, recall, strict=True) if row[-1] < 1.0),
            )
        )
    return scores


def _unknown(store: StoreReader, asked: Sequence[Question]) -> list[str]:
    called = {name for result in store.passages() for name in (result.source, result.title)}
    return [name for question in asked for name in question.evidence if name not in called]


def _found(question: Question, results: Sequence[Result]) -> float:
    called = {name for result in results for name in (result.source, result.title)}
    return sum(name in called for name in question.evidence) / len(question.evidence)


def share(values: Any, seed: int = 0) -> Share:
    """The mean of values [N] with its interval."""
    given = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(given), (_RESAMPLES, len(given)))
    low, high = np.quantile(given[draws].mean(axis=1), [0.025, 0.975])
    return Share(float(given.mean()), float(low), float(high))
