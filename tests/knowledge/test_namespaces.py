"""Parts of one store: what lies in one is never seen from another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.retrieval import RECIPES
from understudy.knowledge.vectors import VectorIndex


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        opened.add_facts([("Bob", "secretly_knows", "Ada"), ("Bob", "knows", "Dan")], "secret", namespace="two")
        for space, person in (("one", "Bob"), ("two", "Cid")):
            opened.add_passages([Passage("Ada", f"Ada met {person} in {space}.")], "notes", space)
            opened.add_facts([("Ada", "knows", person), ("Ada", "is_a", "poet")], "facts", namespace=space)
        opened.add_passages([Passage("Dan", "Dan sings in one.")], "songs", "one")
        yield opened


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_search_finds_nothing_of_another_part(store: KnowledgeStore, recipe: str) -> None:
    for query in ("Who met Ada?", "Ada", "Bob and Cid", "Dan"):
        for space in ("one", "two"):
            found = store.search(query, 9, recipe, namespace=space)
            assert {r.namespace for r in found} <= {space}
            names = {hop.name for r in found for hop in r.path}
            assert not names & ({"Cid"} if space == "one" else {"notes#Dan"})
            assert "secretly_knows" not in {hop.relation for r in found for hop in r.path} or space == "two"
        assert store.search(query, 9, recipe, namespace="three") == []
    assert {r.namespace for r in store.search("Who met Ada?", 9, recipe)} == {"one", "two"}


def test_no_way_leads_through_another_part(store: KnowledgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VectorIndex, "search", lambda *_: [])  # nothing is alike: the graph alone leads on
    assert "Dan" in [r.title for r in store.search("Bob", 9, "graph")], "Bob knows Dan, as part two says"
    assert "Dan" not in [r.title for r in store.search("Bob", 9, "graph", namespace="one")]
    store.delete_passage(next(r.passage for r in store.passages(namespace="one")))
    store.add_passages([Passage("", "We heard Bob sing.")], "b", "one")
    (told,) = store.search("Ada", 9, "graph", namespace="one")
    assert [hop.relation for hop in told.path] == ["", "knows", ""], "a relation that this part states"


def test_facts_paths_and_answers(store: KnowledgeStore) -> None:
    assert set(store.neighbours("Ada")) == {"Bob", "Cid"}
    for space, person in (("one", "Bob"), ("two", "Cid")):
        assert [str(f) for f in store.facts("Ada", "knows", namespace=space)] == [f"Ada knows {person}"]
        assert store.neighbours("Ada", "knows", namespace=space) == [person]
        assert store.query("Ada knows ?x", namespace=space) == [{"x": person}]
        assert {str(f) for f in store.all_facts(space)} >= {f"Ada knows {person}", "Ada is a poet"}
        assert [r.text for r in store.naming("Ada", space)] == [f"Ada met {person} in {space}."]
    assert store.paths("Ada", "Cid", namespace="one") == store.paths("Bob", "Dan", namespace="one") == []
    assert store.query("?x knows Dan . Ada ?r ?x", namespace="one") == []
    assert store.query("?x knows Dan . ?x ?r Ada", namespace="two") == [{"x": "Bob", "r": "secretly_knows"}]


def test_one_name_in_two_parts_is_two_documents(store: KnowledgeStore, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Quito lies high.", encoding="utf-8")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.md").write_text("Lima lies low.", encoding="utf-8")
    assert store.add(tmp_path / "a.md", namespace="one").documents == 1
    assert store.add(tmp_path / "b" / "a.md", namespace="two").documents == 1
    assert store.add(tmp_path / "a.md", namespace="one").unchanged == 1
    assert store.documents("one") == ["notes", "facts", "songs", "a.md"] and store.namespaces() == ["one", "two"]
    assert [r.text for r in store.passages("a.md", "two")] == ["Lima lies low."] and len(store.passages("a.md")) == 2
    (tmp_path / "a.md").write_text("Quito lies very high.", encoding="utf-8")
    assert store.add(tmp_path / "a.md", namespace="one").documents == 1
    assert {r.text for r in store.passages("a.md")} == {"Quito lies very high.", "Lima lies low."}
    assert not store.delete("a.md") and store.delete("a.md", "one")
    assert [r.text for r in store.passages("a.md")] == ["Lima lies low."] and store.check() == []


def test_the_same_passage_in_two_parts_is_two(store: KnowledgeStore) -> None:
    (one,) = store.add_passages([Passage("x", "y")], namespace="one")
    (two,) = store.add_passages([Passage("x", "y")], namespace="two")
    assert one != two and store.add_passages([Passage("x", "y")], namespace="one") == [one]


def test_a_part_is_deleted_with_all_that_only_it_supports(store: KnowledgeStore) -> None:
    assert store.delete_namespace("two") == 3 and store.delete_namespace("two") == 0 and store.namespaces() == ["one"]
    assert [str(f) for f in store.all_facts()] == ["Ada knows Bob", "Ada is a poet"] and store.resolve("Cid") is None
    assert all(r.namespace == "one" for recipe in RECIPES for r in store.search("Ada met Cid", 9, recipe))
    assert store.check() == []
