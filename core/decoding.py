"""Decoder: fills the records of many calls at once, each row with the head of its own role.

Every row runs the same procedure (:mod:`.filling`). Between two forward passes each row says which tokens it needs
scored: known tokens in a chain, and, for a choice, the whole trie of its options as a tree, so that all options are
scored exactly in one pass (tree attention, SpecInfer, Miao et al. 2023). At each node the probabilities are
normalised over the node's children, so an option's probability does not sink with its length and all options of a
choice sum to one. A choice with a prior (the scores of an empty message) is corrected by it: Zhao et al. 2021.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .backbone import Backbone
from .bank import HeadBank
from .rows import Call, Picked, Reply, Row
from .running import ANSWER_ROOM, Prefixes, Running, rows_of


@dataclass
class Decoder:
    """Fills records with the heads of a bank, all calls that are given together in batches.

    Attributes:
        backbone: the shared GPT.
        bank: the heads; a call names its head.
        batch: rows that are decoded together at most.
        prefixes: keys and values of beginnings that activated heads share.
    """

    backbone: Backbone
    bank: HeadBank
    batch: int = 16
    prefixes: Prefixes = field(default_factory=Prefixes, repr=False)

    def decode(self, calls: Sequence[Call]) -> list[Reply]:
        """Answer ``calls`` in batches of rows with mixed heads, in the order given.

        Raises:
            UnderstudyError: an unknown head, a prompt longer than the context, a choice without options.
        """
        order = sorted(range(len(calls)), key=lambda i: -sum(len(p.text) for p in calls[i].prompt.passages))
        replies: dict[int, Reply] = {}
        for start in range(0, len(order), self.batch):
            some = order[start : start + self.batch]
            for index, reply in zip(some, self._decode([calls[i] for i in some]), strict=True):
                replies[index] = reply
        return [replies[i] for i in range(len(calls))]

    def _decode(self, calls: Sequence[Call]) -> list[Reply]:
        began = time.perf_counter()
        rows = rows_of(calls, self.backbone, self.bank)
        running = Running(self.backbone, self.bank, self.prefixes)
        done: list[Row] = running.join(rows)
        while running.rows:
            _raise(done)
            done = running.step()
        _raise(done)
        seconds = time.perf_counter() - began
        return [row.reply(seconds) for row in rows]


def _raise(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.error is not None:
            raise row.error


__all__ = ["ANSWER_ROOM", "Call", "Decoder", "Picked", "Reply"]
