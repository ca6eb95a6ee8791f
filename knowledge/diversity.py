"""Diversity: results that do not repeat each other, by maximal marginal relevance.

next = argmax over the rest of  (1 − d)·relevance(i) − d·max over the chosen of  likeness(i, j)
(Carbonell & Goldstein 1998), the relevance scaled to 0…1 over the candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def diverse(ranking: Sequence[tuple[int, float]], vectors: NDArray[np.float32], k: int, diversity: float) -> list[int]:
    """The places in ``ranking`` of ``k`` results, in the order in which they are chosen.

    Args:
        ranking: (id, score), best first.
        vectors: ``[N, D]`` of unit length, one a result.
        k: how many at most.
        diversity: 0 keeps the ranking, 1 looks at nothing but difference.
    """
    scores = np.array([score for _, score in ranking], dtype=np.float64)
    if not len(scores) or k < 1:
        return []
    spread = float(scores.max() - scores.min())
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones_like(scores)
    chosen = [0]
    likest = vectors @ vectors[0]
    while len(chosen) < min(k, len(scores)):
        worth = (1.0 - diversity) * relevance - diversity * likest
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        likest = np.maximum(likest, vectors @ vectors[chosen[-1]])
    return chosen
