"""Hashing: a column for any mark, of columns that are given beforehand (the hashing trick, Weinberger et al. 2009)."""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor

BUCKETS = 512
"""Columns: a message has a dozen or two of tokens, so that few of them meet."""
_Mark = TypeVar("_Mark", int, Tensor)


def bucket(mark: _Mark) -> tuple[_Mark, float | Tensor]:
    """The column of a mark (or of each in a tensor), and the sign with which it counts there."""
    mixed_up = mark * 2654435761 % 2**32  # Knuth's multiplicative hash: its upper bits are the bucket
    return mixed_up >> 23, 1.0 - 2.0 * (mixed_up >> 22 & 1)
