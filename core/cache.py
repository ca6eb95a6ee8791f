"""RowCache: keys and values of a batch whose rows have their own lengths, and whose tokens may branch like a tree."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import Cache

Prefix = tuple[tuple[Tensor, Tensor], ...]
"""Keys and values [heads, T, D] of each layer: what one row has read so far."""


class RowCache(Cache):
    """One buffer [B, heads, slots, D] per layer; every row writes at the slots that it is told.

    Before each forward pass the decoder calls :meth:`plan` with the slot of every new token. What a query may read
    is the decoder's 4D mask's affair, so a trie of options is scored in one pass: each node reads its ancestors only.

    Args:
        layers: number of layers of the backbone.
        rows: B.
        slots: capacity for each row at first; one more is kept as the place where padding is written.
    """

    def __init__(self, layers: int, rows: int, slots: int) -> None:
        self.rows = rows
        self.capacity = slots
        self.keys: list[Tensor | None] = [None] * layers
        self.values: list[Tensor | None] = [None] * layers
        self._slots: Tensor | None = None
        self._width = 0
        self.layers = []

    def plan(self, slots: Tensor, width: int) -> None:
        """``slots`` [B, T]: where this pass's tokens are written; ``width``: how many slots the queries see."""
        self._slots = slots
        self._width = width

    def reserve(self, slots: int) -> None:
        """Make room for ``slots`` slots in each row, doubling so that growing stays cheap."""
        if slots > self.capacity:
            self.extend(max(slots, 2 * self.capacity))

    def extend(self, slots: int) -> None:
        """Make room for exactly ``slots`` slots, no fewer than there are."""
        more = slots - self.capacity
        self.keys = [None if t is None else torch.nn.functional.pad(t, (0, 0, 0, more)) for t in self.keys]
        self.values = [None if t is None else torch.nn.functional.pad(t, (0, 0, 0, more)) for t in self.values]
        self.capacity += more

    @property
    def waste(self) -> int:
        """The slot into which padding is written."""
        return self.capacity

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write [B, heads, T, D] states at the planned slots and return what is visible, [B, heads, width, D]."""
        assert self._slots is not None, "plan() comes before the forward pass"
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        if keys is None or values is None:
            rows, heads, _, wide = key_states.shape
            keys = torch.zeros(rows, heads, self.capacity + 1, wide, dtype=key_states.dtype)
            values = torch.zeros(rows, heads, self.capacity + 1, value_states.shape[-1], dtype=value_states.dtype)
            self.keys[layer_idx], self.values[layer_idx] = keys, values
        where = torch.arange(self.rows).unsqueeze(1)
        keys[where, :, self._slots] = key_states.transpose(1, 2)
        values[where, :, self._slots] = value_states.transpose(1, 2)
        return keys[:, :, : self._width], values[:, :, : self._width]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """What transformers asks for; positions and masks are given explicitly, so it is not used."""
        return 0

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        """Width and offset of the mask; the 4D mask is given, so transformers builds none."""
        return self._width, 0

    def prefix(self, row: int, tokens: int) -> Prefix:
        """A copy of what ``row`` holds in its first ``tokens`` slots."""
        kept = [
            (keys[row, :, :tokens].clone(), values[row, :, :tokens].clone())
            for keys, values in zip(self.keys, self.values, strict=True)
            if keys is not None and values is not None
        ]
        return tuple(kept)

    def recall(self, row: int, prefix: Prefix) -> None:
        """Write a kept prefix into the first slots of ``row``."""
        for layer, (keys, values) in enumerate(prefix):
            for name, kept in (("keys", keys), ("values", values)):
                buffer = getattr(self, name)
                if buffer[layer] is None:
                    heads, _, wide = kept.shape
                    buffer[layer] = torch.zeros(self.rows, heads, self.capacity + 1, wide, dtype=kept.dtype)
                buffer[layer][row, :, : kept.shape[1]] = kept

    def join(self, other: RowCache) -> None:
        """Lay the rows of another cache below these; both get the room of the larger."""
        slots = max(self.capacity, other.capacity)
        for cache in (self, other):
            cache.extend(slots)
        self.rows += other.rows
        self.keys = _below(self.keys, other.keys)
        self.values = _below(self.values, other.values)

    def keep(self, rows: Tensor) -> None:
        """Keep only these rows, in this order (rows that are done leave)."""
        self.rows = len(rows)
        self.keys = [None if keys is None else keys[rows] for keys in self.keys]
        self.values = [None if values is None else values[rows] for values in self.values]


def _below(upper: list[Tensor | None], lower: list[Tensor | None]) -> list[Tensor | None]:
    pairs = zip(upper, lower, strict=True)
    return [None if one is None or other is None else torch.cat((one, other)) for one, other in pairs]
