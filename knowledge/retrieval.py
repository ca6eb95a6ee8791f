"""Retrieval: named recipes that turn a query into ranked passages.

lexical   BM25
dense     nearest vectors
hybrid    both, fused by reciprocal rank: Σ w / (60 + rank) (Cormack, Clarke & Büttcher 2009)
graph     a walk through the graph (personalised PageRank) that begins at the entities of the query (30 %) and at the
          passages that lexical and dense likeness together find nearest (70 %)
auto      the same, led by the entities the more of the query they cover: 30 % + 40 % · covered; without any entity it
          begins at the passages alone

A walk begins at 20 passages with weight exp((m − max m) / 0.7), where m = 0.7·cos/σ(cos) + 0.3·bm25/σ(bm25) and σ is
over all passages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, sqrt

from .entities import Mention
from .graph import Walk
from .text import STOPWORDS, words

Ranking = list[tuple[int, float]]

FUSION = 60
DEPTH = 50
# Of the walk: what benchmarks/retrieval.py says was chosen on which questions.
CANDIDATES = 200
SEED_PASSAGES = 20
LEXICAL_SHARE = 0.3
TEMPERATURE = 0.7
ENTITY_SHARE = 0.3
COVERED_SHARE = 0.4
STEPS = 8
# A name that a title or fact vouches for, one that is written as a name, and a word that is no more than like one.
SURE, WRITTEN, LIKE = 5.0, 1.0, 0.2


@dataclass(frozen=True)
class Sides:
    """The sides of the store that a recipe asks; all speak of the same version of it.

    Attributes:
        lexical: (query, k) → ranking.
        dense: (query, k) → ranking.
        dense_weight: how much the dense ranking counts beside the lexical one.
        likeness: passages → their dense scores.
        spread: the standard deviation of the dense scores of all passages.
        passages: how many there are.
        link: query → mentions of entities.
        entity_ids: the ids of what a mention can mean.
        walk: (entity seeds, passage seeds, steps) → the walk from them.
    """

    lexical: Callable[[str, int], Ranking]
    dense: Callable[[str, int], Ranking]
    dense_weight: float
    likeness: Callable[[Sequence[int]], Mapping[int, float]]
    spread: float
    passages: int
    link: Callable[[str], list[Mention]]
    entity_ids: Callable[[Mention], list[int]]
    walk: Callable[[Mapping[int, float], Mapping[int, float], int], Walk]


@dataclass(frozen=True)
class Found:
    """What a recipe found.

    Attributes:
        ranking: passages with their scores, best first.
        walk: the walk through the graph that ranked them, None where none did.
    """

    ranking: Ranking
    walk: Walk | None = None


def fused(rankings: Sequence[tuple[float, Ranking]], k: int) -> Ranking:
    """Reciprocal rank fusion of weighted rankings; a tie goes to the passage that an earlier ranking has first."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, (passage, _) in enumerate(ranking, 1):
            scores[passage] = scores.get(passage, 0.0) + weight / (FUSION + rank)
    return sorted(scores.items(), key=lambda item: -item[1])[:k]


def lexical(query: str, k: int, sides: Sides) -> Found:
    """The passages that share words with the query."""
    return Found(sides.lexical(query, k))


def dense(query: str, k: int, sides: Sides) -> Found:
    """The passages whose vectors are nearest."""
    return Found(sides.dense(query, k))


def hybrid(query: str, k: int, sides: Sides) -> Found:
    """Lexical and dense, fused."""
    depth = max(k, DEPTH)
    return Found(fused([(1.0, sides.lexical(query, depth)), (sides.dense_weight, sides.dense(query, depth))], k))


def graph(query: str, k: int, sides: Sides) -> Found:
    """The walk from the entities and the nearest passages, in shares that do not depend on the query."""
    return _walked(query, k, sides, sides.link(query), ENTITY_SHARE)


def auto(query: str, k: int, sides: Sides) -> Found:
    """The walk, led by the entities the more of the query they cover."""
    mentions = sides.link(query)
    share = ENTITY_SHARE + COVERED_SHARE * covered(query, [mention for mention in mentions if mention.sure])
    return _walked(query, k, sides, mentions, share)


RECIPES: Mapping[str, Callable[[str, int, Sides], Found]] = {
    "lexical": lexical,
    "dense": dense,
    "hybrid": hybrid,
    "graph": graph,
    "auto": auto,
}


def covered(query: str, mentions: Sequence[Mention]) -> float:
    """The share of the query's words, stop words aside, that stand inside a mention."""
    asked = [word for word in words(query) if word.key not in STOPWORDS]
    inside = [w for w in asked if any(m.start <= w.start and w.end <= m.end for m in mentions)]
    return len(inside) / len(asked) if asked else float(bool(mentions))


def _walked(query: str, k: int, sides: Sides, mentions: Sequence[Mention], share: float) -> Found:
    near = nearest(query, sides)
    named = entities(query, mentions, sides)
    if not named:
        share = 0.0
    elif not near:
        share = 1.0
    walk = sides.walk(
        {entity: weight * share for entity, weight in named.items()},
        {passage: weight * (1.0 - share) for passage, weight in near.items()},
        STEPS,
    )
    return Found(walk.best(k), walk)


def nearest(query: str, sides: Sides) -> dict[int, float]:
    """The passages at which a walk begins, by likeness in words and meaning, with weights that sum to 1."""
    by_words = dict(sides.lexical(query, CANDIDATES))
    by_vector = dict(sides.dense(query, CANDIDATES))
    by_vector |= sides.likeness([passage for passage in by_words if passage not in by_vector])
    of_words = _spread(list(by_words.values()), sides.passages)
    mixed = {
        passage: (1.0 - LEXICAL_SHARE) * by_vector.get(passage, 0.0) / (sides.spread or 1.0)
        + LEXICAL_SHARE * by_words.get(passage, 0.0) / (of_words or 1.0)
        for passage in by_vector | by_words
    }
    best = sorted(mixed.items(), key=lambda item: -item[1])[:SEED_PASSAGES]
    weights = {passage: exp((score - best[0][1]) / TEMPERATURE) for passage, score in best}
    return {passage: weight / sum(weights.values()) for passage, weight in weights.items()}


def entities(query: str, mentions: Sequence[Mention], sides: Sides) -> dict[int, float]:
    """The entities at which a walk begins, with weights that sum to 1; what a name can mean shares its weight."""
    weights: dict[int, float] = {}
    for mention in mentions:
        meant = sides.entity_ids(mention)
        lower = query[mention.start : mention.end].islower()
        weight = SURE if mention.sure else LIKE if lower else WRITTEN
        for entity in meant:
            weights[entity] = weights.get(entity, 0.0) + weight / len(meant)
    total = sum(weights.values())
    return {entity: weight / total for entity, weight in weights.items()}


def _spread(scores: Sequence[float], count: int) -> float:
    """The standard deviation of the scores of ``count`` passages, those that are not given having none."""
    if not count:
        return 0.0
    mean = sum(scores) / count
    return sqrt(max(sum(score * score for score in scores) / count - mean * mean, 0.0))
