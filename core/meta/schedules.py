"""Schedules: the factor by which all rates are multiplied at a step.

    warm-up:  (t + 1) / w  for t < w
    linear:   1 − (1 − l) p         cosine:  l + (1 − l) (1 + cos πp) / 2         p = (t − w) / (T − w), at most 1

Cosine: Loshchilov and Hutter 2017 (one period); warm-up: Goyal et al. 2017. A factor depends on the step alone,
so that a resumed run needs nothing but its number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import UnderstudyError

Schedule = Callable[[int], float]
"""Step, from 0 → factor."""


def constant(step: int) -> float:
    """1 at every step."""
    return 1.0


def linear(total: int, warm_up: int = 0, least: float = 0.0) -> Schedule:
    """Up to 1 in ``warm_up`` steps, then evenly down to ``least`` at step ``total``, where it stays.

    >>> [round(linear(8, warm_up=4)(step), 2) for step in (0, 3, 4, 6, 8, 99)]
    [0.25, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    return _after_warm_up(lambda part: 1 - (1 - least) * part, total, warm_up)


def cosine(total: int, warm_up: int = 0, least: float = 0.0) -> Schedule:
    """Up to 1 in ``warm_up`` steps, then down to ``least`` at step ``total`` along half a cosine."""
    return _after_warm_up(lambda part: least + (1 - least) * (1 + math.cos(math.pi * part)) / 2, total, warm_up)


def _after_warm_up(fall: Callable[[float], float], total: int, warm_up: int) -> Schedule:
    if not 0 <= warm_up < total:
        raise UnderstudyError(f"{warm_up} steps of warm-up do not fit into {total}", mend="warm up for fewer")

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        return fall(min(1.0, (step - warm_up) / (total - warm_up)))

    return factor
