"""Rows: a call while its record is being filled, from the first token it needs scored to its reply."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from .backbone import Backbone
from .errors import UnderstudyError
from .fields import Record
from .filling import Action, Choose, Filler, Follow, Point, Write
from .heads import Head
from .pointer import Pointer
from .prompts import Prompt
from .reading import Reading, read
from .readout import Readout
from .trie import Trie

Listen: TypeAlias = "Callable[[str, str], None]"
"""Called with a field and what has just been written or chosen for it, from the thread that decodes."""


@dataclass(frozen=True)
class Call:
    """One question to the decoder: what to read, what to fill, with whose head (``""``: the bare backbone).

    ``listen``: told of the answer token by token; again from the beginning, where the call is decoded again.
    """

    prompt: Prompt
    record: Record
    head: str = ""
    listen: Listen | None = field(default=None, compare=False, repr=False)


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


class Row:
    """The state of one call while its record is being filled.

    Args:
        head: of the call's role; None for the bare backbone.
        vector: [D], the message's features (:func:`.readout.features`), where the head has a readout.
        tokens: message part → features of its tokens (:func:`.pointer.token_features`), where the head has pointers.

    Attributes:
        pending: tokens that were not fed yet; ``length`` of those that were.
        trie: the options that must be scored next, None for a single next token.
        values: the filled record when all is done; ``error`` why it cannot be.
    """

    def __init__(
        self, call: Call, backbone: Backbone, head: Head | None, vector: Tensor | None = None,
        tokens: Mapping[str, Tensor] | None = None, reading: Reading | None = None,
    ) -> None:  # fmt: skip
        reading = reading or read(call.prompt, backbone)
        self.began = time.perf_counter()
        self.bare = head is None
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
        self.error: Exception | None = None
        self.trie: Trie | None = None
        self._end = backbone.markers.end
        self._pointers: Mapping[str, Pointer] = head.pointers if head and tokens is not None else {}
        self._tokens = tokens or {}
        where = {path: pointer.part for path, pointer in self._pointers.items() if pointer.part in self._tokens}
        self._filling = Filler(backbone, reading, where).record(call.record)
        self._written: list[int] = []
        self._logs = 0.0
        self._listen: Listen | None = call.listen
        self._backbone, self._reading, self._told = backbone, reading, ""
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
                    self._tell_choice(self.action, 0)
                    self.action = self._filling.send((1.0,) if self.action.weighed else 0)
                elif isinstance(self.action, Point):
                    pointer, tokens = self._pointers[self.action.path], self._tokens[self.action.part]
                    place, chance = pointer.point(tokens, self.action.allowed)
                    if place is not None or self.action.allowed is None:  # or else it is written after all
                        self.picks.append(Picked(self.action.path, "", chance))
                    if self._listen and place is not None:
                        self._say(self.action.path, self._reading.parts[self.action.part].span(0, *place).text)
                    self.action = self._filling.send(place)
                else:
                    self._written, self._logs, self._told = [], 0.0, ""
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
            self._take(int(allowed[0]))
        if not len(allowed):
            raise UnderstudyError(f"nothing may follow in field {self.action.path!r}")
        self._allowed = allowed
        return False

    def _take(self, token: int) -> None:
        assert isinstance(self.action, Follow)
        self.action.constraint.advance(token)
        self._written.append(token)
        self.pending.append(token)
        if self._listen is not None:
            text = self._backbone.decode(self._written)
            if not text.endswith("\ufffd") and len(text) > len(self._told):  # not in the middle of a character
                self._say(self.action.path, text[len(self._told) :])
                self._told = text

    def _tell_choice(self, choice: Choose, at: int) -> None:
        """Tell of a label; whether a list goes on, and which passage is read, is no part of the answer."""
        if self._listen is not None and not choice.weighed and not choice.path.endswith(("[]", "#")):
            self._say(choice.path, choice.labels[at])

    def _say(self, path: str, text: str) -> None:
        """Tell who listens; one who fails is told no more, and the answer is not lost by it."""
        assert self._listen is not None
        try:
            self._listen(path, text)
        except Exception:
            what = "who listened to field %s failed, and is told no more"
            logging.getLogger(__name__).warning(what, path, exc_info=True)
            self._listen = None

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

    def pick(self, chances: Tensor) -> int:
        """Which of the options of these probabilities is taken: the likeliest."""
        return int(chances.argmax())

    @property
    def age(self) -> float:
        """Seconds since the call became a row."""
        return time.perf_counter() - self.began

    @property
    def done(self) -> bool:
        """Whether the record is filled, or cannot be."""
        return self.values is not None or self.error is not None

    def require_room(self, most: int) -> None:
        """The row has failed where its next pass would go beyond the ``most`` tokens that the backbone reads."""
        if not self.done and self.length + len(self.pending) + (self.trie.deepest if self.trie else 0) > most:
            self.error = UnderstudyError(
                f"prompt and answer are longer than the {most} tokens that the backbone reads",
                mend="give fewer or shorter passages, or bound the fields more tightly",
            )

    def skip(self, count: int) -> None:
        """The first ``count`` tokens are in the cache already."""
        self.length += count
        self.tokens += count
        del self.pending[:count]

    @property
    def prefix(self) -> tuple[int, ...]:
        """The tokens that no head changes, before the role marker; none where the head is active on the whole row."""
        return tuple(self.pending[: self.role_at]) if (self.bare or self.marked) and not self.length else ()

    def receive(self, logits: Tensor) -> None:
        """``logits`` [T, V] of the last pending token and of the trie's inner nodes."""
        if isinstance(self.action, Choose):
            assert self.trie is not None
            chances = self._chances(self.action, self.trie.score(logits))
            best = self.pick(torch.tensor(chances))
            label = self.action.labels[best]
            options = dict(zip(self.action.labels, chances, strict=True))
            self.picks.append(Picked(self.action.path, label, chances[best], options, self.action.weighed))
            self.pending = list(self.action.options[best])
            self._tell_choice(self.action, best)
            self.trie = None
            self._step(tuple(chances) if self.action.weighed else best)
            return
        assert isinstance(self.action, Follow)
        self.pending = []
        ids = torch.as_tensor(self._allowed)
        logs = logits[0, ids].log_softmax(0)
        at = self.pick(logs.exp())
        self._logs += float(logs[at])
        token = int(ids[at])
        if token != self._end:
            self._take(token)
            if not self._forced():
                return
        self.picks.append(Picked(self.action.path, "", math.exp(self._logs)))
        self._step(tuple(self._written))

    def reply(self, seconds: float) -> Reply:
        """The reply of a row that is done, after ``seconds``."""
        confidence = math.prod(pick.probability for pick in self.picks if not pick.weighed)
        return Reply(self.values or {}, confidence, tuple(self.picks), self.tokens, seconds)
