"""Running: the rows that are being decoded; they join and leave between two forward passes.

A row that joins is fed its prompt in a pass of its own, so that the others do not wait behind padding, and then its
cache is laid beside theirs. What stands before the role marker is the same for every role with an activated head, so
its keys and values are kept and given to the next row that begins with it (prefix caching, as in SGLang, Zheng et al.
2024; with activated adapters, Greenewald et al. 2025).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadBank, Pair, active
from .cache import Prefix, RowCache
from .heads import Head
from .pointer import token_features
from .reading import Reading, read
from .readout import vectors_of
from .rows import Call, Row

ANSWER_ROOM = 128
KEPT_TOKENS = 8192
SHORTEST = 16


def rows_of(calls: Sequence[Call], backbone: Backbone, bank: HeadBank) -> list[Row]:
    """A row for each call. Raises UnderstudyError for an unknown head, or a prompt longer than the context."""
    heads = [bank.head(call.head) for call in calls]
    found = iter(vectors_of(backbone, [c.prompt for c, h in zip(calls, heads, strict=True) if h and h.readouts]))
    readings = [read(call.prompt, backbone) for call in calls]
    pointed = [_pointed(*one) for one in zip(calls, heads, readings, strict=True)]
    texts = [reading.parts[part] for reading, parts in zip(readings, pointed, strict=True) for part in parts]
    tokens = iter(token_features(backbone, texts))
    rows = []
    for call, head, reading, parts in zip(calls, heads, readings, pointed, strict=True):
        vector = next(found) if head and head.readouts else None
        rows.append(Row(call, backbone, head, vector, {part: next(tokens) for part in parts}, reading))
    return rows


def _pointed(call: Call, head: Head | None, reading: Reading) -> list[str]:
    """The message parts in which the head's pointers look."""
    pointers = head.pointers if head else {}
    wanted = (pointers[name].part for name, _ in call.record.fields if name in pointers)
    return [part for part in dict.fromkeys(wanted) if part in reading.parts]


class Prefixes:
    """Keys and values of prompts' beginnings, the least recently used forgotten beyond ``most`` tokens."""

    def __init__(self, most: int = KEPT_TOKENS) -> None:
        self.most = most
        self.hits = 0
        self._kept: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()

    def get(self, ids: tuple[int, ...]) -> Prefix | None:
        """What is kept of a prompt's beginning."""
        if ids in self._kept:
            self._kept.move_to_end(ids)
            self.hits += 1
        return self._kept.get(ids)

    def put(self, ids: tuple[int, ...], prefix: Prefix) -> None:
        """Keep it, and forget what is too much."""
        self._kept[ids] = prefix
        while sum(map(len, self._kept)) > self.most:
            self._kept.popitem(last=False)


class Running:
    """The rows in the batch, with their cache and their heads.

    Args:
        prefixes: what is kept of earlier prompts; None keeps nothing.
    """

    def __init__(self, backbone: Backbone, bank: HeadBank, prefixes: Prefixes | None = None) -> None:
        self.backbone, self.bank, self.prefixes = backbone, bank, prefixes
        self.rows: list[Row] = []
        self._cache: RowCache | None = None
        self._pairs: dict[str, Pair] = {}

    def join(self, rows: Sequence[Row]) -> list[Row]:
        """Feed new rows their prompts and take them in; returns those that are done already."""
        for row in rows:
            row.require_room(self.backbone.max_tokens)
        done = [row for row in rows if row.done]
        waiting = [row for row in rows if not row.done]
        first, later = self._with_same_start(waiting)
        for some in (first, later):  # those of the second wave find in the cache what the first has left there
            if some:
                done += self._take(some)
        return done

    def _with_same_start(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Rows that can wait until another has read the beginning that they share, apart from all others."""
        if self.prefixes is None:
            return rows, []
        first: list[Row] = []
        later: list[Row] = []
        seen: set[tuple[int, ...]] = set()
        for row in rows:
            start = row.prefix
            (later if start in seen else first).append(row)
            if len(start) >= SHORTEST:
                seen.add(start)
        return first, later

    @torch.no_grad()
    def _take(self, rows: list[Row]) -> list[Row]:
        new = Running(self.backbone, self.bank)
        new.rows = rows
        slots = max(len(row.pending) for row in rows) + ANSWER_ROOM
        new._cache = RowCache(int(self.backbone.model.config.num_hidden_layers), len(rows), slots)
        new._pairs = self.bank.gather([row.call.head for row in rows])
        starts: list[tuple[int, ...]] = []
        if self.prefixes is not None:
            starts = [start if len(start := row.prefix) >= SHORTEST else () for row in rows]
            for number, (row, start) in enumerate(zip(rows, starts, strict=True)):
                known = self.prefixes.get(start) if start else None
                if known is not None:
                    new._cache.recall(number, known)
                    row.skip(len(start))
        cache = new._cache
        rows = list(rows)
        new._pass()
        if self.prefixes is not None:
            for number, start in enumerate(starts):
                if start and not rows[number].error:
                    self.prefixes.put(start, cache.prefix(number, len(start)))
        done = new._leave()
        self._lay_beside(new)
        return done

    def _lay_beside(self, new: Running) -> None:
        if not new.rows or new._cache is None:
            return
        if self._cache is None or not self.rows:
            self.rows, self._cache, self._pairs = new.rows, new._cache, new._pairs
            return
        self._cache.join(new._cache)
        self.rows = [*self.rows, *new.rows]
        self._pairs = {site: _below(pair, new._pairs[site]) for site, pair in self._pairs.items()}

    @torch.no_grad()
    def step(self) -> list[Row]:
        """One forward pass for all rows; those that are done, or failed, leave and are returned."""
        if not self.rows:
            return []
        self._pass()
        return self._leave()

    def drop(self, rows: Sequence[Row]) -> None:
        """Take rows out of the batch, done or not."""
        gone = set(map(id, rows))
        left = [at for at, row in enumerate(self.rows) if id(row) not in gone]
        if len(left) == len(self.rows) or self._cache is None:
            return
        keep = torch.tensor(left, dtype=torch.long)
        self._cache.keep(keep)
        self._pairs = {site: (down[keep], up[keep]) for site, (down, up) in self._pairs.items()}
        self.rows = [self.rows[at] for at in left]

    def _leave(self) -> list[Row]:
        done = [row for row in self.rows if row.done]
        self.drop(done)
        return done

    def _pass(self) -> None:
        """Feed every row its pending tokens and the options to be scored, and give it the scores."""
        assert self._cache is not None
        feeds = [row.pending for row in self.rows]
        with active(self.backbone.context, self._pairs, self._mask(feeds)):
            scored = self._forward(feeds, self._cache)
        for row, logits in zip(self.rows, scored, strict=True):
            row.tokens += len(row.pending)
            row.length += len(row.pending)
            try:
                row.receive(logits)
            except Exception as error:  # this row's own; the others go on
                row.error = error
            row.require_room(self.backbone.max_tokens)

    def _mask(self, feeds: Sequence[Sequence[int]]) -> Tensor | None:
        """[B, T]: where the rows' heads are active, None when they all are everywhere."""
        if not any(row.marked for row in self.rows):
            return None
        width = max(len(feed) + (row.trie.inner if row.trie else 0) for row, feed in zip(self.rows, feeds, strict=True))
        mask = torch.ones(len(self.rows), width)
        for index, row in enumerate(self.rows):
            if row.marked:
                mask[index, : max(row.role_at - row.length, 0)] = 0
        return mask

    def _forward(self, feeds: Sequence[Sequence[int]], cache: RowCache) -> list[Tensor]:
        """One pass over every row's pending tokens and trie; logits [1 + inner, V] for each row."""
        rows = self.rows
        inner = [row.trie.inner if row.trie else 0 for row in rows]
        wide = max(len(feed) + more for feed, more in zip(feeds, inner, strict=True))
        width = max(row.length + len(feed) + more for row, feed, more in zip(rows, feeds, inner, strict=True))
        cache.reserve(width)  # the old place of padding is written before it is ever seen
        ids = torch.full((len(rows), wide), self.backbone.markers.pad)
        places = torch.zeros(len(rows), wide, dtype=torch.long)
        slots = torch.full((len(rows), wide), cache.waste)
        sees = torch.zeros(len(rows), wide, width, dtype=torch.bool)
        sees[:, :, 0] = True  # a padded query must see something, or softmax has nothing to normalise
        for b, (row, feed) in enumerate(zip(rows, feeds, strict=True)):
            n, before = len(feed), row.length
            ids[b, :n] = torch.tensor(feed)
            places[b, :n] = torch.arange(before, before + n)
            slots[b, :n] = places[b, :n]
            sees[b, :n, : before + n] = torch.ones(n, before + n, dtype=torch.bool).tril(before)
            if row.trie:
                m = row.trie.inner
                ids[b, n : n + m] = row.trie.ids
                places[b, n : n + m] = before + n + row.trie.depths
                slots[b, n : n + m] = torch.arange(before + n, before + n + m)
                sees[b, n : n + m, : before + n] = True
                sees[b, n : n + m, before + n : before + n + m] = row.trie.sees
        cache.plan(slots, width)
        dtype = next(self.backbone.model.parameters()).dtype
        mask = torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min).unsqueeze(1)
        states = self.backbone.hidden(
            ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )
        needed = [states[b, len(f) - 1 : len(f) + m] for b, (f, m) in enumerate(zip(feeds, inner, strict=True))]
        logits = self.backbone.logits(torch.cat(needed)).float()
        return list(logits.split([1 + m for m in inner]))


def _below(upper: Pair, lower: Pair) -> Pair:
    """Both rows' pairs, padded with zeros to the higher rank: a head that came meanwhile may have raised the bank's."""
    rank = max(upper[0].shape[-1], lower[0].shape[-1])

    def padded(pair: Pair) -> Pair:
        more = rank - pair[0].shape[-1]
        return torch.nn.functional.pad(pair[0], (0, more)), torch.nn.functional.pad(pair[1], (0, 0, 0, more))

    (down, up), (other_down, other_up) = padded(upper), padded(lower)
    return torch.cat((down, other_down)), torch.cat((up, other_up))
