"""Abstention: the confidence under which a role says nothing rather than something wrong."""

from __future__ import annotations

from collections.abc import Sequence


def abstention_threshold(confidences: Sequence[float], right: Sequence[bool], error: float = 0.1) -> float:
    """The least confidence at which at most ``error`` of the answers given would have been wrong.

    Chosen on the left-out demonstrations; 0 when no threshold is needed, and above the highest wrong confidence when
    none keeps the error.
    """
    for threshold in [0.0, *sorted(set(confidences))]:
        answered = [ok for c, ok in zip(confidences, right, strict=True) if c >= threshold]
        if answered and answered.count(False) / len(answered) <= error:
            return threshold
    return min(1.0, max(confidences) + 1e-6)
