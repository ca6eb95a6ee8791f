"""The graph: are pattern queries exact on questions of two and three hops, and how well are missing links predicted?

    python -m benchmarks.graph_queries --data DIR [--part queries|links] [--quick]

DIR holds pathquestion/ (PathQuestion and PathQuestion-Large, Zhou et al. 2018), codex/codex-s/ (Safavi & Koutra 2020,
github.com/tsafavi/codex) and umls/umls.tar.gz (the split of github.com/TimDettmers/ConvE).

Queries: each gold path as patterns; the answers must be those of a join over the raw triples, which is written here and
shares no code with the store. The store takes names of one key (case, diacritics, punctuation) as one entity: answers
are compared by key, and what that joins beyond the raw names is counted. Links: mean reciprocal rank and hits,
filtered, over objects and subjects alike, ties at their mean rank; settings are chosen on the validation split.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import random
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.graph import Graph
from understudy.knowledge.horn import HornRules
from understudy.knowledge.links import Aggregation, LinkPredictor
from understudy.knowledge.text import key_of

Triple = tuple[str, str, str]
PATH_QUESTIONS = {"PQ-2H": "2H-kb", "PQ-3H": "3H-kb", "PQL-2H": "PQL2-KB", "PQL-3H": "PQL3-KB"}
# MRR, hits@1, hits@10 in per cent, of subjects and objects, filtered: so rank LibKGE (kge/job/entity_ranking.py) and
# ConvE (evaluation.py), though they break ties by order or in favour of the answer.
PUBLISHED = {
    # Safavi & Koutra 2020, CoDEx; all but TuckER's are in the README of github.com/tsafavi/codex.
    "codex-s": {
        "RESCAL": (40.4, 29.3, 62.3), "TransE": (35.4, 21.9, 63.4), "ComplEx": (46.5, 37.2, 64.6),
        "ConvE": (44.4, 34.3, 63.5), "TuckER": (44.4, None, None),
    },
    # README of github.com/TimDettmers/ConvE, given there with two digits.
    "umls": {"ConvE": (94, 92, 99)},
}  # fmt: skip
GRID = [(2, 2.0), (2, 5.0), (2, 10.0), (2, 20.0), (5, 5.0), (5, 10.0)]
AGGREGATIONS: list[tuple[Aggregation, int]] = [("max", 10), ("or", 3)]


@dataclass(frozen=True)
class Walk:
    """A gold path: entities, one more than relations; what the file accepts as an answer, none for a random path."""

    entities: tuple[str, ...]
    relations: tuple[str, ...]
    answers: tuple[str, ...]


def triples_of(lines: Iterable[str]) -> list[Triple]:
    """Tab-separated triples."""
    return [(s, r, o) for s, r, o in (line.rstrip("\n").split("\t") for line in lines if line.strip())]


def walks_of(file: Path) -> list[Walk]:
    """The lines of PathQuestion: question, ``answer(all/of/them/)``, ``entity#relation#…#entity[#<end>#answer]``."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        _, told, path = line.split("\t")
        parts = path.split("#<end>#")[0].split("#")
        answer = parts[-1]
        # Names have brackets and slashes of their own: what stands before the answers is the answer itself.
        rest = told.removeprefix(answer).removeprefix("(").removesuffix(")").strip("/")
        found.append(Walk(tuple(parts[::2]), tuple(parts[1::2]), tuple(rest.split("/")) if rest else (answer,)))
    return found


def joined(index: dict[tuple[str, str], set[str]], start: str, relations: Sequence[str]) -> set[tuple[str, ...]]:
    """All ways from an entity along relations: the things on the way."""
    ways: set[tuple[str, ...]] = {(start,)}
    for relation in relations:
        ways = {(*way, thing) for way in ways for thing in index.get((way[-1], relation), ())}
    return {way[1:] for way in ways}


def indexed(triples: Iterable[Triple]) -> dict[tuple[str, str], set[str]]:
    found = defaultdict(set)
    for subject, relation, thing in triples:
        found[subject, relation].add(thing)
    return dict(found)


def key(name: str) -> str:
    """What the store knows a name by; one without a word ("?") is a value, known by itself."""
    return key_of(name) or name


def check(name: str, triples: list[Triple], walks: list[Walk]) -> None:
    """Asks the store for every path and compares with the join."""
    raw = indexed(triples)
    # A subject without a word is refused by the store.
    kept = [triple for triple in triples if key_of(triple[0])]
    by_key = indexed((key(s), r, key(o)) for s, r, o in kept)
    spelled = defaultdict(set)
    for name_ in {end for s, _, o in triples for end in (s, o)}:
        spelled[key(name_)].add(name_)
    shared = sum(len(names) > 1 for names in spelled.values())
    count: Counter[str] = Counter()
    taken, most = [], 0
    with KnowledgeStore.open(":memory:", "hashed") as store:
        begun = perf_counter()
        added = store.add_facts(kept)
        seconds = perf_counter() - begun
        for walk in walks:
            terms = [walk.entities[0], *(f"?v{i}" for i in range(len(walk.relations)))]
            patterns = [(terms[i], relation, terms[i + 1]) for i, relation in enumerate(walk.relations)]
            begun = perf_counter()
            answers = store.query(patterns, limit=10**9)
            taken.append(1000 * (perf_counter() - begun))
            found = [tuple(key(answer[term[1:]]) for term in terms[1:]) for answer in answers]
            expected = joined(by_key, key(walk.entities[0]), walk.relations)
            plain = {tuple(map(key, way)) for way in joined(raw, walk.entities[0], walk.relations)}
            gold = tuple(map(key, walk.entities[1:]))
            there = all(
                thing in raw.get((start, relation), ())
                for start, relation, thing in zip(walk.entities, walk.relations, walk.entities[1:], strict=False)
            )
            most = max(most, len(found))
            count["exact"] += set(found) == expected and len(found) == len(expected)
            count["beyond"] += expected != plain
            count["absent"] += not there
            count["gold"] += there and gold in found
            last = {way[-1] for way in found}
            count["accepted"] += {key(answer) for answer in walk.answers} == last
    asked = len(walks)
    print(f"{name}: {len(triples)} triples, {added} facts in {seconds:.1f} s, {len(triples) - len(kept)} refused")
    print(f"  {shared} keys of several names; {count['beyond']} queries have answers beyond those of the raw names")
    print(f"  exact {count['exact']} of {asked} = {count['exact'] / asked:.4f}; at most {most} answers")
    print(f"  gold path found {count['gold']} of {asked - count['absent']}; not in the triples: {count['absent']}")
    print(f"  ms a query: median {median(taken):.2f}, 99 % {np.quantile(taken, 0.99):.2f}, longest {max(taken):.0f}")
    if any(walk.answers for walk in walks):
        print(f"  what the file accepts is what the last variable can be: {count['accepted']} of {asked}", flush=True)


def sampled(triples: list[Triple], hops: int, count: int) -> list[Walk]:
    """Random paths, each step uniform over the facts of the last thing."""
    draw = random.Random(hops)
    onwards = defaultdict(list)
    for triple in triples:
        onwards[triple[0]].append(triple)
    found: list[Walk] = []
    while len(found) < count:
        way = [draw.choice(triples)]
        while len(way) < hops and onwards[way[-1][2]]:
            way.append(draw.choice(onwards[way[-1][2]]))
        if len(way) == hops:
            ends = (way[0][0], *(triple[2] for triple in way))
            found.append(Walk(ends, tuple(triple[1] for triple in way), ()))
    return found


def queries(data: Path, quick: bool) -> None:
    for name, base in PATH_QUESTIONS.items():
        folder = data / "pathquestion"
        triples = triples_of((folder / f"{base}.txt").read_text(encoding="utf-8").splitlines())
        check(name, triples, walks_of(folder / f"{name}.txt")[:: 20 if quick else 1])
    for split in (codex(data), umls(data)):
        for hops in (2, 3):
            check(f"{split.name} {hops}", split.train, sampled(split.train, hops, 20 if quick else 200))


@dataclass(frozen=True)
class Split:
    name: str
    train: list[Triple]
    valid: list[Triple]
    test: list[Triple]


def codex(data: Path) -> Split:
    files = (data / "codex" / "codex-s" / f"{part}.txt" for part in ("train", "valid", "test"))
    parts = (file.read_text(encoding="utf-8") for file in files)
    return Split("codex-s", *(triples_of(part.splitlines()) for part in parts))


def umls(data: Path) -> Split:
    with tarfile.open(data / "umls" / "umls.tar.gz") as archive:
        parts = [archive.extractfile(f"{part}.txt") for part in ("train", "valid", "test")]
        return Split("umls", *(triples_of(part.read().decode().splitlines()) for part in parts if part is not None))


@dataclass(frozen=True)
class Ranks:
    """The rank of each true answer, objects and subjects in turn, and the milliseconds of a median question."""

    values: np.ndarray
    milliseconds: float

    @property
    def mrr(self) -> float:
        return float(100 * np.mean(1 / self.values))

    def __str__(self) -> str:
        hits = " ".join(f"{100 * np.mean(self.values <= k):6.1f}" for k in (1, 3, 10))
        sides = " ".join(f"{100 * np.mean(1 / self.values[side::2]):6.1f}" for side in (0, 1))
        told = f"MRR {self.mrr:5.1f}  hits@1, 3, 10 {hits}  MRR of objects, subjects {sides}"
        return f"{told}  {self.milliseconds:6.2f} ms"


# Thing, relation (plus their count: asked for the subject) → candidates and their scores, higher is better.
Scorer = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def evaluated(asked: list[Triple], known: Iterable[Triple], numbers: Numbers, scorer: Scorer) -> Ranks:
    """The standard filtered protocol: other answers that are known are left out; things without a score tie below."""
    true = defaultdict(set)
    for triple in known:
        s, r, o = numbers.of(triple)
        true[s, r].add(o)
        true[o, r + len(numbers.relations)].add(s)
    ranks, taken = [], []
    for triple in asked:
        s, r, o = numbers.of(triple)
        for start, relation, answer in ((s, r, o), (o, r + len(numbers.relations), s)):
            begun = perf_counter()
            candidates, scores = scorer(start, relation)
            taken.append(1000 * (perf_counter() - begun))
            others = true[start, relation] - {answer}
            open_ = np.ones(len(numbers.things), dtype=np.bool_)
            open_[list(others)] = False
            kept = open_[candidates]
            candidates, scores = candidates[kept], scores[kept]
            place = np.flatnonzero(candidates == answer)
            if len(place):
                own = scores[place[0]]
                ranks.append(1 + np.sum(scores > own) + (np.sum(scores == own) - 1) / 2)
            else:
                ranks.append(len(candidates) + (1 + len(numbers.things) - len(others) - len(candidates)) / 2)
    return Ranks(np.array(ranks), median(taken))


class Numbers:
    """Things and relations by number, as the rules of the training facts have them, and then those unknown to them."""

    def __init__(self, split: Split, rules: HornRules) -> None:
        known = [name for name, _ in rules.things]
        every = {end for s, _, o in (*split.train, *split.valid, *split.test) for end in (s, o)}
        self.things = {name: i for i, name in enumerate([*known, *sorted(every - set(known))])}
        self.relations = {name: i for i, name in enumerate(rules.relations)}

    def of(self, triple: Triple) -> tuple[int, int, int]:
        return self.things[triple[0]], self.relations[triple[1]], self.things[triple[2]]


def by_rules(links: LinkPredictor) -> Scorer:
    known = len(links.rules.things)

    def scorer(start: int, relation: int) -> tuple[np.ndarray, np.ndarray]:
        if start >= known:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        ends, ranks, _, _ = links.ranked(start, relation)
        return ends, -ranks

    return scorer


def by_frequency(split: Split, numbers: Numbers) -> Scorer:
    """How often a thing is object (or subject) of the relation."""
    counted: dict[int, Counter[int]] = defaultdict(Counter)
    for triple in split.train:
        s, r, o = numbers.of(triple)
        counted[r][o] += 1
        counted[r + len(numbers.relations)][s] += 1
    tables = {r: (np.array(list(c)), np.array(list(c.values()))) for r, c in counted.items()}
    return lambda start, relation: tables[relation]


def by_pagerank(split: Split, numbers: Numbers) -> Scorer:
    """Personalised PageRank of knowledge/graph.py from the given thing, over all facts whatever their relation."""
    s, _, o = np.array([numbers.of(triple) for triple in split.train]).T
    graph = Graph(len(numbers.things), np.concatenate([s, o]), np.concatenate([o, s]), np.ones(2 * len(s)))

    def scorer(start: int, relation: int) -> tuple[np.ndarray, np.ndarray]:
        rank = graph.pagerank({start: 1.0})
        rank[start] = 0.0
        return np.arange(len(rank)), rank

    return scorer


def by_both(one: Scorer, other: Scorer) -> Scorer:
    """PageRank among what the relation leads to at all."""

    def scorer(start: int, relation: int) -> tuple[np.ndarray, np.ndarray]:
        candidates, _ = one(start, relation)
        return candidates, other(start, relation)[1][candidates]

    return scorer


def links(data: Path, quick: bool) -> None:
    for split in (codex(data), umls(data)):
        facts = [Fact(*triple) for triple in split.train]
        step = 20 if quick else 1
        print(f"{split.name}: {len(facts)} facts to learn, {len(split.valid)} to choose by, {len(split.test)} to test")
        best: tuple[float, LinkPredictor, str] | None = None
        for support, unseen in GRID[:1] if quick else GRID:
            begun = perf_counter()
            rules = HornRules(facts, support, 0.01, unseen)
            seconds = perf_counter() - begun
            numbers = Numbers(split, rules)
            for by, depth in AGGREGATIONS[:1] if quick else AGGREGATIONS:
                predictor = LinkPredictor(rules, by, depth)
                found = evaluated(split.valid[::step], split.train + split.valid, numbers, by_rules(predictor))
                setting = f"support {support}, unseen {unseen:g}, {by} of {depth}"
                print(f"  valid: {setting:<40} {found}; {len(rules.confidences)} rules in {seconds:.1f} s", flush=True)
                if best is None or found.mrr > best[0]:
                    best = found.mrr, predictor, setting
        assert best is not None
        _, predictor, setting = best
        numbers = Numbers(split, predictor.rules)
        frequency, pagerank = by_frequency(split, numbers), by_pagerank(split, numbers)
        scorers = {
            "frequency": frequency, "PageRank": pagerank, "PageRank in range": by_both(frequency, pagerank),
            f"rules ({setting})": by_rules(predictor),
        }  # fmt: skip
        every = split.train + split.valid + split.test
        for name, scorer in scorers.items():
            print(f"  test: {name:<42} {evaluated(split.test[::step], every, numbers, scorer)}", flush=True)
        for name, numbers_ in PUBLISHED[split.name].items():
            print(f"  published: {name:<10} MRR, hits@1, hits@10: {numbers_}")
        triple = split.test[0]
        for prediction in predictor.objects(triple[0], triple[1], 2):
            print(f"  {triple[0]} {triple[1]} {prediction.name}? {prediction.confidence:.2f}: {prediction.rule}")
            print(f"    because {'; '.join(map(str, prediction.because)) or 'it is frequent'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("queries", "links"))
    parser.add_argument("--quick", action="store_true", help="a twentieth of the questions, one setting")
    arguments = parser.parse_args()
    for part in (queries, links):
        if arguments.part in (None, part.__name__):
            part(arguments.data, arguments.quick)


if __name__ == "__main__":
    main()
