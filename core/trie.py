"""Trie: the options of a choice as a tree of tokens, scored in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Trie:
    """The token trie of ``options``, none of which is a prefix of another.

    Inner nodes (all but the root and the leaves) are fed to the backbone; node 0's scores come from the token before.

    Attributes:
        ids: [T] tokens of the inner nodes, parents before children.
        depths: [T] depth below the root, from 0.
        deepest: how many tokens the longest path of inner nodes has.
        sees: [T, T] which inner nodes each one may read: its ancestors and itself.
    """

    def __init__(self, options: Sequence[tuple[int, ...]]) -> None:
        self.options = tuple(options)
        prefixes: dict[tuple[int, ...], int] = {(): 0}
        self._children: dict[tuple[int, ...], dict[int, None]] = {(): {}}
        for option in self.options:
            for depth, token in enumerate(option):
                prefix = option[:depth]
                if prefix not in prefixes:
                    prefixes[prefix] = len(prefixes)
                    self._children[prefix] = {}
                self._children[prefix][token] = None
        self._row = prefixes
        nodes = [prefix for prefix in prefixes if prefix]
        self.inner = len(nodes)
        self.ids = torch.tensor([node[-1] for node in nodes], dtype=torch.long)
        self.deepest = max((len(node) for node in nodes), default=0)
        self.depths = torch.tensor([len(node) - 1 for node in nodes], dtype=torch.long)
        self.sees = torch.zeros(self.inner, self.inner, dtype=torch.bool)
        for index, node in enumerate(nodes):
            for depth in range(1, len(node) + 1):
                self.sees[index, prefixes[node[:depth]] - 1] = True

    def score(self, logits: Tensor) -> list[float]:
        """Log-probability of each option, normalised at every node over its children; ``logits`` is [1 + T, V]."""
        logs: dict[tuple[int, ...], dict[int, float]] = {}
        for prefix, children in self._children.items():
            ids = torch.tensor(list(children))
            values = logits[self._row[prefix], ids].log_softmax(0).tolist()
            logs[prefix] = dict(zip(children, values, strict=True))
        return [sum(logs[option[:d]][token] for d, token in enumerate(option)) for option in self.options]
