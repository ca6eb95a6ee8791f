"""Links: each kind of rule is learned, none the wrong way round; counts and ranks are those of brute force."""

import random
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.horn import HornRules, Rule
from understudy.knowledge.links import LinkPredictor

Triple = tuple[str, str, str]
PEOPLE = [f"p{i}" for i in range(8)]


def facts(*triples: Triple) -> list[Fact]:
    return [Fact(*triple) for triple in triples]


def texts(told: list[Fact], support: int = 2, confidence: float = 0.5) -> dict[str, Rule]:
    rules = HornRules(told, support, confidence, unseen=0.0)
    return {rule.text: rule for rule in map(rules.rule, range(len(rules.confidences)))}


def test_a_relation_implies_another_in_its_own_direction_alone() -> None:
    told = [t for i in range(4) for t in facts((f"a{i}", "capital_of", f"b{i}"), (f"a{i}", "lies_in", f"b{i}"))]
    told += facts(*((f"c{i}", "lies_in", f"d{i}") for i in range(8)))
    found = {text: rule for text, rule in texts(told).items() if "·" not in text}
    assert list(found) == ["capital_of(x, y) → lies_in(x, y)"]
    assert (found["capital_of(x, y) → lies_in(x, y)"].support, found["capital_of(x, y) → lies_in(x, y)"].body) == (4, 4)
    links = LinkPredictor.learn([*told, Fact("Lima", "capital_of", "Peru")], unseen=1.0)
    (best, *_) = links.objects("Lima", "lies_in")
    assert (best.name, best.because) == ("Peru", (Fact("Lima", "capital_of", "Peru"),))
    assert best.confidence == 4 / 6 and str(best.rule) == "capital_of(x, y) → lies_in(x, y) (4 of 5)"
    assert links.subjects("lies_in", "Peru")[0].name == "Lima"
    assert not any(p.because and p.name == "Lima" for p in links.objects("Peru", "lies_in"))


def test_inverse_relations_are_learned_both_ways() -> None:
    told = [t for i in range(4) for t in facts((f"a{i}", "parent_of", f"b{i}"), (f"b{i}", "child_of", f"a{i}"))]
    found = set(texts(told))
    expected = {"parent_of(y, x) → child_of(x, y)", "child_of(y, x) → parent_of(x, y)"}
    assert {text for text in found if "·" not in text} == expected
    links = LinkPredictor.learn([*told, Fact("Ada", "parent_of", "Bob")])
    assert links.objects("Bob", "child_of")[0].name == links.subjects("child_of", "Ada")[0].because[0].subject == "Ada"


def test_a_symmetric_relation_is_learned_and_an_asymmetric_one_is_not() -> None:
    told = [t for a, b in [("a", "b"), ("c", "d"), ("e", "f")] for t in facts((a, "borders", b), (b, "borders", a))]
    told += facts(("a", "north_of", "b"), ("c", "north_of", "d"), ("e", "north_of", "f"))
    found = texts(told, confidence=0.1)
    assert found["borders(y, x) → borders(x, y)"].confidence == 1.0
    assert "north_of(y, x) → north_of(x, y)" not in found
    links = LinkPredictor.learn([*told, Fact("Peru", "borders", "Chile")])
    assert [(p.name, p.because) for p in links.objects("Chile", "borders", 1)] == [
        ("Peru", (Fact("Peru", "borders", "Chile"),))
    ]


def test_a_composition_is_learned_with_the_direction_of_each_atom() -> None:
    told: list[Fact] = []
    for i in range(4):
        who, town, land = f"who{i}", f"town{i}", f"land{i}"
        told += facts((who, "born_in", town), (land, "has_town", town), (who, "of", land))
    found = {text for text in texts(told) if "∧" in text and text.endswith("→ of(x, y)")}
    assert found == {"born_in(x, z) ∧ has_town(y, z) → of(x, y)"}
    new = facts(("Ada", "born_in", "Lima"), ("Peru", "has_town", "Lima"))
    links = LinkPredictor.learn([*told, *new])
    assert [(p.name, p.because) for p in links.objects("Ada", "of", 1)] == [("Peru", tuple(new))]
    assert [(p.name, p.because) for p in links.subjects("of", "Peru", 1)] == [("Ada", tuple(new))]


def test_constants_stand_for_things_that_go_together() -> None:
    told = [t for i in range(5) for t in facts((f"p{i}", "speaks", "French"), (f"p{i}", "lives_in", "France"))]
    told += [t for i in range(5, 9) for t in facts((f"p{i}", "speaks", "Thai"), (f"p{i}", "lives_in", "Thailand"))]
    told.append(Fact("Zoe", "speaks", "French"))
    found = texts(told)
    assert found["speaks(x, French) → lives_in(x, France)"].support == 5
    assert "speaks(x, French) → lives_in(x, Thailand)" not in found
    links = LinkPredictor.learn(told)
    best, other = links.objects("Zoe", "lives_in")
    assert (best.name, best.because) == ("France", (Fact("Zoe", "speaks", "French"),))
    assert other.name == "Thailand" and other.confidence < best.confidence
    # Of the two that say so, "speaks(x, ·)" and "lives_in(x, ·)", the second has no reason but that it is frequent.
    assert all(p.because for p in links.subjects("lives_in", "France") if p.name == "Zoe")


def test_what_is_only_frequent_has_no_reason() -> None:
    told = facts(*((f"p{i}", "lives_in", "France") for i in range(5)), ("Zoe", "knows", "p1"))
    (only,) = LinkPredictor.learn(told).objects("Zoe", "lives_in")
    assert (only.name, only.rule.text, only.because) == ("France", "lives_in(x, ·) → lives_in(x, France)", ())


def test_unknown_names_predict_nothing() -> None:
    told = facts(("a", "r", "b"), ("c", "r", "b"))
    links = LinkPredictor.learn(told)
    assert links.objects("z", "r") == links.objects("a", "q") == []
    assert links.subjects("r", "z") == links.subjects("q", "b") == []
    nothing = LinkPredictor.learn([])
    assert nothing.objects("a", "r") == nothing.subjects("r", "a") == []


def test_a_value_is_not_the_entity_of_the_same_name() -> None:
    told = [*facts(("a", "likes", "Lima"), ("b", "likes", "Lima"), ("Lima", "lies_in", "Peru"))]
    values = [Fact("a", "called", "Lima", literal=True), Fact("b", "called", "Lima", literal=True)]
    assert not any("∧" in text for text in texts([*told, *values], support=1, confidence=0.0) if "called" in text)


def test_known_links_are_not_predicted_and_a_thing_is_its_own_only_where_that_happens() -> None:
    told = facts(*((a, "near", b) for a in PEOPLE[:4] for b in PEOPLE[:4] if a != b), ("p4", "near", "p0"))
    links = LinkPredictor.learn(told)
    assert {p.name for p in links.objects("p4", "near")} == {"p1", "p2", "p3"}
    assert links.objects("p0", "near")[0].name == "p4"
    loops = LinkPredictor.learn([*told, *facts(*((p, "near", p) for p in PEOPLE[:3]))])
    assert "p3" in {p.name for p in loops.objects("p3", "near")}


def test_equal_confidences_are_told_apart_by_the_next_rules() -> None:
    told = [Fact(f"a{i}", relation, f"b{i}") for i in range(3) for relation in ("r", "one", "two")]
    told += facts(("x", "one", "likely"), ("x", "two", "likely"), ("x", "one", "also"), ("y", "two", "z"))
    rules = HornRules(told, 2, 0.4, 0.0)
    strict, free = LinkPredictor(rules), LinkPredictor(rules, "or")
    assert [p.name for p in strict.objects("x", "r")] == [p.name for p in free.objects("x", "r")] == ["likely", "also"]
    one, other = strict.objects("x", "r")
    assert one.confidence == 0.6 and other.confidence == 0.6
    assert free.objects("x", "r")[0].confidence == pytest.approx(1 - 0.4 * 0.4)
    assert LinkPredictor(rules, "or", 1).objects("x", "r")[0].confidence == pytest.approx(0.6)


def test_the_order_of_the_facts_and_repetitions_change_nothing() -> None:
    draw = random.Random(3)
    told = facts(*((draw.choice(PEOPLE), draw.choice("rst"), draw.choice(PEOPLE)) for _ in range(40)))
    one = LinkPredictor.learn(told, confidence=0.0)
    draw.shuffle(told)
    other = LinkPredictor.learn([*told, *told[:9]], confidence=0.0)
    for person, relation in product(PEOPLE, "rst"):
        assert one.objects(person, relation, 99) == other.objects(person, relation, 99)
        assert one.subjects(relation, person, 99) == other.subjects(relation, person, 99)


def test_facts_of_a_store_are_what_it_learns_from() -> None:
    with KnowledgeStore.open(embedder="hashed") as store:
        store.add_facts([("Peru", "borders", "Chile"), ("Chile", "borders", "Peru"), ("Chile", "borders", "Bolivia")])
        best = LinkPredictor.learn(store.all_facts()).objects("Bolivia", "borders")[0]
        assert best.name == "Chile" and store.facts("Bolivia") == list(best.because)


NAME = st.sampled_from(["a", "b", "c", "d", "e"])
GRAPH = st.lists(st.tuples(NAME, st.sampled_from(["r", "s", "t"]), NAME), min_size=1, max_size=25)


def brute(triples: set[Triple]) -> dict[str, tuple[int, int]]:
    """Every rule with its support and body, by trying all things for all variables; those without support left out."""
    names = sorted({end for s, _, o in triples for end in (s, o)})
    relations = sorted({r for _, r, _ in triples})
    atoms = [(r, turned) for r in relations for turned in (False, True)]

    def holds(atom: tuple[str, bool], x: str, y: str) -> bool:
        return ((y, atom[0], x) if atom[1] else (x, atom[0], y)) in triples

    def told(atom: tuple[str, bool], x: str, y: str) -> str:
        return f"{atom[0]}({y}, {x})" if atom[1] else f"{atom[0]}({x}, {y})"

    found: dict[str, tuple[int, int]] = {}
    for r, a in product(relations, atoms):
        if a == (r, False):
            continue
        pairs = {(x, y) for x, y in product(names, names) if holds(a, x, y) and (x != y or not a[1])}
        support = sum((x, r, y) in triples for x, y in pairs)
        found[f"{told(a, 'x', 'y')} → {r}(x, y)"] = support, len(pairs)
    for r, a, b in product(relations, atoms, atoms):
        apart = (way for way in product(names, repeat=3) if len(set(way)) == 3)
        ways = {(x, y) for x, z, y in apart if holds(a, x, z) and holds(b, z, y)}
        support = sum((x, r, y) in triples for x, y in ways)
        found[f"{told(a, 'x', 'z')} ∧ {told(b, 'z', 'y')} → {r}(x, y)"] = support, len(ways)
    for h, d, a, c in product(atoms, names, atoms, [*names, "·"]):
        if (h, d) == (a, c):
            continue
        whose = {x for x in names if any(holds(a, x, y) for y in (names if c == "·" else [c]))}
        found[f"{told(a, 'x', c)} → {told(h, 'x', d)}"] = sum(holds(h, x, d) for x in whose), len(whose)
    return {text: counts for text, counts in found.items() if counts[0]}


@given(GRAPH, st.integers(1, 3), st.sampled_from([0.0, 0.3, 0.8]), st.sampled_from([0.0, 2.0]))
@settings(max_examples=60, deadline=None)
def test_rules_and_their_counts_are_those_of_brute_force(
    triples: list[Triple], support: int, confidence: float, unseen: float
) -> None:
    rules = HornRules(facts(*triples), support, confidence, unseen)
    found = [rules.rule(number) for number in range(len(rules.confidences))]
    expected = {
        text: (both, body, both / (body + unseen))
        for text, (both, body) in brute(set(triples)).items()
        if both >= support and both / (body + unseen) >= confidence
    }
    assert {rule.text: (rule.support, rule.body, rule.confidence) for rule in found} == expected
    assert len(found) == len(expected) and rules.confidences.tolist() == [rule.confidence for rule in found]


@given(GRAPH, st.sampled_from(["max", "or"]))
@settings(max_examples=60, deadline=None)
def test_reasons_are_facts_that_the_rule_applies_to(triples: list[Triple], by: str) -> None:
    known = facts(*triples)
    links = LinkPredictor.learn(known, support=1, confidence=0.0, by="or" if by == "or" else "max")
    for name, relation in product("abcde", "rst"):
        for asked, other in ((links.objects, False), (links.subjects, True)):
            found = asked(relation, name, 99) if other else asked(name, relation, 99)  # type: ignore[arg-type]
            assert [p.confidence for p in found] == sorted((p.confidence for p in found), reverse=True)
            assert len({p.name for p in found}) == len(found)
            for p in found:
                x, y = (p.name, name) if other else (name, p.name)
                assert Fact(x, relation, y) not in known and 0 < p.confidence <= 1
                assert set(p.because) <= set(known)
                assert by == "or" or p.confidence == p.rule.confidence
                left, right = p.rule.text.split(" → ")
                atoms = left.split(" ∧ ")
                assert len(p.because) == len(atoms) or not p.because and "·" in left
                if "z" not in left and not p.because:
                    assert left.split("(")[0] == right.split("(")[0] == relation
                for fact in p.because:
                    assert {x, y} & {fact.subject, fact.object}


@pytest.mark.parametrize("seed", range(6))
def test_the_ranking_is_that_of_every_rule_tried_on_every_thing(seed: int) -> None:
    draw = random.Random(seed)
    triples = {(draw.choice("abcdefg"), draw.choice("rst"), draw.choice("abcdefg")) for _ in range(30)}
    if seed % 2:
        triples = {(s, r, o) for s, r, o in triples if s != o}
    loops = {r for s, r, o in triples if s == o}
    rules = HornRules(facts(*triples), 1, 0.0, 1.0)
    strict, free = LinkPredictor(rules), LinkPredictor(rules, "or")
    sure = {text: both / (body + 1.0) for text, (both, body) in brute(triples).items()}
    names = sorted({end for s, _, o in triples for end in (s, o)})
    for start, relation, turned in product(names, "rst", (False, True)):
        expected = {}
        for other in names:
            x, y = (other, start) if turned else (start, other)
            if (x, relation, y) in triples or x == y and relation not in loops:
                continue
            asked = f"{relation}(·, x) → {relation}({x}, x)" if turned else f"{relation}(x, ·) → {relation}(x, {y})"
            if applying := [sure[text] for text in {*applicable(triples, x, relation, y), asked} if text in sure]:
                expected[other] = sorted(applying, reverse=True)[:10]
        order = sorted((([-c for c in best] + [0.0] * 10)[:10], other) for other, best in expected.items())
        found = strict.subjects(relation, start, 99) if turned else strict.objects(start, relation, 99)
        assert [(p.name, p.confidence) for p in found] == [(other, expected[other][0]) for _, other in order]
        found = free.subjects(relation, start, 99) if turned else free.objects(start, relation, 99)
        independent = {other: 1 - prod(1 - c for c in best) for other, best in expected.items()}
        assert {p.name: p.confidence for p in found} == pytest.approx(independent)


def applicable(triples: set[Triple], x: str, relation: str, y: str) -> set[str]:
    """The texts of all rules whose left side holds so that the right one is relation(x, y)."""

    def around(thing: str) -> list[tuple[str, bool, str]]:
        """An atom with places for the thing and the other end, whether it points to the thing, and the other end."""
        leaving = [(f"{r}({{0}}, {{1}})", False, o) for s, r, o in triples if s == thing]
        return leaving + [(f"{r}({{1}}, {{0}})", True, s) for s, r, o in triples if o == thing]

    found = set()
    for atom, turned, end in around(x):
        if end == y and not (x == y and turned):
            found.add(f"{atom.format('x', 'y')} → {relation}(x, y)")
        if len({x, y, end}) == 3:
            onwards = [further for further, _, last in around(end) if last == y]
            found |= {f"{atom.format('x', 'z')} ∧ {further.format('z', 'y')} → {relation}(x, y)" for further in onwards}
        found |= {f"{atom.format('x', constant)} → {relation}(x, {y})" for constant in (end, "·")}
    for atom, _, end in around(y):
        found |= {f"{atom.format('x', constant)} → {relation}({x}, x)" for constant in (end, "·")}
    return found
