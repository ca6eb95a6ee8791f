"""The vector index: exact nearest passages by FAISS, a cache over the vectors that the store keeps in SQLite."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class VectorIndex:
    """Flat inner-product search over vectors that carry their passage's id (FAISS ``IndexIDMap2``).

    FAISS is loaded when the first vector is added. Flat, because it is exact and can delete.

    Args:
        dimension: the width D of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index: Any = None

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Adds vectors ``[N, D]`` under ``ids [N]``. Raises ValueError when the shapes do not fit."""
        if vectors.shape != (len(ids), self.dimension):
            raise ValueError(f"{len(ids)} ids and vectors of shape {vectors.shape}; the index has D={self.dimension}")
        if not len(ids):
            return
        if self._index is None:
            import faiss

            self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self.dimension))
        self._index.add_with_ids(np.ascontiguousarray(vectors), np.ascontiguousarray(ids))

    def remove(self, ids: NDArray[np.int64]) -> int:
        """Removes the vectors of ``ids`` and says how many there were."""
        return 0 if self._index is None or not len(ids) else int(self._index.remove_ids(ids))

    def search(self, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """The ``k`` nearest to ``query [D]``: (id, inner product), best first; fewer when the index has fewer."""
        if not len(self) or k < 1:
            return []
        scores, ids = self._index.search(np.ascontiguousarray(query[None, :]), min(k, len(self)))
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if i >= 0]
