"""Decoder: fills the records of many calls at once, each row with the head of its own role.

Every row runs the same procedure (:mod:`.filling`). Between two forward passes each row says which tokens it needs
scored: known tokens in a chain, and, for a choice, the whole trie of its options as a tree, so that all options are
scored exactly in one pass (tree attention, SpecInfer, Miao et al. 2023). At each node the probabilities are
normalised over the node's children, so an option's probability does not sink with its length and all options of a
choice sum to one. A choice with a prior (the scores of an empty message) is corrected by it: Zhao et al. 2021.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadBank, active
from .cache import RowCache
from .errors import UnderstudyError
from .fields import Record
from .filling import Action, Choose, Filler, Follow, Write
from .heads import Head
from .prompts import Prompt
from .reading import read
from .readout import Readout, vectors_of
from .trie import Trie

ANSWER_ROOM = 128


@dataclass(frozen=True)
class Call:
    """One question to the decoder: what to read, what to fill, with whose head (``""``: the bare backbone)."""

    prompt: Prompt
    record: Record
    head: str = ""


@dataclass(frozen=True)
class Picked:
    """A decision that was made: its field, what was taken, and the probability of every option (or of the text).

    ``weighed``: no option was ruled out by it, so it says nothing of the reply's confidence.
    """

    path: str
    value: str
    probability: float
    options: Mapping[str, float] = field(default_factory=dict)
    weighed: bool = False


@dataclass(frozen=True)
class Reply:
    """Attributes:
    values: the record's values.
    confidence: product of the probabilities of all decisions, in [0, 1].
    picks: the decisions in order.
    tokens: tokens read and written.
    seconds: wall time of the batch in which the call was answered.
    """

    values: dict[str, Any]
    confidence: float
    picks: tuple[Picked, ...]
    tokens: int
    seconds: float


class _Row:
    """The state of one call while its record is being filled."""

    def __init__(self, call: Call, backbone: Backbone, head: Head | None, vector: Tensor | None) -> None:
        reading = read(call.prompt, backbone)
        self.marked = head is not None and head.activation == "marker"
        self.call = call
        self.role_at = reading.role_at
        self.pending: list[int] = list(reading.ids)
        self.length = 0
        self.tokens = 0
        self.prior: Mapping[str, Mapping[str, float]] = head.prior if head else {}
        self.readouts: Mapping[str, Readout] = head.readouts if head else {}
        self.vector = vector
        self.picks: list[Picked] = []
        self.values: dict[str, Any] | None = None
        self.trie: Trie | None = None
        self._end = backbone.markers.end
        self._filling = Filler(backbone, reading).record(call.record)
        self._written: list[int] = []
        self._logs = 0.0
        self.action: Action | None = None
        self._step(None)

    def _step(self, answer: Any) -> None:
        """Send the answer to the last action and go on until something must be scored, or all is filled."""
        try:
            self.action = self._filling.send(answer)
            while True:
                if isinstance(self.action, Write):
                    self.pending.extend(self.action.ids)
                    self.action = self._filling.send(None)
                elif isinstance(self.action, Choose):
                    if len(self.action.options) > 1:
                        self.trie = Trie(self.action.options)
                        return
                    self.pending.extend(self.action.options[0])
                    self.action = self._filling.send((1.0,) if self.action.weighed else 0)
                else:
                    self._written, self._logs = [], 0.0
                    if not self._forced():
                        return
                    self.action = self._filling.send(tuple(self._written))
        except StopIteration as stop:
            self.values = stop.value

    def _forced(self) -> bool:
        """Write the tokens to which a constraint leaves no alternative; True when the text is complete."""
        assert isinstance(self.action, Follow)
        while len(allowed := self.action.constraint.allowed()) == 1:
            if allowed[0] == self._end:
                return True
            self._take(allowed[0])
        if not allowed:
            raise UnderstudyError(f"nothing may follow in field {self.action.path!r}")
        self._allowed = allowed
        return False

    def _take(self, token: int) -> None:
        assert isinstance(self.action, Follow)
        self.action.constraint.advance(token)
        self._written.append(token)
        self.pending.append(token)

    def _chances(self, choice: Choose, scores: list[float]) -> list[float]:
        """The probability of each option: the language model's, less its prior, with the readout where there is one."""
        readout = self.readouts.get(choice.path)
        total = torch.tensor(scores)
        if readout is not None and self.vector is not None and readout.options == choice.labels:
            of_lm, of_readout, _ = readout.mix
            total = of_lm * total + of_readout * readout.scores(self.vector)
        prior = self.prior.get(choice.path, {})
        less = torch.tensor([prior.get(label, 0.0) for label in choice.labels])
        chances: list[float] = (total - less).softmax(0).tolist()
        return chances

    def receive(self, logits: Tensor) -> None:
        """``logits`` [T, V] of the last pending token and of the trie's inner nodes."""
        if isinstance(self.action, Choose):
            assert self.trie is not None
            chances = self._chances(self.action, self.trie.score(logits))
            best = max(range(len(chances)), key=chances.__getitem__)
            label = self.action.labels[best]
            options = dict(zip(self.action.labels, chances, strict=True))
            self.picks.append(Picked(self.action.path, label, chances[best], options, self.action.weighed))
            self.pending = list(self.action.options[best])
            self.trie = None
            self._step(tuple(chances) if self.action.weighed else best)
            return
        assert isinstance(self.action, Follow)
        self.pending = []
        ids = torch.tensor(self._allowed)
        logs = logits[0, ids].log_softmax(0)
        at = int(logs.argmax())
        self._logs += float(logs[at])
        token = int(ids[at])
        if token != self._end:
            self._take(token)
            if not self._forced():
                return
        self.picks.append(Picked(self.action.path, "", math.exp(self._logs)))
        self._step(tuple(self._written))


def _confidence(picks: Sequence[Picked]) -> float:
    return math.prod(pick.probability for pick in picks if not pick.weighed)


@dataclass
class Decoder:
    """Fills records with the heads of a bank.

    Attributes:
        backbone: the shared GPT.
        bank: the heads; a call names its head.
        batch: rows that are decoded together at most.
    """

    backbone: Backbone
    bank: HeadBank
    batch: int = 16

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

    @torch.no_grad()
    def _decode(self, calls: Sequence[Call]) -> list[Reply]:
        began = time.perf_counter()
        heads = [self.bank.head(call.head) for call in calls]
        read_out = [at for at, head in enumerate(heads) if head is not None and head.readouts]
        found = iter(vectors_of(self.backbone, [calls[at].prompt for at in read_out]))
        vectors = [next(found) if head is not None and head.readouts else None for head in heads]
        rows = [
            _Row(call, self.backbone, head, vector) for call, head, vector in zip(calls, heads, vectors, strict=True)
        ]
        live = [row for row in rows if row.values is None]
        slots = max((len(row.pending) for row in rows), default=0) + ANSWER_ROOM
        cache = RowCache(int(self.backbone.model.config.num_hidden_layers), len(live), slots)
        pairs = self.bank.gather([row.call.head for row in live]) if live else {}
        while live:
            feeds = [row.pending for row in live]
            with active(self.backbone.context, pairs, self._mask(live, feeds)):
                scored = self._forward(live, feeds, cache)
            for row, logits in zip(live, scored, strict=True):
                row.tokens += len(row.pending)
                row.length += len(row.pending)
                row.receive(logits)
            left = [i for i, row in enumerate(live) if row.values is None]
            if len(left) < len(live):
                keep = torch.tensor(left, dtype=torch.long)
                cache.keep(keep)
                pairs = {site: (down[keep], up[keep]) for site, (down, up) in pairs.items()}
                live = [live[i] for i in left]
        seconds = time.perf_counter() - began
        return [
            Reply(row.values or {}, _confidence(row.picks), tuple(row.picks), row.tokens, seconds)
            for row in rows
        ]

    def _mask(self, rows: Sequence[_Row], feeds: Sequence[Sequence[int]]) -> Tensor | None:
        """[B, T]: where the rows' heads are active, None when they all are everywhere."""
        if not any(row.marked for row in rows):
            return None
        width = max(len(feed) + (row.trie.inner if row.trie else 0) for row, feed in zip(rows, feeds, strict=True))
        mask = torch.ones(len(rows), width)
        for index, row in enumerate(rows):
            if row.marked:
                mask[index, : max(row.role_at - row.length, 0)] = 0
        return mask

    def _forward(self, rows: Sequence[_Row], feeds: Sequence[Sequence[int]], cache: RowCache) -> list[Tensor]:
        """One pass over every row's pending tokens and trie; logits [1 + inner, V] for each row."""
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
        if int(places.max()) >= self.backbone.max_tokens:
            raise UnderstudyError(
                f"prompt and answer are longer than the {self.backbone.max_tokens} tokens that the backbone reads",
                mend="give fewer or shorter passages, or bound the fields more tightly",
            )
        cache.plan(slots, width)
        dtype = next(self.backbone.model.parameters()).dtype
        mask = torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min).unsqueeze(1)
        states = self.backbone.hidden(
            ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True
        )
        needed = [states[b, len(f) - 1 : len(f) + m] for b, (f, m) in enumerate(zip(feeds, inner, strict=True))]
        logits = self.backbone.logits(torch.cat(needed)).float()
        return list(logits.split([1 + m for m in inner]))
