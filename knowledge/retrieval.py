"""Retrieval: named recipes that turn a query into ranked passages.

lexical   BM25
dense     nearest vectors
hybrid    both, fused by reciprocal rank: Σ w / (60 + rank) (Cormack, Clarke & Büttcher 2009)
graph     PageRank seeded by the linked entities (30 %) and by the five best hybrid passages (70 %)
auto      hybrid when no entity is linked; else graph, led by the entities the more of the query they cover
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .entities import Mention
from .text import STOPWORDS, words

Ranking = list[tuple[int, float]]

FUSION = 60
# Hashed n-grams know other forms of a word and no meaning: they mend what BM25 misses and must not outvote it.
DENSE_WEIGHT = 0.1
DEPTH = 50
SEED_PASSAGES = 5
ENTITY_SHARE = 0.3


@dataclass(frozen=True)
class Sides:
    """The sides of the store that a recipe asks; all speak of the same version of it.

    Attributes:
        lexical: (query, k) → ranking.
        dense: (query, k) → ranking.
        link: query → mentions of entities.
        entity_ids: the ids of what a mention can mean.
        walk: (entity seeds, passage seeds, k) → ranking.
    """

    lexical: Callable[[str, int], Ranking]
    dense: Callable[[str, int], Ranking]
    link: Callable[[str], list[Mention]]
    entity_ids: Callable[[Mention], list[int]]
    walk: Callable[[Mapping[int, float], Mapping[int, float], int], Ranking]


def fused(rankings: Sequence[tuple[float, Ranking]], k: int) -> Ranking:
    """Reciprocal rank fusion of weighted rankings; a tie goes to the passage that an earlier ranking has first."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, (passage, _) in enumerate(ranking, 1):
            scores[passage] = scores.get(passage, 0.0) + weight / (FUSION + rank)
    return sorted(scores.items(), key=lambda item: -item[1])[:k]


def lexical(query: str, k: int, sides: Sides) -> Ranking:
    """The passages that share words with the query."""
    return sides.lexical(query, k)


def dense(query: str, k: int, sides: Sides) -> Ranking:
    """The passages whose vectors are nearest."""
    return sides.dense(query, k)


def hybrid(query: str, k: int, sides: Sides) -> Ranking:
    """Lexical and dense, fused."""
    depth = max(k, DEPTH)
    return fused([(1.0, sides.lexical(query, depth)), (DENSE_WEIGHT, sides.dense(query, depth))], k)


def graph(query: str, k: int, sides: Sides) -> Ranking:
    """PageRank from the linked entities and the nearest passages; without an entity, from the passages alone."""
    return _walked(query, k, sides, sides.link(query), ENTITY_SHARE)


def auto(query: str, k: int, sides: Sides) -> Ranking:
    """The recipe that suits the query: see the table above."""
    mentions = sides.link(query)
    if not mentions:
        return hybrid(query, k, sides)
    return _walked(query, k, sides, mentions, ENTITY_SHARE + (1.0 - ENTITY_SHARE) * covered(query, mentions))


RECIPES: Mapping[str, Callable[[str, int, Sides], Ranking]] = {
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


def _walked(query: str, k: int, sides: Sides, mentions: Sequence[Mention], share: float) -> Ranking:
    near = hybrid(query, SEED_PASSAGES, sides)
    entities: dict[int, float] = {}
    for mention in mentions:
        meant = sides.entity_ids(mention)
        for entity in meant:
            entities[entity] = entities.get(entity, 0.0) + 1.0 / (len(mentions) * len(meant))
    total = sum(score for _, score in near)
    entity_share = share if near else 1.0
    return sides.walk(
        {entity: weight * entity_share for entity, weight in entities.items()},
        {passage: score / total * (1.0 - share) for passage, score in near} if total > 0 else {},
        k,
    )
