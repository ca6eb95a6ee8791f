"""A document is one document, however the path to it is written and whoever else writes."""

import math
from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def store():  # type: ignore[no-untyped-def]
    with KnowledgeStore.open(":memory:", "hashed") as opened:
        yield opened


def test_a_file_keeps_the_name_that_it_first_had(store: KnowledgeStore, tmp_path: Path) -> None:
    one, _ = write(tmp_path / "a" / "notes.md", "Alpha lives in Paris."), write(tmp_path / "b" / "notes.md", "Beta.")
    store.add(tmp_path)
    assert store.documents() == ["a/notes.md", "b/notes.md"]
    write(one, "Alpha lives in Madrid now.")
    assert store.add(one).documents == 1 and store.documents() == ["b/notes.md", "a/notes.md"]
    assert [r.text for r in store.passages()] == ["Beta.", "Alpha lives in Madrid now."]


def test_a_namesake_that_comes_later_is_told_apart(store: KnowledgeStore, tmp_path: Path) -> None:
    write(tmp_path / "a" / "notes.md", "Alpha.")
    store.add(tmp_path)
    write(tmp_path / "b" / "notes.md", "Beta.")
    added = store.add(tmp_path)
    assert (added.documents, added.unchanged) == (1, 1) and store.documents() == ["notes.md", "b/notes.md"]


def test_another_process_s_document_of_that_name_is_not_lost(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a" / "x.md", "Alpha."), write(tmp_path / "b" / "x.md", "Beta.")
    with (
        KnowledgeStore.open(tmp_path / "s.db", "hashed") as mine,
        KnowledgeStore.open(tmp_path / "s.db", "hashed") as theirs,
    ):
        extract = mine._extractor.extract

        class Slow:
            def extract(self, pieces):  # type: ignore[no-untyped-def]
                theirs.add(two)
                return extract(pieces)

        mine._extractor = Slow()
        with pytest.raises(UnderstudyError, match=r"another document is called x\.md"):
            mine.add(one)
        assert [r.text for r in mine.passages()] == ["Beta."]


def test_what_has_not_changed_is_read_anew_when_asked(store: KnowledgeStore, tmp_path: Path) -> None:
    file = write(tmp_path / "x.md", "Alpha.")
    store.add(file, metadata={"year": 2019})
    assert store.add(file, metadata={"year": 2020}).unchanged == 1
    assert store.add(file, metadata={"year": 2020}, again=True).documents == 1
    assert [r.metadata for r in store.passages()] == [{"year": 2020}]


def test_a_file_that_is_a_link_has_the_link_s_name(store: KnowledgeStore, tmp_path: Path) -> None:
    write(tmp_path / "blobs" / "1f2e", "# Peru\n\nLima.")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "peru.md").symlink_to(tmp_path / "blobs" / "1f2e")
    assert store.add(tmp_path / "notes").documents == 1 and store.documents() == ["peru.md"]


def test_numbers_that_json_does_not_have_poison_no_filter(store: KnowledgeStore, tmp_path: Path) -> None:
    store.add(write(tmp_path / "x.md", "Alpha."), metadata={"x": math.nan, "y": 10**30})
    assert store.search("Alpha", where={"z": 1}) == []
    assert store.search("Alpha", where={"y": str(10**30)})[0].text == "Alpha."


def test_what_is_no_fact_is_refused(store: KnowledgeStore) -> None:
    for bad in [("a", "b"), ("a", "b", 3), "abc", Fact("a", "b", "c", valid_from="2010", valid_until="2000")]:
        with pytest.raises(UnderstudyError):
            store.add_facts([bad])  # type: ignore[list-item]
    assert store.all_facts() == []


def test_a_relation_that_only_some_return_is_told_both_ways(store: KnowledgeStore) -> None:
    store.add_facts([("M", "loves", "N"), ("N", "loves", "M"), ("N", "loves", "O")])
    assert [str(f) for f in store.facts("M")] == ["M loves N", "N loves M"]


def test_a_way_says_which_way_a_fact_points(store: KnowledgeStore) -> None:
    store.add_facts([("Odin", "father_of", "Thor")])
    store.add_passages([Passage("Odin", "One-eyed."), Passage("Thor", "With a hammer.")])
    # More passages with the query's word than a walk begins at.
    store.add_passages([Passage(f"Note {n}", f"Thor was seen on day {n}.") for n in range(30)])
    (way,) = [r.path for r in store.search("Thor", 40, "graph") if r.title == "Odin"]
    assert ("Odin", "father_of", False) in [(hop.name, hop.relation, hop.forward) for hop in way]


def test_kinds_entities_and_the_graph_are_of_a_namespace(store: KnowledgeStore) -> None:
    store.add_facts([("Ada", "is_a", "spy"), ("Ada", "met", "Bob")], namespace="secret")
    store.add_facts([("Ada", "is_a", "poet")], namespace="open")
    assert store.kinds("Ada", "open") == ["poet"] and store.entities("spy", "open") == []
    assert store.entities(namespace="open") == ["Ada"] and store.graph("open").number_of_edges() == 0


def test_the_same_boilerplate_hides_no_copy(store: KnowledgeStore, tmp_path: Path) -> None:
    boilerplate = " ".join(f"All rights reserved by clause {n} of the agreement." for n in range(12))
    rows = "".join(f'note {n},"{boilerplate} Mine is word{n} alone{n} here{n}."\n' for n in range(40))
    store.add(write(tmp_path / "a.csv", f"title,text\n{rows}"))
    (duplicate,) = store.add(write(tmp_path / "b.csv", f"title,text\n{rows.splitlines()[-1]}\n")).duplicates
    assert (duplicate.other, duplicate.likeness) == ("a.csv#note 39", 1.0)
    assert store.add(write(tmp_path / "c.csv", f"title,text\n{rows}"), namespace="x").duplicates[:1] != ()


def test_an_unknown_embedder_asks_nobody() -> None:
    with pytest.raises(UnderstudyError, match="there is no embedder 'nosuch'"):
        KnowledgeStore.open(":memory:", "nosuch")
