"""Horn rules, counted in the facts of a graph.

    r₁(x,y) → r(x,y)    r₁(y,x) → r(x,y)    r₁(x,z) ∧ r₂(z,y) → r(x,y)    r₁(x,c) → r(x,d)    r₁(x,·) → r(x,d)

confidence = support / (body + u): how many pairs satisfy both sides, how many the left one, and u unseen ones for
caution (AMIE, Galárraga et al. 2013; AnyBURL, Meilicke et al. 2019). Every atom may point either way; x, y and z are
different things (object identity), but for r₁(x,x) → r(x,x).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .results import Fact

Ints = NDArray[np.int64]
# One or two relations, each as its number or, where it is walked from object to subject, that plus how many there are.
Path = tuple[int, ...]
Number = TypeVar("Number", int, Ints)

# A path with more walks than this makes no rule: it says little, and takes memory to count.
MOST_WALKS = 10_000_000


@dataclass(frozen=True)
class Rule:
    """A rule, ``borders(y, x) → borders(x, y)``, and what was counted for it; ``str(rule)`` tells both.

    Attributes:
        text: the rule.
        support: pairs (or things, where the rule has constants) that satisfy both sides.
        body: those that satisfy the left side.
        confidence: the share of these for which the right side holds, with caution.
    """

    text: str
    support: int
    body: int
    confidence: float

    def __str__(self) -> str:
        return f"{self.text} ({self.support} of {self.body})"


class HornRules:
    """The rules that some facts support, and the facts in the tables that they are counted in. It never changes.

    Args:
        facts: one told several times counts once.
        support: what a rule must have.
        confidence: likewise.
        unseen: u.

    Attributes:
        things: (name, whether it is a value), by number.
        relations: by number; the number plus how many there are is the relation walked from object to subject.
        loops: the relations that lead from some thing to itself.
    """

    def __init__(self, facts: Iterable[Fact], support: int, confidence: float, unseen: float) -> None:
        self._support, self._confidence, self._unseen = support, confidence, unseen
        told = list(facts)
        # Numbered by name: nothing depends on the order of the facts. A value is not the entity of the same name.
        self.things = sorted({(f.subject, False) for f in told} | {(f.object, f.literal) for f in told})
        self.relations = sorted({fact.relation for fact in told})
        self._thing = {thing: number for number, thing in enumerate(self.things)}
        self._relation = {relation: number for number, relation in enumerate(self.relations)}
        self._facts: dict[tuple[int, int, int], Fact] = {}
        for f in told:
            ends = self._thing[f.subject, False], self._thing[f.object, f.literal]
            self._facts.setdefault((ends[0], self._relation[f.relation], ends[1]), f)
        self._tabulate(np.array(sorted(self._facts), dtype=np.int64).reshape(-1, 3))
        self._learn_paths()
        self._learn_traits()

    @property
    def confidences(self) -> NDArray[np.float64]:
        """Of all rules ``[rules]``, by number."""
        return np.concatenate([[path[-1] for path in self._paths], self._sure])

    def number(self, name: str, relation: str) -> tuple[int, int] | None:
        """The numbers of a thing (an entity rather than a value) and of a relation; None where one is not known."""
        thing = self._thing.get((name, False), self._thing.get((name, True)))
        found = self._relation.get(relation)
        return None if thing is None or found is None else (thing, found)

    def _tabulate(self, triples: Ints) -> None:
        count, self._any = len(self.relations), len(self.things)
        self._width = self._any + 1
        x, a, y = self._steps = np.concatenate([triples, triples[:, ::-1] + [0, count, 0]]).T
        self.loops = set(a[x == y].tolist())
        # A trait is a relation with what it leads to, or with anything: an atom with a constant.
        some = np.unique(np.stack([x, a], axis=1), axis=0).T
        x = np.concatenate([x, some[0]])
        codes = np.concatenate([a * self._width + y, some[1] * self._width + self._any])
        self._traits, trait = np.unique(codes, return_inverse=True)
        self._members = _Groups.by(trait, x, len(self._traits))
        self._traits_of = _Groups.by(x, trait, self._any)

    def back(self, relation: Number) -> Number:
        """The relation, walked the other way."""
        return (relation + len(self.relations)) % (2 * len(self.relations))

    def _find(self, relation: Ints, thing: Ints) -> tuple[Ints, Ints]:
        """The traits that there are of some: the place of each among those asked for, and its number."""
        codes = relation * self._width + thing
        traits = np.searchsorted(self._traits, codes).clip(max=len(self._traits) - 1)
        there = np.flatnonzero(self._traits[traits] == codes)
        return there, traits[there]

    def _follow(self, relation: Ints, things: Ints) -> tuple[Ints, Ints]:
        """Where relations lead from things: the place of the thing among them, and the end."""
        there, traits = self._find(self.back(relation), things)
        ends, counts = self._members.many(traits)
        return np.repeat(there, counts), ends

    def ends(self, relation: int, start: int) -> Ints:
        """Where a relation leads from a thing, rising."""
        return self._follow(np.array([relation]), np.array([start]))[1]

    def _walks(self, first: Ints, second: Ints, starts: Ints) -> tuple[Ints, Ints]:
        """The walks from each start along two relations: the place of the start among them, and the end."""
        place, middles = self._follow(first, starts)
        apart = middles != starts[place]
        place, middles = place[apart], middles[apart]
        onwards, ends = self._follow(second[place], middles)
        apart = (ends != middles[onwards]) & (ends != starts[place[onwards]])
        return place[onwards[apart]], ends[apart]

    def _learn_paths(self) -> None:
        count = len(self.relations)
        links: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for x, a, y in self._steps.T.tolist():
            links[x][y].append(a)
        counted: Counter[tuple[int, Path]] = Counter()
        for x, ends in links.items():
            for y, between in ends.items():
                heads = [a for a in between if a < count]
                paths: set[Path] = {(a,) for a in between if x != y or a < count}
                if heads and x != y:
                    for z in (links[y].keys() & ends.keys()) - {x, y}:
                        paths.update((a, self.back(b)) for a in ends[z] for b in links[y][z])
                counted.update((head, path) for head in heads for path in paths if path != (head,))
        bodies: dict[Path, int] = {}
        steps: dict[tuple[int, int], list[tuple[int, Path]]] = defaultdict(list)
        self._paths: list[tuple[int, Path, int, int, float]] = []
        for (head, path), support in sorted(counted.items()):
            if support >= self._support:
                body = bodies[path] if path in bodies else bodies.setdefault(path, self._body(path))
                if body and support / (body + self._unseen) >= self._confidence:
                    turned = tuple(self.back(a) for a in reversed(path))
                    steps[head, len(path)].append((len(self._paths), path))
                    steps[self.back(head), len(path)].append((len(self._paths), turned))
                    self._paths.append((head, path, support, body, support / (body + self._unseen)))
        # Relation → for each length of a path the rules [P] that predict it and their relations [length, P].
        self._paths_to: dict[int, list[tuple[Ints, Ints]]] = defaultdict(list)
        for (head, _), rules in steps.items():
            self._paths_to[head].append((np.array([n for n, _ in rules]), np.array([path for _, path in rules]).T))

    def _body(self, path: Path) -> int:
        """The pairs that a path leads from and to; 0 for one that has too many walks."""
        x, a, y = self._steps
        if len(path) == 1:
            return int(np.count_nonzero((a == path[0]) & ((x != y) | (path[0] < len(self.relations)))))
        into, onwards = (np.bincount(c, minlength=self._any) for c in (y[a == path[0]], x[a == path[1]]))
        if into @ onwards > MOST_WALKS:
            return 0
        starts = np.unique(x[a == path[0]])
        place, ends = self._walks(np.full(len(starts), path[0]), np.full(len(starts), path[1]), starts)
        return len(np.unique(place * self._any + ends))

    def _learn_traits(self) -> None:
        sizes = np.diff(self._members.starts)
        relation, constant = np.divmod(self._traits, self._width)
        found = [np.zeros((4, 0))]
        for head in np.flatnonzero((constant != self._any) & (sizes >= self._support)).tolist():
            bodies, support = np.unique(self._traits_of.many(self._members[head])[0], return_counts=True)
            sure = support / (sizes[bodies] + self._unseen)
            kept = (support >= self._support) & (sure >= self._confidence) & (bodies != head)
            found.append(np.stack([np.full(kept.sum(), head), bodies[kept], support[kept], sure[kept]]))
        *whole, self._sure = np.concatenate(found, axis=1)
        self._heads, self._bodies, self._supports = (column.astype(np.int64) for column in whole)
        # Looked up by the head, and by the body together with the head's relation.
        self._rules_to = np.searchsorted(self._heads, np.arange(len(self._traits) + 1))
        keys = relation[self._heads] * len(self._traits) + self._bodies
        self._by_key = np.argsort(keys, kind="stable")
        self._keys = keys[self._by_key]

    def fired(self, start: int, relation: int) -> tuple[Ints, Ints]:
        """What the rules say where a relation leads from a thing: ends and rules, each pair once."""
        found: list[tuple[Ints, Ints]] = []
        for numbers, steps in self._paths_to.get(relation, ()):
            starts = np.full(len(numbers), start)
            if len(steps) == 2:
                place, ends = self._walks(steps[0], steps[1], starts)
                place, ends = np.divmod(np.unique(place * self._any + ends), self._any)
            else:
                place, ends = self._follow(steps[0], starts)
                turned = (steps[0] < len(self.relations)) != (relation < len(self.relations))
                apart = (ends != start) | ~turned[place]
                place, ends = place[apart], ends[apart]
            found.append((ends, numbers[place]))
        # The start as x: its traits tell d. That it has the relation at all is what the question says.
        asked = self._find(np.array([relation]), np.array([self._any]))[1]
        keys = relation * len(self._traits) + np.union1d(self._traits_of[start], asked)
        low, high = np.searchsorted(self._keys, keys), np.searchsorted(self._keys, keys, "right")
        rules = self._by_key[_ranges(low, high - low)]
        found.append((self._traits[self._heads[rules]] % self._width, len(self._paths) + rules))
        # The start as d: whoever has a trait that tells it is x.
        for head in self._find(np.array([self.back(relation)]), np.array([start]))[1]:
            rules = np.arange(self._rules_to[head], self._rules_to[head + 1])
            ends, counts = self._members.many(self._bodies[rules])
            found.append((ends, len(self._paths) + np.repeat(rules, counts)))
        ends, rules = (np.concatenate(column) for column in zip(*found, strict=True))
        return ends, rules

    def because(self, rule: int, start: int, relation: int, end: int) -> tuple[Fact, ...]:
        """The facts that satisfy the left side of a rule."""
        if rule >= len(self._paths):
            (head, _), (body, constant) = self._atoms(rule - len(self._paths))
            x = start if head == relation else end
            if constant == self._any and body == head:
                return ()
            return (self._fact(x, body, int(self.ends(body, x)[0]) if constant == self._any else constant),)
        x, y = (start, end) if relation < len(self.relations) else (end, start)
        path = self._paths[rule][1]
        if len(path) == 1:
            return (self._fact(x, path[0], y),)
        middles = np.intersect1d(self.ends(path[0], x), self.ends(self.back(path[1]), y))
        z = int(middles[(middles != x) & (middles != y)][0])
        return self._fact(x, path[0], z), self._fact(z, path[1], y)

    def _fact(self, x: int, relation: int, y: int) -> Fact:
        turned = relation >= len(self.relations)
        return self._facts[(y, self.back(relation), x) if turned else (x, relation, y)]

    def _atoms(self, row: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The right and the left side of a rule with constants: relation and constant of each."""
        head, body = (divmod(int(self._traits[trait[row]]), self._width) for trait in (self._heads, self._bodies))
        return head, body

    def rule(self, number: int) -> Rule:
        """What a rule says. Those with variables alone come first."""
        if number < len(self._paths):
            relation, path, support, size, sure = self._paths[number]
            between = "xy" if len(path) == 1 else "xzy"
            left = " ∧ ".join(self._atom(a, *between[i : i + 2]) for i, a in enumerate(path))
            return Rule(f"{left} → {self._atom(relation, 'x', 'y')}", support, size, sure)
        row = number - len(self._paths)
        right, left = (
            self._atom(a, "x", "·" if c == self._any else self.things[c][0]) for a, c in self._atoms(row)
        )
        body = len(self._members[self._bodies[row]])
        return Rule(f"{left} → {right}", int(self._supports[row]), body, float(self._sure[row]))

    def _atom(self, relation: int, x: str, y: str) -> str:
        if relation >= len(self.relations):
            relation, x, y = self.back(relation), y, x
        return f"{self.relations[relation]}({x}, {y})"


@dataclass(frozen=True)
class _Groups:
    """Values in groups: group i is ``values[starts[i] : starts[i + 1]]``, rising."""

    starts: Ints
    values: Ints

    @classmethod
    def by(cls, keys: Ints, values: Ints, count: int) -> _Groups:
        order = np.lexsort((values, keys))
        return cls(np.searchsorted(keys[order], np.arange(count + 1)), values[order])

    def __getitem__(self, group: int) -> Ints:
        return self.values[self.starts[group] : self.starts[group + 1]]

    def many(self, groups: Ints) -> tuple[Ints, Ints]:
        """The values of several groups, one after another, and how many each has."""
        counts = self.starts[groups + 1] - self.starts[groups]
        return self.values[_ranges(self.starts[groups], counts)], counts


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """The numbers ``start, start + 1, …``, as many as each count says, one range after another."""
    ranges: Ints = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
    return ranges
