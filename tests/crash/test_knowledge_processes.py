"""Several processes on one store: readers never wait and never see half a change, writers come one after the other."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore
from understudy.knowledge.retrieval import RECIPES

# Processes that start from one without threads.
FORKS = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
PROCESSES = 6
NO_MORE = -2
shared: dict[str, Any] = {}

Together = Callable[..., list[Any]]


def share(barrier: Any, begun: Any, ended: Any) -> None:
    """In each process: where all wait for each other, and the numbers of the last change that began and ended."""
    shared.update(barrier=barrier, begun=begun, ended=ended)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    if sys.platform != "win32":
        FORKS.set_forkserver_preload([__name__, "pytest", "faiss", "understudy.knowledge.documents"])
    numbers = FORKS.Value("q", -1), FORKS.Value("q", -1)
    with ProcessPoolExecutor(PROCESSES, FORKS, share, (FORKS.Barrier(PROCESSES), *numbers)) as made:
        yield made


@pytest.fixture
def together(pool: ProcessPoolExecutor) -> Together:
    """Calls functions in as many processes, all at the same moment; what they return, or the first error."""

    def call(*functions: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
        calls: list[Future[Any]] = [pool.submit(at_once, function, arguments) for function in functions]
        assert len(calls) == PROCESSES
        return [each.result(60) for each in calls]

    return call


def at_once(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    number = shared["barrier"].wait(60)
    return function(number, *arguments)


def state(change: int) -> int | None:
    """The revision that the store has after a change: each third one deletes it."""
    return None if change % 3 == 2 or change < 0 else change


def write_revisions(_: int, folder: Path, seconds: float) -> int:
    shared["begun"].value = shared["ended"].value = change = -1
    give_up = time.monotonic() + seconds
    with KnowledgeStore.open(folder / "store.db", "hashed") as store:
        while time.monotonic() < give_up:
            change += 1
            shared["begun"].value = change
            if state(change) is None:
                assert store.delete_namespace("pair") == 2
            else:
                rows = [f"{side},The {side} half says revision r{change}." for side in ("Left", "Right")]
                (folder / "pair.csv").write_text("\n".join(["title,text", *rows]), encoding="utf-8")
                fact = f"subject,relation,object\nLeft,revision,r{change}\n"
                (folder / "fact.csv").write_text(fact, encoding="utf-8")
                assert store.add(folder / "pair.csv", folder / "fact.csv", namespace="pair").documents == 2
            shared["ended"].value = change
            if change % 7 == 0:
                store.compact()
        assert store.check() == []
    return change


def read_revisions(number: int, folder: Path, seconds: float) -> int:
    give_up = time.monotonic() + 0.9 * seconds
    seen: set[int | None] = set()
    with KnowledgeStore.open(folder / "store.db", "hashed") as store:

        def passages(found: list[Any]) -> list[str]:
            assert len(found) in (0, 2), "half a document"
            return [result.text.split()[-1].rstrip(".") for result in found]

        def counted() -> list[str]:
            told = store.stats()
            parts = tuple(told[part] for part in ("documents", "passages", "facts"))
            assert parts in [(0, 0, 0), (2, 2, 1)], told
            return []

        reads: list[Callable[[], list[str]]] = [
            *(lambda recipe=recipe: passages(store.search("Left and right", 9, recipe)) for recipe in RECIPES),
            lambda: passages(store.search("revision", 9, where={"document": "pair.csv"}, diversity=0.5)),
            lambda: passages(store.passages()),
            lambda: [fact.object for fact in store.facts("Left")],
            lambda: [answer["what"] for answer in store.query("Left revision ?what")],
            lambda: [way[0].object for goal in store.neighbours("Left") for way in store.paths("Left", goal)],
            counted,
        ]
        place = number
        while time.monotonic() < give_up:
            read = reads[place % len(reads)]
            place += 1
            # The paths are asked in several snapshots, and what is counted has no revision.
            single = read not in reads[-2:]
            first = shared["ended"].value
            revisions = set(read())
            last = shared["begun"].value
            assert len(revisions) <= 1, f"of two versions: {revisions}"
            revision = int(revisions.pop()[1:]) if revisions else None
            if single:
                possible = {state(change) for change in range(first, last + 1)}
                assert revision in possible, f"{revision} is old: between the changes {first} and {last}"
            seen.add(revision)
            time.sleep(0.002)  # there are fewer cores than readers, and the writer needs one
    return len(seen)


def test_readers_beside_a_writer_see_whole_changes_and_each_of_them(together: Together, tmp_path: Path) -> None:
    KnowledgeStore.open(tmp_path / "store.db", "hashed").close()
    changes, *seen = together(*([write_revisions] + [read_revisions] * (PROCESSES - 1)), arguments=(tmp_path, 4.0))
    assert changes > 3 and min(seen) > 1, (changes, seen)


def write_own_and_common(number: int, path: Path) -> int:
    """Adds what nobody else adds, and what all add."""
    with KnowledgeStore.open(path, "hashed") as store:
        for i in range(5):
            store.add_passages([Passage("Common", f"All say sentence {i}.")])
            store.add_facts([("Common", "has", f"Part {i}"), (f"Writer {number}", "wrote", f"Line {i}")])
            store.add_passages([Passage(f"Own {number}", f"Line {i} of writer {number}.")])
        return store.version


def test_many_make_and_fill_one_store_at_the_same_moment(together: Together, tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.db"
    versions = together(*[write_own_and_common] * PROCESSES, arguments=(path,))
    with KnowledgeStore.open(path) as store:
        assert store.check() == [] and store.version == max(versions)
        titles = [result.title for result in store.passages()]
        assert {title: titles.count(title) for title in titles} == {
            "Common": 5,
            **{f"Own {number}": 5 for number in range(PROCESSES)},
        }
        assert len(store.all_facts()) == 5 + 5 * PROCESSES


def read_while(number: int, path: Path) -> int:
    with KnowledgeStore.open(path, "hashed") as store:
        if number == 0:
            for _ in range(3):
                assert store.delete("notes") and store.compact()
                store.add_passages([Passage(f"Note {i}", f"What note {i} says. " * 40) for i in range(60)])
            shared["ended"].value = NO_MORE
            return 99
        reads, slowest = 0, 0.0
        while shared["ended"].value != NO_MORE:
            begun = time.monotonic()
            assert store.search("keep", 5)[0].title == "Keep"
            assert store.query("Keep is ?what") == [{"what": "Kept"}]
            reads, slowest = reads + 1, max(slowest, time.monotonic() - begun)
        assert slowest < 5.0, "a reader waited"
        return reads


def test_readers_go_on_while_a_store_is_compacted(together: Together, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with KnowledgeStore.open(path, "hashed") as store:
        store.add_passages([Passage("Keep", "Keep this.")], "kept")
        store.add_facts([("Keep", "is", "Kept")], "kept")
        store.add_passages([Passage(f"Note {i}", f"What note {i} says. " * 40) for i in range(60)])
    assert min(together(*[read_while] * PROCESSES, arguments=(path,))) > 3
    with KnowledgeStore.open(path) as store:
        assert store.check() == [] and store.stats()["passages"] == 61


def embed_anew(path: Path, dimension: int) -> None:
    KnowledgeStore.rebuild(path, HashedEmbedder(dimension)).close()


@pytest.mark.parametrize("dimension", [64, 1024])
def test_a_store_that_was_embedded_anew_must_be_opened_again(
    pool: ProcessPoolExecutor, tmp_path: Path, dimension: int
) -> None:
    path = tmp_path / "store.db"
    with KnowledgeStore.open(path, HashedEmbedder(1024, (3,))) as store:
        store.add_passages([Passage("Peru", "By the sea.")])
        assert store.search("Peru", recipe="dense")
        pool.submit(embed_anew, path, dimension).result(60)
        for call in (
            lambda: store.search("Peru", recipe="dense"),
            lambda: store.add_passages([Passage("Chile", "By the sea.")]),
            lambda: store.delete("notes"),
        ):
            with pytest.raises(UnderstudyError, match="open the store again"):
                call()
        assert [fact.object for fact in store.facts("Peru")] == []
    with KnowledgeStore.open(path) as again:
        assert again.check() == [] and again.search("Peru", recipe="dense") and again.stats()["passages"] == 1
