"""Speed and size of the knowledge store, as ratios in one run where there is something to stand beside.

    python -m benchmarks.knowledge --data DIR [--quick]

DIR holds 2wikimultihopqa_corpus.json and musique_train_corpus.json (see benchmarks/retrieval.py). Beside the store
stand bare FAISS, igraph's personalised PageRank and Chroma, the last two where they are installed (the extra
``peers``, in an environment of its own). One thread, medians; texts are encoded by hashing and queries beforehand, so
that no model counts.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import faiss
import numpy as np

from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore
from understudy.knowledge.retrieval import STEPS
from understudy.knowledge.vectors import VectorIndex

WIDTH = 256
_ROUNDS = 7


class Given:
    """An embedder that gives each text a vector of its own without looking at it."""

    name, dimension, source, weight = "given-256", WIDTH, "", 1.0

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.stack([np.random.default_rng(abs(hash(text))).standard_normal(WIDTH) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def corpus(file: Path) -> list[Passage]:
    """The passages of a corpus file, each with its place as source."""
    pages = json.loads(file.read_text(encoding="utf-8"))
    return [Passage(page["title"], page["text"], str(place)) for place, page in enumerate(pages)]


def milliseconds(work: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """The median of some rounds after one to warm up."""
    work()
    taken = []
    for _ in range(rounds):
        begun = perf_counter()
        work()
        taken.append(perf_counter() - begun)
    return 1000 * median(taken)


def queries(data: Path) -> None:
    """A whole query, beside encoding, at 6,119 passages."""
    passages = corpus(data / "2wikimultihopqa_corpus.json")
    known = Known()
    with KnowledgeStore.open(":memory:", known) as store:
        begun = perf_counter()
        store.add_passages(passages)
        print(f"{len(passages)} passages added in {perf_counter() - begun:.1f} s")
        draws = random.Random(0).sample(passages, 200)
        asked = [f"Did {a.title} or {b.title} come from the same country?" for a, b in pairwise(draws)]
        vectors = known.learn(asked)
        begun = perf_counter()
        store.search(asked[0])
        print(f"first query, which builds index and graph: {perf_counter() - begun:.2f} s")
        for recipe in ("lexical", "dense", "hybrid", "graph", "auto"):
            taken = []
            for text in asked:
                begun = perf_counter()
                store.search(text, 5, recipe)
                taken.append(1000 * (perf_counter() - begun))
            print(f"{recipe:<8} {median(taken):6.2f} ms a query (90 %: {np.quantile(taken, 0.9):.2f})")
        ours = milliseconds(lambda: [store.search(text, 5, "dense") for text in asked[:50]]) / 50
    if chroma := installed("chromadb"):
        client: Any = chroma.EphemeralClient()
        shelf = client.create_collection("passages")
        rows = HashedEmbedder(WIDTH).encode([f"{p.title}. {p.text}" for p in passages])
        begun = perf_counter()
        for start in range(0, len(passages), 1000):
            part = passages[start : start + 1000]
            ids = [p.source for p in part]
            shelf.add(ids=ids, embeddings=rows[start : start + 1000], documents=[p.text for p in part])
        print(f"chroma: {len(passages)} passages with given vectors added in {perf_counter() - begun:.1f} s")
        theirs = (
            milliseconds(lambda: [shelf.query(query_embeddings=[vectors[text]], n_results=5) for text in asked[:50]])
            / 50
        )
        print(f"dense: ours {ours:.2f} ms, chroma {theirs:.2f} ms, ratio {theirs / ours:.1f}")


class Known:
    """The hashed embedder, with vectors that it has beforehand."""

    source, weight = "", HashedEmbedder.weight

    def __init__(self) -> None:
        self._inner = HashedEmbedder(WIDTH)
        self.name, self.dimension = self._inner.name, WIDTH
        self._vectors: dict[str, np.ndarray] = {}

    def learn(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        self._vectors |= dict(zip(texts, self._inner.encode(texts), strict=True))
        return self._vectors

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        known = [self._vectors.get(text) for text in texts]
        return self._inner.encode(texts) if any(row is None for row in known) else np.stack(known)


def pagerank(data: Path) -> None:
    """Personalised PageRank beside igraph's, on the graphs of two corpora."""
    for file in ("musique_train_corpus.json", "2wikimultihopqa_corpus.json"):
        with KnowledgeStore.open(":memory:", HashedEmbedder(WIDTH)) as store:
            store.add_passages(corpus(data / file))
            graph = store._caches.graph().graph
        generator = np.random.default_rng(0)
        seeds = [dict.fromkeys(map(int, generator.integers(0, graph.size, 7)), 1.0) for _ in range(20)]
        ours = milliseconds(lambda graph=graph, seeds=seeds: [graph.pagerank(some) for some in seeds]) / len(seeds)
        short = milliseconds(lambda graph=graph, seeds=seeds: [graph.pagerank(some, limit=STEPS) for some in seeds])
        told = f"{graph.size} nodes, {graph.edges} edges: {STEPS} steps {short / len(seeds):.2f} ms, all {ours:.2f} ms"
        if igraph := installed("igraph"):
            edges, weights = graph.listed()
            other: Any = igraph.Graph(n=graph.size, edges=edges.tolist(), directed=True)
            resets, shares = [], weights.tolist()
            for some in seeds:
                reset = np.zeros(graph.size)
                reset[list(some)] = 1.0
                resets.append(reset.tolist())

            def theirs(other: Any = other, resets: Any = resets, weights: Any = shares) -> None:
                for reset in resets:
                    other.personalized_pagerank(damping=0.85, reset=reset, weights=weights)

            theirs_ms = milliseconds(theirs, 3) / len(seeds)
            gap = max(
                float(
                    np.abs(
                        graph.pagerank(some)
                        - np.array(other.personalized_pagerank(damping=0.85, reset=reset, weights=weights.tolist()))
                    ).sum()
                )
                for some, reset in zip(seeds, resets, strict=True)
            )
            told += f", igraph {theirs_ms:.2f} ms, ratio {theirs_ms / ours:.1f}, largest difference {gap:.0e}"
        print(told)


def flat(count: int) -> None:
    """Our exact index beside bare FAISS."""
    rows = unit(count, 0)
    index = VectorIndex(WIDTH)
    index.add(np.arange(count, dtype=np.int64), rows)
    bare = faiss.IndexFlatIP(WIDTH)
    bare.add(rows)
    asked = unit(50, 1)
    ours = milliseconds(lambda: [index.search(row, 10) for row in asked]) / len(asked)
    theirs = milliseconds(lambda: [bare.search(row[None], 10) for row in asked]) / len(asked)
    print(f"exact search, {count} vectors: {ours:.2f} ms, bare FAISS {theirs:.2f} ms, ratio {ours / theirs:.2f}")


def quantised(count: int) -> None:
    """The scalar-quantised index: memory, recall of the ten nearest, time."""
    before = resident()
    index = VectorIndex(WIDTH)
    asked = unit(100, -1)
    best = np.full((len(asked), 10), -2.0)
    named = np.zeros((len(asked), 10), dtype=np.int64)
    for part in range(count // 50_000):
        rows = unit(50_000, part)
        ids = np.arange(part * 50_000, (part + 1) * 50_000, dtype=np.int64)
        index.add(ids, rows)
        scores = np.concatenate([best, asked @ rows.T], axis=1)
        both = np.concatenate([named, np.broadcast_to(ids, (len(asked), len(ids)))], axis=1)
        order = np.argsort(-scores, axis=1)[:, :10]
        best, named = np.take_along_axis(scores, order, 1), np.take_along_axis(both, order, 1)
        del rows, scores, both
    found = [{i for i, _ in index.search(row, 10)} for row in asked]
    recall = np.mean([len(f & set(n.tolist())) / 10 for f, n in zip(found, named, strict=True)])
    taken = milliseconds(lambda: [index.search(row, 10) for row in asked[:20]], 3) / 20
    print(
        f"{len(index)} vectors of {WIDTH}, one byte a dimension: {resident() - before:.0f} MiB in memory, recall@10 "
        f"against exact {recall:.3f}, {taken:.0f} ms a search"
    )


def ingestion(counts: Sequence[int]) -> None:
    """Time a passage and memory of the open store, with vectors that cost nothing."""
    for count in counts:
        with TemporaryDirectory() as folder:
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks.knowledge", "--ingest", str(count), "--store", f"{folder}/s.db"],
                capture_output=True,
                text=True,
                check=True,
            )
            print(told.stdout.strip())


def ingest(count: int, file: Path) -> None:
    """One ingestion, in a process of its own, and the store opened and asked in it."""
    passages = made_up(count)
    with KnowledgeStore.open(file, Given()) as store:
        begun = perf_counter()
        store.add_passages(passages)
        taken = perf_counter() - begun
        extra = made_up(100, seed=1)
        store.search(passages[0].title)
        begun = perf_counter()
        store.add_passages(extra, "more")
        added = perf_counter() - begun
        begun = perf_counter()
        store.search(passages[1].title, recipe="dense")
        dense = perf_counter() - begun
        begun = perf_counter()
        store.search(passages[1].title, recipe="graph")
        graph = perf_counter() - begun
        begun = perf_counter()
        store.search(passages[2].title)
        again = perf_counter() - begun
        held = store._caches.nbytes
    size = file.stat().st_size / 2**20
    print(
        f"{count} passages: {1e6 * taken / count:.0f} µs a passage, {size:.0f} MiB on disk; open: vectors "
        f"{held['vectors'] / 2**20:.0f} MiB, graph {held['graphs'] / 2**20:.0f} MiB; 100 more: {added:.2f} s, "
        f"then the first dense query {1000 * dense:.0f} ms, the first through the graph {1000 * graph:.0f} ms, "
        f"the next one {1000 * again:.0f} ms"
    )


def made_up(count: int, seed: int = 0) -> list[Passage]:
    """Passages of about sixty words whose names recur as names do (Zipf)."""
    draw = np.random.default_rng(seed)
    lowered = [f"w{number}" for number in range(5000)]
    passages = []
    for number in range(count):
        names = [f"Name{n} Of{n % 97}" for n in draw.zipf(1.3, 6) % 50_000]
        text = [lowered[n] for n in draw.integers(0, len(lowered), 54)]
        for place, name in enumerate(names):
            text.insert(9 * (place + 1), name)
        passages.append(Passage(f"Title {seed} {number}", " ".join(text) + ".", f"{seed}-{number}"))
    return passages


def unit(count: int, seed: int) -> np.ndarray:
    """Random vectors ``[count, WIDTH]`` of length 1, in clusters as embeddings are."""
    draw = np.random.default_rng(seed + 10)
    centres = np.random.default_rng(5).standard_normal((256, WIDTH)).astype(np.float32)
    rows = centres[draw.integers(0, 256, count)] + draw.standard_normal((count, WIDTH)).astype(np.float32)
    return np.ascontiguousarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def resident() -> float:
    """The resident memory of this process in MiB."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20


def installed(name: str) -> Any:
    """A package, None where it is not installed."""
    try:
        return __import__(name)
    except ImportError:
        print(f"({name} is not installed)")
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    parser.add_argument("--ingest", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    if options.ingest:
        ingest(options.ingest, options.store)
        return
    if options.data is None:
        parser.error("--data DIR is needed")
    share = 10 if options.quick else 1
    queries(options.data)
    pagerank(options.data)
    flat(100_000 // share)
    ingestion([10_000 // share, 100_000 // share])
    quantised(1_000_000 // share)


if __name__ == "__main__":
    main()
