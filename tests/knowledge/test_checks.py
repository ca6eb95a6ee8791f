import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore

Sql = Callable[..., None]
OTHER_NAMES = "1 passages hold other names than are noted of them"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(tmp_path / "store.db", HashedEmbedder(16)) as opened:
        opened.add_passages([Passage("Peru", "Lima lies in Peru."), Passage("Chile", "Santiago lies in Chile.")])
        opened.add_facts(
            [("Peru", "borders", "Chile"), ("Peru", "also_called", "Perú Republic"), ("A", "also_called", "?")]
        )
        opened.search("Peru", recipe="graph")  # fills the caches
        assert opened.check() == []
        yield opened


@pytest.fixture
def damage(tmp_path: Path) -> Sql:
    """Runs SQL behind the back of the store: no foreign keys, and no new version."""

    def run(*statements: str) -> None:
        with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
            for statement in statements:
                other.execute(statement)
        other.close()

    return run


GONE = "a row names another that is gone"
LEXICAL = "the lexical index does not say what the passages say"
OTHER_GRAPH = "the graph has other edges than the tables"
OTHER_PASSAGES = "the vector index has other passages than the tables"
NOBODY = "INSERT INTO entities (key, name) VALUES ('nobody', 'Nobody')"


@pytest.mark.parametrize(
    "statement, told",
    [
        ("DELETE FROM vectors WHERE passage = 1", ["1 passages have no vector", OTHER_PASSAGES]),
        ("UPDATE vectors SET data = x'00000000'", ["2 vectors are not 16 numbers wide"]),
        (
            "UPDATE vectors SET data = zeroblob(64) WHERE passage = 1",
            ["the vector index has other vectors than the tables"],
        ),
        ("UPDATE passages SET text = 'changed' WHERE id = 2", [LEXICAL, OTHER_NAMES]),
        ("INSERT INTO lexical (lexical) VALUES ('delete-all')", [LEXICAL]),
        (NOBODY, ["1 entities are named by nothing"]),
        ("DELETE FROM names", ["1 aliases are in no list of names"]),
        ("DELETE FROM mentions", [OTHER_GRAPH]),
        ("INSERT INTO support VALUES (99, 1, NULL, 'x')", [GONE]),
        ("INSERT INTO vectors VALUES (99, 0, zeroblob(64))", [GONE]),
        ("DELETE FROM documents WHERE name = 'facts'", [GONE]),
    ],
)
def test_each_kind_of_damage_is_found(store: KnowledgeStore, damage: Sql, statement: str, told: list[str]) -> None:
    damage(statement)
    assert store.check() == told


@pytest.mark.parametrize("key", ["peru", "a"])
def test_entities_that_are_gone_are_found(store: KnowledgeStore, damage: Sql, key: str) -> None:
    damage(f"DELETE FROM entities WHERE key = '{key}'")
    assert GONE in store.check()
    damage("DELETE FROM entities")
    assert GONE in store.check()


def test_facts_without_support_are_found(store: KnowledgeStore, damage: Sql) -> None:
    damage("DROP TRIGGER support_gone", "DELETE FROM support WHERE fact = 1")
    assert store.check() == ["1 facts have no support"]


def test_numbers_that_are_none_are_found(store: KnowledgeStore, damage: Sql) -> None:
    data = np.full(16, np.nan, dtype="<f4").tobytes().hex()
    damage(f"UPDATE vectors SET data = x'{data}' WHERE passage = 1", "UPDATE vectors SET version = 99")
    damage("UPDATE meta SET value = '99' WHERE key = 'version'")
    assert store.check() == ["a vector has a number that is none"]


def test_a_new_version_mends_caches_that_were_left_behind(store: KnowledgeStore, damage: Sql) -> None:
    damage("DELETE FROM facts WHERE id = 1", "DELETE FROM support WHERE fact = 1")
    assert store.check() == [OTHER_GRAPH]
    store.add_facts([("B", "is_a", "letter")])
    assert store.check() == []


def test_rebuild_mends_vectors_and_the_lexical_index(store: KnowledgeStore, damage: Sql, tmp_path: Path) -> None:
    damage("DELETE FROM vectors WHERE passage = 1", "UPDATE passages SET text = 'changed' WHERE id = 2")
    store.close()
    with KnowledgeStore.rebuild(tmp_path / "store.db") as mended:
        assert mended.check() == [] and mended.search("changed", recipe="lexical")[0].title == "Chile"
        assert {r.title for r in mended.search("Lima", 2, "dense")} == {"Peru", "Chile"}


def test_pages_that_are_damaged_are_found(tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    with KnowledgeStore.open(path, "hashed") as store:
        store.add_passages([Passage("", f"Text number {i}.") for i in range(300)])
        store.compact()
    content = bytearray(path.read_bytes())
    place = content.find(b"Text number 150.") - 20
    content[place - 3000 : place] = b"\xff" * 3000
    path.write_bytes(content)
    with KnowledgeStore.open(path) as store:
        assert store.check()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM spotted WHERE key = 'peru'", "hold other names than are noted"),
        ("UPDATE spotted SET upper = 0 WHERE key = 'peru'", "hold other names than are noted"),
        ("DELETE FROM sought WHERE key = 'peru'", "hold other names than are noted"),
    ],
)
def test_names_that_are_noted_wrongly_are_found_and_rebuilt(tmp_path: Path, damage: str, said: str) -> None:
    with KnowledgeStore.open(tmp_path / "s.db", "hashed") as store:
        store.add_passages([Passage("Peru", "Lima lies in Peru."), Passage("Andes", "They run through Peru.")])
        store._connection.execute(damage)
        (problem,) = store.check()
        assert said in problem
    with KnowledgeStore.rebuild(tmp_path / "s.db") as store:
        assert store.check() == []
