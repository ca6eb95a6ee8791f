"""The file: what is kept in it, who opens it, and what happens when two do."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore

Contents = Callable[[KnowledgeStore], object]


def test_disk_comes_back(store: KnowledgeStore, desk: Path) -> None:
    empty = store.compact()[1]
    store.add_passages([Passage(f"Title {i}", f"Text {i} about many things. " * 20) for i in range(300)], "large")
    store.search("Peru")
    large = store.compact()[1]
    assert store.delete("large") and large > empty + 1_000_000
    before, after = store.compact()
    assert before >= large and after <= 1.1 * empty and (desk / "store.db").stat().st_size == after
    assert store.search("capital of Peru", 1)[0].title == "Peru" and store.check() == []
    with KnowledgeStore.open(embedder="hashed") as memory:
        memory.add_passages([Passage("", "word " * 100_000)])
        memory.delete("notes")
        before, after = memory.compact()
        assert 0 < after < before


def test_it_is_kept_on_disk(store: KnowledgeStore, desk: Path, contents: Contents) -> None:
    before = contents(store)
    store.close()
    with KnowledgeStore.open(desk / "store.db") as again:
        assert contents(again) == before


def test_a_reader_sees_what_another_connection_wrote(store: KnowledgeStore, desk: Path) -> None:
    with KnowledgeStore.open(desk / "store.db") as reader:
        assert reader.search("Quito") == [] or reader.search("Quito")[0].title != "Ecuador"
        store.add_passages([Passage("Ecuador", "Quito is the capital of Ecuador.")])
        store.add_facts([("Ecuador", "borders", "Peru")])
        assert reader.search("Quito")[0].title == "Ecuador" and reader.neighbours("Ecuador") == ["Peru"]


def test_killed_within_a_change_leaves_the_last_state(store: KnowledgeStore, desk: Path, contents: Contents) -> None:
    before = contents(store)
    code = """if True:
        import os, sys
        from understudy.core.prompts import Passage
        from understudy.knowledge import KnowledgeStore
        from understudy.knowledge.changes import Changes
        store = KnowledgeStore.open(sys.argv[1])
        store.add_passages([Passage("Kept", "Kept.")])
        Changes.facts = lambda *_, **__: os._exit(9)
        store.add(sys.argv[2])
    """
    (desk / "more.md").write_text("Quito lies high.", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code, str(desk / "store.db"), str(desk / "more.md")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 9
    assert [r.text for r in store.passages("notes")] == ["Kept."] and store.passages("more.md") == []
    assert store.delete("notes") and contents(store) == before and store.check() == []


def test_threads_share_a_store(store: KnowledgeStore) -> None:
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                assert store.search("capital of Peru")
                store.add_passages([Passage(f"{number}", f"Note {turn} of {number}.")])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(store.passages("notes")) == 20


class Other(HashedEmbedder):
    def __init__(self) -> None:
        super().__init__(16)


def test_another_embedder_is_told_and_rebuild_embeds_anew(store: KnowledgeStore, desk: Path) -> None:
    path = desk / "store.db"
    before = [(r.title, r.text) for r in store.passages()]
    store.close()
    with pytest.raises(UnderstudyError, match="its vectors are of the embedder hashed-1024"):
        KnowledgeStore.open(path, Other())
    with KnowledgeStore.rebuild(path, Other()) as rebuilt:
        assert [(r.title, r.text) for r in rebuilt.passages()] == before
        assert rebuilt.search("Tokyo Japan", recipe="dense")[0].title == "Japan" and rebuilt.check() == []
    sizes = sqlite3.connect(path).execute("SELECT DISTINCT length(data) FROM vectors").fetchall()
    assert sizes == [(16 * np.dtype(np.float32).itemsize,)]


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look at " * 20, encoding="utf-8")
    with pytest.raises(UnderstudyError, match="cannot open the knowledge store"):
        KnowledgeStore.open(tmp_path / "text.db")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    with pytest.raises(UnderstudyError, match="no knowledge store"):
        KnowledgeStore.open(tmp_path / "other.db")


def test_a_store_of_a_later_format_is_told(store: KnowledgeStore, desk: Path) -> None:
    sqlite3.connect(desk / "store.db", isolation_level=None).execute(
        "UPDATE meta SET value = '99' WHERE key = 'format'"
    )
    with pytest.raises(UnderstudyError, match="format 99"):
        KnowledgeStore.open(desk / "store.db")


def test_importing_the_floor_is_light() -> None:
    code = (
        "import sys, understudy.knowledge, understudy.knowledge.store\n"
        "print([m for m in ('torch', 'transformers', 'faiss', 'networkx') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
