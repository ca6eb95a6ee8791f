import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore, migration
from understudy.knowledge.retrieval import RECIPES


@pytest.fixture
def path(tmp_path: Path, checkout: Path) -> Path:
    """A copy of a store of format 1, as version 1.2 made it."""
    copy = Path(shutil.copy(checkout / "tests" / "knowledge" / "store_v1.sqlite", tmp_path / "store.db"))
    with sqlite3.connect(copy) as connection:
        # What it was made from is there no more.
        connection.execute("UPDATE documents SET origin = replace(origin, '/tmp/', '/gone/') WHERE origin != ''")
    connection.close()
    return copy


@pytest.fixture
def store(path: Path) -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(path) as opened:
        yield opened


def test_it_opens_with_its_own_embedder_and_is_in_order(store: KnowledgeStore) -> None:
    assert store.embedder.name == "hashed-64-3.4" and store.check() == []
    assert store.stats() | {"version": 0} == {"documents": 4, "passages": 4, "entities": 11, "facts": 7, "version": 0}
    assert store.documents() == ["briefs.csv", "facts.csv", "guide.md", "notes"] and store.namespaces() == ["default"]


def test_it_says_what_it_said(store: KnowledgeStore) -> None:
    assert [(r.title, r.source, r.start, r.end) for r in store.passages()] == [
        ("Peru", "briefs.csv#Peru", 0, 46),
        ("Chile", "briefs.csv#Chile", 0, 33),
        ("Peru > Food", "guide.md:17-38", 17, 38),
        ("A voyage", "notes#A voyage", 0, 22),
    ]
    assert [(str(f), f.source) for f in store.all_facts()] == [
        ("Peru is a country", "facts.csv#1"),
        ("chile is a country", "facts.csv#2"),
        ("Peru borders chile", "facts.csv#3"),
        ("chile borders Peru", "facts.csv#4"),
        ("Peru also called Peruvian", "facts.csv#5"),
        ("Japan also called Nippon", "facts.csv#6"),
        ("Ada met Bob", "notes#A voyage"),
    ]
    assert store.resolve("Peruvian") == "Peru" and store.kinds("chile") == ["country"]
    assert [m.entity for m in store.link("Nippon, Peruvians and Lima")] == ["Japan", "Peru"]


def test_every_question_is_answered(store: KnowledgeStore) -> None:
    for recipe in RECIPES:
        assert store.search("What is the capital of Peru?", 1, recipe)[0].source == "briefs.csv#Peru"
        assert store.search(
            "Ceviche of Peru", 9, recipe, where={"document": "guide.md"}, namespace="default", as_of="2020"
        )
    assert ("A voyage", "Japan") in [(r.title, r.path[0].name) for r in store.search("Japan", 9, "graph")]
    assert store.neighbours("Peru") == ["chile"] and len(store.paths("Peru", "Chile")) == 2
    assert store.query("?x borders ?y . ?y borders ?x . ?x also_called ?name") == [
        {"x": "Peru", "y": "chile", "name": "Peruvian"}
    ]
    assert [r.title for r in store.naming("Chile")] == ["Chile", "Peru"]


def test_it_takes_changes(store: KnowledgeStore) -> None:
    (voyage,) = [r.passage for r in store.passages("notes")]
    assert store.add_passages([Passage("A voyage", "We sailed from Nippon.")]) == [voyage], "it is there already"
    (new,) = store.add_passages([Passage("Quito", "Quito lies high.")], namespace="other")
    assert new > voyage and store.add_facts([("Peru", "BORDERS", "Chile"), ("peru", "borders", "CHILE")]) == 1
    assert store.delete_passage(voyage) and store.resolve("Ada") is None, "it supported the fact"
    assert store.delete("facts.csv") and [str(f) for f in store.facts("peru")] == [
        "peru borders CHILE",
        "peru BORDERS CHILE",
    ]
    assert store.update_fact(Fact("Peru", "BORDERS", "Chile"), Fact("Peru", "trades_with", "Chile", valid_from="2009"))
    assert store.delete("briefs.csv") and store.search("Santiago", recipe="lexical") == [] and store.check() == []


def test_near_duplicates_of_what_was_there_are_found(store: KnowledgeStore, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(
        "title,text\nX,Lima is the capital of Peru. It borders Chile!\n", encoding="utf-8"
    )
    assert [d.other for d in store.add(tmp_path / "new.csv").duplicates] == ["briefs.csv#Peru"]


def test_a_file_of_the_same_content_is_known_and_a_changed_one_replaces_it(
    store: KnowledgeStore, tmp_path: Path
) -> None:
    (tmp_path / "briefs.csv").write_text("title,text\nPeru,Cusco.\n", encoding="utf-8")
    assert store.add(tmp_path / "briefs.csv").documents == 1 and store.add(tmp_path / "briefs.csv").unchanged == 1
    assert [r.text for r in store.passages("briefs.csv")] == ["Cusco."] and store.check() == []


def test_it_is_the_same_after_it_was_opened_again_and_like_a_new_one(
    path: Path, contents: Callable[..., object]
) -> None:
    with KnowledgeStore.open(path) as store:
        before = contents(store)
    with KnowledgeStore.open(path) as again, KnowledgeStore.open(path.with_name("new.db")) as new:
        assert contents(again) == before

        def schema(store: KnowledgeStore) -> set[tuple[str, str]]:
            rows = store._connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
            return {(name, " ".join((sql or "").replace('"', "").split())) for name, sql in rows}

        assert schema(again) == schema(new)


def test_a_migration_that_fails_leaves_the_old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sqlite3.connect(path).iterdump())
    monkeypatch.setattr(migration, "fingerprint", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        KnowledgeStore.open(path)
    monkeypatch.undo()
    assert list(sqlite3.connect(path).iterdump()) == before
    with KnowledgeStore.open(path) as store:
        assert store.check() == []


def test_another_embedder_is_told_before_and_after(path: Path) -> None:
    for _ in range(2):
        with pytest.raises(UnderstudyError, match="embedder hashed-64-3.4, not of hashed-1024"):
            KnowledgeStore.open(path, "hashed")
    with KnowledgeStore.rebuild(path, "hashed") as store:
        assert store.search("Santiago", 1, "dense")[0].title == "Chile" and store.check() == []
