"""A real SIGKILL within every change to a store: it opens, agrees with itself, and holds whole changes only."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore

if sys.platform != "linux":
    pytest.skip("forks, and is killed by the limit of a file's size", allow_module_level=True)
resource = pytest.importorskip("resource")

BRIEFS = "title,text\nPeru,Lima is the capital of Peru.\nChile,Santiago is the capital of Chile.\n"
FACTS = "subject,relation,object\nPeru,borders,Chile\nPeru,is_a,country\nChile,also_called,Chilean Republic\n"
RENEWED = "title,text\nPeru,Cusco was the capital.\nBrazil,It is big.\n"
# The size of the index to the log, which is made before all else, and of a whole store of these changes.
SHARED, WHOLE = 32_768, 140_000
# A start method that costs no more than a fork, from a process without threads.
FORKS = multiprocessing.get_context("forkserver")


def passage(store: KnowledgeStore, title: str) -> int:
    return next(result.passage for result in store.passages() if result.title == title)


def renew(store: KnowledgeStore) -> None:
    briefs = Path(store._where).parent / "briefs.csv"
    briefs.write_text(RENEWED, encoding="utf-8")
    store.add(briefs)


def rebuild(store: KnowledgeStore) -> None:
    store.close()
    KnowledgeStore.rebuild(store._where, "hashed").close()


CHANGES: dict[str, Callable[[KnowledgeStore], Any]] = {
    "add": lambda store: store.add(*(Path(store._where).parent / name for name in ("briefs.csv", "facts.csv"))),
    "add_passages": lambda store: store.add_passages([Passage("Lima", "By the sea."), Passage("Ada", "Ada met Bob.")]),
    "add_facts": lambda store: store.add_facts([("Ada", "met", "Bob"), ("Ada", "also_called", "Countess")]),
    "add_facts of a passage": lambda store: store.add_facts([("Bob", "met", "Eve")], passage=passage(store, "Ada")),
    "update_passage": lambda store: store.update_passage(passage(store, "Ada"), "Ada wrote to Charles."),
    "update_fact": lambda store: store.update_fact(Fact("Peru", "borders", "Chile"), Fact("Peru", "near", "Bolivia")),
    "rename_entity": lambda store: store.rename_entity("Peru", "Republic of Peru"),
    "add a changed file": renew,
    "delete_passage": lambda store: store.delete_passage(passage(store, "Lima")),
    "delete": lambda store: store.delete("facts.csv"),
    "compact": lambda store: store.compact(),
    "rebuild": rebuild,
}


def contents(path: Path) -> object:
    """All that a store says. That it opens and agrees with itself is a part of each test."""
    with KnowledgeStore.open(path, "hashed") as store:
        assert store.check() == []
        passages = [(r.document, r.title, r.text, r.source) for r in store.passages()]
        found = [(r.text, round(r.score, 6)) for r in store.search("Lima, the capital of Peru", 9)]
        return passages, store.all_facts(), store.entities(), store.documents(), found


class Prefixes:
    """A store after each number of changes, made without disturbance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = self.store(0)
        self.contents = [contents(path)]
        self.written = []
        for number, change in enumerate(CHANGES.values(), 1):
            with KnowledgeStore.open(path, "hashed") as store:
                change(store)
                log = Path(f"{path}-wal")
                self.written.append(log.stat().st_size if log.exists() else 0)
            self.contents.append(contents(path))
            shutil.copy(path, folder / f"{number}.db")

    def store(self, changes: int) -> Path:
        """The path of a store after so many changes; after none there is no file yet."""
        (self.folder / "briefs.csv").write_text(BRIEFS, encoding="utf-8")
        (self.folder / "facts.csv").write_text(FACTS, encoding="utf-8")
        path = self.folder / "store.db"
        for ending in ("", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        if changes:
            shutil.copy(self.folder / f"{changes}.db", path)
        return path


@pytest.fixture(scope="module")
def prefixes(tmp_path_factory: pytest.TempPathFactory) -> Prefixes:
    FORKS.set_forkserver_preload([__name__, "pytest", "faiss", "understudy.knowledge.documents"])
    return Prefixes(tmp_path_factory.mktemp("prefixes"))


def change(path: Path, names: Iterable[str], deadly: int = -1, largest: int = -1) -> None:
    """Makes changes, and notes each in a file. Dies before a statement, or at a write beyond a file's size."""
    count, connect = 0, sqlite3.connect

    def statement(sql: str) -> None:
        nonlocal count
        if count == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(statement)
        return connection

    sqlite3.connect = traced
    if largest >= 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # kills at once, after the part that fits has been written
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    for name in names:
        with KnowledgeStore.open(path, "hashed") as store:
            CHANGES[name](store)
        if largest < 0:
            with open(f"{path}.done", "ab", buffering=0) as done:
                done.write(f"{count}\n".encode())


def run(path: Path, names: Iterable[str], deadly: int = -1, largest: int = -1, after: float | None = None) -> int:
    Path(f"{path}.done").unlink(missing_ok=True)
    process = FORKS.Process(target=change, args=(path, list(names), deadly, largest))
    process.start()
    if after is not None:
        time.sleep(after)
        process.kill()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def said(path: Path) -> list[int]:
    """What was noted: a number for each change that was made."""
    noted = Path(f"{path}.done")
    return [int(line) for line in noted.read_text().split()] if noted.exists() else []


def goes_on(path: Path, name: str, prefixes: Prefixes) -> bool:
    """Whether a killed change was made; either way it was made whole, and the next one can be."""
    number = list(CHANGES).index(name)
    told = contents(path)
    made = told == prefixes.contents[number + 1]
    if not made:
        assert told == prefixes.contents[number], "half a change"
        with KnowledgeStore.open(path, "hashed") as store:
            CHANGES[name](store)
        assert contents(path) == prefixes.contents[number + 1]
    return made


@pytest.mark.parametrize("name", CHANGES)
def test_killed_before_some_statements(prefixes: Prefixes, name: str) -> None:
    killed_before_each_statement(prefixes, name, most=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_killed_before_every_statement(prefixes: Prefixes, name: str) -> None:
    killed_before_each_statement(prefixes, name, most=100_000)


def killed_before_each_statement(prefixes: Prefixes, name: str, most: int) -> None:
    number = list(CHANGES).index(name)
    path = prefixes.store(number)
    assert run(path, [name]) == 0 and contents(path) == prefixes.contents[number + 1]
    (statements,) = said(path)
    step = max(1, statements // most)
    made = []
    for deadly in sorted({*range(random.Random(name).randrange(step), statements, step), statements - 1}):
        path = prefixes.store(number)
        assert run(path, [name], deadly) == -signal.SIGKILL
        made.append(goes_on(path, name, prefixes))
    assert made == sorted(made), "what was made is no longer made when it is killed later"


@pytest.mark.parametrize("name", CHANGES)
def test_killed_in_some_writes(prefixes: Prefixes, name: str) -> None:
    killed_in_writes(prefixes, name, places=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_killed_in_many_writes(prefixes: Prefixes, name: str) -> None:
    killed_in_writes(prefixes, name, places=120)


def killed_in_writes(prefixes: Prefixes, name: str, places: int) -> None:
    """The log ends in the middle of a page or of a frame's head, or the pages were only partly moved out of it."""
    number = list(CHANGES).index(name)
    draw = random.Random(name)
    killed = 0
    for place in range(places):
        path = prefixes.store(number)
        end = place % 2 == 0 and prefixes.written[number] or WHOLE
        code = run(path, [name], largest=draw.randrange(SHARED, end))
        assert code in (0, -signal.SIGXFSZ)
        killed += code != 0
        goes_on(path, name, prefixes)
    assert killed, "no write was cut off"


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 80))])
def test_killed_at_any_time(prefixes: Prefixes, seed: int) -> None:
    path = prefixes.store(0)
    code = run(path, CHANGES, after=random.Random(seed).uniform(0.02, 0.5))
    assert code in (0, -signal.SIGKILL)
    made = len(said(path))
    assert contents(path) in prefixes.contents[made : made + 2], f"after {made} changes"
