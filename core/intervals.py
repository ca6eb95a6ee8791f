"""Intervals of shares, without torch, so that every floor may use them."""

from __future__ import annotations

import math

_Z = 1.959963984540054  # 95 %


def wilson(right: float, total: int, z: float = _Z) -> tuple[float, float]:
    """The score interval of a share (E. B. Wilson, 1927, JASA 22:209): ``right`` of ``total`` → (low, high).

    With p = right/n: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). It stays inside [0, 1] and is honest for
    small n; where nothing was counted it is (0, 1).

    >>> low, high = wilson(9, 10)
    >>> f"{low:.3f} {high:.3f}"
    '0.596 0.982'
    """
    if not total:
        return (0.0, 1.0)
    p = right / total
    centre = p + z * z / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale))
