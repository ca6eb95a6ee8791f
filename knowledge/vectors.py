"""The vector index: nearest passages by FAISS, a cache over the vectors that the store keeps in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Up to here exact search takes milliseconds; beyond, one byte a dimension keeps the index in memory.
FLAT_LIMIT = 100_000
_SAMPLE = 100_000
# Of the range of a dimension, on either side.
_MARGIN = 0.25


class VectorIndex:
    """Inner-product search over vectors that carry their passage's id (FAISS ``IndexIDMap2``).

    Exact (``IndexFlatIP``) up to ``flat_limit`` vectors, then scalar-quantised to 8 bits (``IndexScalarQuantizer``);
    both can delete, which graph indexes cannot. FAISS is loaded when the first vector is added.

    Args:
        dimension: the width D of the vectors.
        flat_limit: how many vectors are kept exact.
    """

    def __init__(self, dimension: int, flat_limit: int = FLAT_LIMIT) -> None:
        self.dimension = dimension
        self.flat_limit = flat_limit
        self._index: Any = None
        self._exact = True
        self.trained_on = 0
        # Sums over the vectors and over their products, for the spread of the scores of a query.
        self._sum = np.zeros(dimension)
        self._products = np.zeros((dimension, dimension))

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        """Whether the vectors are kept as they are."""
        return self._exact

    @property
    def code_size(self) -> int:
        """Bytes of one vector in memory."""
        return self.dimension * (4 if self._exact else 1)

    def ids(self) -> NDArray[np.int64]:
        """The ids ``[N]`` in the order of the index."""
        if self._index is None:
            return np.zeros(0, dtype=np.int64)
        import faiss

        found: NDArray[np.int64] = faiss.vector_to_array(self._index.id_map).astype(np.int64)
        return found

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors ``[N, D]`` of ``ids [N]``; quantised ones are rounded. Raises KeyError for an unknown id."""
        if not len(ids):
            return np.zeros((0, self.dimension), dtype=np.float32)
        try:
            if self._index is None:
                raise RuntimeError
            found: NDArray[np.float32] = np.stack([self._index.reconstruct(int(i)) for i in ids])
        except RuntimeError:
            raise KeyError("an id that the index does not have") from None
        return found

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Adds vectors ``[N, D]`` under ``ids [N]``. Raises ValueError when the shapes do not fit."""
        if vectors.shape != (len(ids), self.dimension):
            raise ValueError(f"{len(ids)} ids and vectors of shape {vectors.shape}; the index has D={self.dimension}")
        if not len(ids):
            return
        import faiss

        if self._index is None:
            self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self.dimension))
        if self._exact and len(self) + len(ids) > self.flat_limit:
            held = self.ids()
            kept = self.vectors(held)
            self.quantise(np.concatenate([kept, vectors]), len(held) + len(ids))
            if len(held):
                self._index.add_with_ids(np.ascontiguousarray(kept), held)
        self._index.add_with_ids(np.ascontiguousarray(vectors), np.ascontiguousarray(ids))
        self._sum += vectors.sum(axis=0)
        self._products += vectors.T @ vectors

    def quantise(self, sample: NDArray[np.float32], count: int) -> None:
        """Makes the index an empty quantised one whose ranges are learned from ``sample [N, D]`` of ``count`` vectors.

        The sample must be drawn from all that is to come: what lies outside of the ranges is cut to their ends.
        """
        import faiss

        quantised = faiss.IndexScalarQuantizer(
            self.dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        quantised.sq.rangestat = faiss.ScalarQuantizer.RS_minmax
        quantised.sq.rangestat_arg = _MARGIN
        step = max(1, len(sample) // _SAMPLE)
        quantised.train(np.ascontiguousarray(sample[::step]))
        self._index = faiss.IndexIDMap2(quantised)
        self._exact = False
        self.trained_on = count

    def remove(self, ids: NDArray[np.int64]) -> int:
        """Removes the vectors of ``ids`` and says how many there were."""
        if self._index is None or not len(ids):
            return 0
        gone = np.intersect1d(self.ids(), ids)
        vectors = self.vectors(gone)
        self._sum -= vectors.sum(axis=0)
        self._products -= vectors.T @ vectors
        return int(self._index.remove_ids(gone))

    def likeness(self, query: NDArray[np.float32], ids: Sequence[int]) -> dict[int, float]:
        """The inner products of ``query [D]`` with the vectors of ``ids``."""
        found: dict[int, float] = {}
        for number in ids if self._index is not None else ():
            with suppress(RuntimeError):  # a passage whose vector is missing, which a check reports
                found[number] = float(self._index.reconstruct(int(number)) @ query)
        return found

    def spread(self, query: NDArray[np.float32]) -> float:
        """The standard deviation of ``query [D]``'s inner products with all vectors: σ² = qᵀ E[vvᵀ] q − (q·E[v])²."""
        if not len(self):
            return 0.0
        asked = query.astype(np.float64)
        mean = float(asked @ self._sum) / len(self)
        square = float(asked @ self._products @ asked) / len(self)
        return sqrt(max(square - mean**2, 0.0))

    def search(
        self, query: NDArray[np.float32], k: int, allowed: Sequence[int] | NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """The ``k`` nearest to ``query [D]``: (id, inner product), best first; fewer when the index has fewer.

        Args:
            query: ``[D]``.
            k: how many at most.
            allowed: only these ids, where given.
        """
        if not len(self) or k < 1:
            return []
        options: dict[str, Any] = {}
        if allowed is not None:
            import faiss

            chosen = np.asarray(allowed, dtype=np.int64)
            if not len(chosen):
                return []
            options["params"] = _selecting(faiss, chosen)
        scores, ids = self._index.search(np.ascontiguousarray(query[None, :]), min(k, len(self)), **options)
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]


def _selecting(faiss: Any, ids: NDArray[np.int64]) -> Any:
    return faiss.SearchParameters(sel=faiss.IDSelectorBatch(ids))
