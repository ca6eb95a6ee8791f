import re
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.export import graphml, ntriples, write

FACTS = [
    Fact("Peru", "borders", "Chile", "facts.csv#1", "1821-07-28", "2100"),
    Fact("Peru", "borders", "Bolivia", "facts.csv#2"),
    Fact("Peru", "population", "33 million", "facts.csv#3", literal=True),
    Fact("São Tomé", "capital of", "Peru", "a <b> & c"),
    Fact("Peru", "is_a", "country", "facts.csv#4", literal=True),
    Fact("Peru", "also_called", 'The "Republic"\n\\ of\tPeru', "facts.csv#5", literal=True),
]
# Of the grammar in https://www.w3.org/TR/n-triples/#n-triples-grammar: IRIREF and STRING_LITERAL_QUOTE.
IRI = r'<(?:[^\x00-\x20<>"{}|^`\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*>'
STRING = r'"(?:[^"\\\n\r]|\\[tbnrf"\'\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*"'
TRIPLE = re.compile(rf"{IRI} {IRI} (?:{IRI}|{STRING}) \.")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def triples(text: str) -> list[str]:
    assert text == "" or text.endswith("\n")
    return text.split("\n")[:-1]


def test_graphml_is_read_by_networkx_and_holds_all_of_a_fact(tmp_path: Path) -> None:
    assert write(FACTS, tmp_path / "deep" / "graph.GraphML") == 6
    read = nx.read_graphml(tmp_path / "deep" / "graph.GraphML", force_multigraph=True)
    assert read.is_directed()
    names, told = read.nodes(data="name"), set()
    for a, b, edge in read.edges(data=True):
        value = read.nodes[b]["literal"]
        told.add(
            Fact(names[a], edge["relation"], names[b], edge["source"], edge["valid_from"], edge["valid_until"], value)
        )
        assert not read.nodes[a]["literal"]
    assert told == set(FACTS)


def test_a_value_and_an_entity_of_one_name_are_two_nodes() -> None:
    read = nx.parse_graphml(graphml([Fact("A", "r", "A"), Fact("A", "r", "A", literal=True)]), force_multigraph=True)
    assert read.number_of_nodes() == 2 and read.number_of_edges() == 2


def test_ntriples() -> None:
    lines = triples(ntriples([*FACTS, FACTS[0]]))
    assert all(TRIPLE.fullmatch(line) for line in lines) and len(lines) == len(set(lines)) == 10
    peru, chile = "<urn:understudy:entity/Peru>", "<urn:understudy:entity/Chile>"
    label, kind = "<http://www.w3.org/2000/01/rdf-schema#label>", "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    expected = [
        f'{peru} {label} "Peru" .',
        f"{peru} <urn:understudy:relation/borders> {chile} .",
        f'{peru} <urn:understudy:relation/population> "33 million" .',
        f"<urn:understudy:entity/S%C3%A3o%20Tom%C3%A9> <urn:understudy:relation/capital%20of> {peru} .",
        f"{peru} {kind} <urn:understudy:kind/country> .",
        f'{peru} <http://www.w3.org/2004/02/skos/core#altLabel> "The \\"Republic\\"\\n\\\\ of\tPeru" .',
    ]
    assert [line for line in lines if line in expected] == expected


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.booleans()), max_size=4))
def test_whatever_a_fact_says_the_files_are_well_formed(rows: list[tuple[str, str, str, str, bool]]) -> None:
    facts = [Fact(a, r, b, source, literal=literal) for a, r, b, source, literal in rows]
    assert all(TRIPLE.fullmatch(line) for line in triples(ntriples(facts)))
    read = nx.parse_graphml(graphml(facts), force_multigraph=True)
    assert read.number_of_edges() == len(facts)


def test_no_facts_are_an_empty_file(tmp_path: Path) -> None:
    assert write([], tmp_path / "a.nt") == 0 and (tmp_path / "a.nt").read_bytes() == b""
    write([], tmp_path / "a.graphml")
    assert len(nx.read_graphml(tmp_path / "a.graphml")) == 0


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        opened.add_facts(FACTS)
        yield opened


@pytest.mark.parametrize("ending", ["graphml", "nt"])
def test_what_is_exported_can_be_added(store: KnowledgeStore, tmp_path: Path, ending: str) -> None:
    write(store.all_facts(), tmp_path / f"graph.{ending}")
    with KnowledgeStore.open(embedder="hashed") as other:
        other.add(tmp_path / f"graph.{ending}")
        assert [f.object for f in other.facts("peru", "borders")] == ["Chile", "Bolivia"]
        assert [(f.object, f.literal) for f in other.facts("Peru", "population")] == [("33 million", True)]
        assert other.kinds("Peru") == ["country"] and other.resolve("the republic of peru") == "Peru"
        assert [str(f) for f in other.facts("São Tomé")] == ["São Tomé capital of Peru"] and other.check() == []


@pytest.mark.parametrize("name", ["graph.csv", "graph", ".nt"])
def test_another_ending_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnderstudyError, match=r"no graph can be written .*name a file that ends in \.graphml or \.nt"):
        write(FACTS, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    (tmp_path / "folder.nt").mkdir()
    for place in ("file/graph.nt", "folder.nt"):
        with pytest.raises(UnderstudyError, match=re.escape(str(tmp_path / place))):
            write(FACTS, tmp_path / place)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["file", "folder.nt"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(FACTS[:1], tmp_path / "a.nt")
    before = (tmp_path / "a.nt").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(FACTS, tmp_path / "a.nt")
    monkeypatch.undo()
    assert (tmp_path / "a.nt").read_bytes() == before and [f.name for f in tmp_path.iterdir()] == ["a.nt"]
    write(FACTS, tmp_path / "a.nt")
    assert len((tmp_path / "a.nt").read_bytes()) > len(before)
