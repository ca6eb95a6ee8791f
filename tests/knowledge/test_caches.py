from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore, caches
from understudy.knowledge.caches import Caches
from understudy.knowledge.embedding import HashedEmbedder
from understudy.knowledge.mentions import build_graph
from understudy.knowledge.vectors import VectorIndex

SMALL = HashedEmbedder(16)
CHANGE = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["Peru", "Chile", "Lima lies in Peru"])),
    st.tuples(st.sampled_from(["update", "delete"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["fact", "rename", "look", "drop"]), st.sampled_from(["Peru", "Chile"])),
)


def change(store: KnowledgeStore, what: str, by: object, turn: int) -> None:
    ids = [r.passage for r in store.passages()]
    match what:
        case "add":
            store.add_passages([Passage(f"{by} {turn}", f"{by}."), Passage("", f"{turn}")], document=str(turn % 2))
        case "update" if ids:
            store.update_passage(ids[int(str(by)) % len(ids)], f"New in {turn}.")
        case "delete" if ids:
            store.delete_passage(ids[int(str(by)) % len(ids)])
        case "fact":
            store.add_facts([(str(by), "knows", f"Person {turn % 3}")])
        case "rename":
            store.rename_entity(str(by), "Chile")
        case "look":
            store.search("Peru", recipe="graph")
        case "drop":
            store.delete("0")


def as_built(store: KnowledgeStore) -> None:
    """The caches of a store are as new ones would be."""
    kept, fresh = store._caches.vectors(), Caches(store._connection, 16).vectors()
    ids = np.sort(fresh.ids())
    assert np.array_equal(np.sort(kept.ids()), ids) and np.array_equal(kept.vectors(ids), fresh.vectors(ids))
    assert store._caches.graph().equals(build_graph(store._connection)) and store.check() == []


@given(changes=st.lists(st.tuples(st.booleans(), CHANGE), max_size=10))
@settings(max_examples=40, deadline=None)
def test_caches_that_are_brought_up_are_as_built_anew(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[bool, tuple[str, object]]]
) -> None:
    path = tmp_path_factory.mktemp("caches") / "store.db"
    with KnowledgeStore.open(path, SMALL) as one, KnowledgeStore.open(path, SMALL) as other:
        for turn, (by_other, (what, value)) in enumerate(changes):
            change(other if by_other else one, what, value, turn)
            one.search("Peru", recipe="graph")  # brings its caches up, step by step; those of the other wait
        as_built(one)
        as_built(other)


def test_a_cache_of_the_same_version_is_kept_and_of_another_is_not() -> None:
    with KnowledgeStore.open(embedder=SMALL) as store:
        store.add_facts([Fact("Ada", "knows", "Bob", valid_until="2000"), ("Bob", "knows", "Cid")])
        graph, vectors = store._caches.graph(), store._caches.vectors()
        assert store._caches.graph() is graph and store._caches.vectors() is vectors
        assert store._caches.nbytes["graphs"] == graph.nbytes
        store.add_passages([Passage("Ada", "Ada and Bob.")])
        assert store._caches.graph() is not graph and store._caches.vectors() is vectors
        assert store._caches.nbytes["vectors"] == 16 * 4 + 8


def test_graphs_of_times_and_namespaces() -> None:
    with KnowledgeStore.open(embedder=SMALL) as store:
        store.add_facts([Fact("Ada", "knows", "Bob", valid_until="2000"), ("Bob", "knows", "Cid")])
        store.add_facts([("Ada", "knows", "Cid"), ("Bob", "knows", "Cid")], namespace="other")
        store.add_passages([Passage("", "We met Ada, and then Bob.")], namespace="other")
        edges = {
            (as_of, space): store._caches.graph(as_of, space).graph.edges
            for as_of in (None, "1999-01-01T00:00:00Z", "2001-01-01T00:00:00Z")
            for space in (None, "default", "other")
        }
        assert list(edges.values()) == [10, 4, 8, 10, 4, 8, 8, 2, 8], "each both ways"
        assert len(store._caches.graph(None, "default").passages) == 0 and len(store._caches._graphs) == 8


def test_a_change_that_fails_leaves_the_caches_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    with KnowledgeStore.open(embedder=SMALL) as store:
        store.add_passages([Passage("Peru", "Lima.")])
        store.search("Peru", recipe="graph")
        monkeypatch.setattr("understudy.knowledge.changes.fingerprint", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.add_passages([Passage("Chile", "Santiago.")])
        monkeypatch.undo()
        as_built(store)
        store.add_passages([Passage("Bolivia", "Sucre.")])
        assert [r.text for r in store.search("Sucre", 1, "dense")] == ["Sucre."]
        as_built(store)


def test_beyond_the_limit_vectors_are_quantised_and_still_found_and_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "VectorIndex", lambda dimension: VectorIndex(dimension, flat_limit=100))
    draw = np.random.default_rng(3)
    texts = [" ".join(f"w{i}" for i in draw.integers(0, 400, 12)) for _ in range(300)]
    with KnowledgeStore.open(tmp_path / "store.db", HashedEmbedder(64)) as store:
        ids = store.add_passages([Passage("", text) for text in texts[:90]])
        assert store.search(texts[0], 1, "dense")[0].passage == ids[0] and store._caches.vectors().exact
        ids += store.add_passages([Passage("", text) for text in texts[90:]])
        found = [store.search(text, 1, "dense")[0].passage for text in texts]
        assert not store._caches.vectors().exact and sum(a == b for a, b in zip(found, ids, strict=True)) >= 297
        for number in ids[:50]:
            store.delete_passage(number)
        assert not {r.passage for text in texts for r in store.search(text, 3, "dense")} & set(ids[:50])
        assert store._caches.vectors().code_size == 64 and store.check() == []
    with KnowledgeStore.open(tmp_path / "store.db") as again:
        assert again.search(texts[299], 1, "dense")[0].passage == ids[299] and again.check() == []
