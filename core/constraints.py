"""What may come next: the automata that keep every message valid while it is written token by token.

A constraint is asked for the ids it allows, told which one was taken, and is done when the end mark was taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Protocol

import llguidance
import llguidance.hf
import numpy as np
from transformers import PreTrainedTokenizerFast

from .errors import UnderstudyError


class Constraint(Protocol):
    """The protocol of an automaton over token ids."""

    def allowed(self) -> Sequence[int]:
        """The ids that may come next; the end mark among them when the text may end here."""

    def advance(self, token: int) -> None:
        """Take ``token``, which must be among the allowed."""


class Substring:
    """A run of tokens of one of some sources, of at most ``limit`` tokens: an answer span is copied, never made up.

    ``nothing``: the ids that say that no source has it, to be taken whole. ``starts``, ``ends``: for each source the
    places at which a run may begin and end, None where at every one; a run may go beyond ``limit`` to such an end.
    """

    def __init__(
        self,
        sources: Sequence[Sequence[int]],
        end: int,
        limit: int,
        nothing: Sequence[int] = (),
        starts: Sequence[Collection[int] | None] = (),
        ends: Sequence[Collection[int] | None] = (),
    ) -> None:
        self.sources = (*map(tuple, sources), tuple(nothing))
        self._starts = [*starts, *[None] * (len(self.sources) - 1 - len(starts))]
        self._ends = [*ends, *[None] * (len(self.sources) - 1 - len(ends))]
        self.end = end
        self.limit = limit
        self.taken = 0
        self._at: list[tuple[int, int]] = []

    def allowed(self) -> Sequence[int]:
        """At first every token of the sources, then what follows the run, and the end mark."""
        if self.taken == 0:
            begins = (
                token for s, ids in enumerate(self.sources[:-1]) for at, token in enumerate(ids) if self._begins(s, at)
            )
            return tuple(dict.fromkeys((*begins, *self.sources[-1][:1])))
        last = len(self.sources) - 1
        after = dict.fromkeys(
            self.sources[s][at + 1] for s, at in self._at
            if at + 1 < len(self.sources[s]) and (s == last or self.taken < self.limit or not self._stops(s, at))
        )  # fmt: skip
        return (*after, self.end) if self._found() or self._is_nothing() else tuple(after)

    def advance(self, token: int) -> None:
        """Keep the places of the sources where the run so far is found."""
        if token == self.end:
            return
        if self.taken == 0:
            last = len(self.sources) - 1
            self._at = [
                (s, at) for s, ids in enumerate(self.sources) for at, other in enumerate(ids)
                if other == token and (at == 0 if s == last else self._begins(s, at))
            ]  # fmt: skip
        else:
            self._at = [
                (s, at + 1) for s, at in self._at
                if at + 1 < len(self.sources[s]) and self.sources[s][at + 1] == token
            ]  # fmt: skip
        self.taken += 1

    def places(self) -> tuple[tuple[int, int, int], ...]:
        """Source, first and last token of the run, once for each source that has it; none for ``nothing``."""
        found: dict[int, tuple[int, int, int]] = {}
        for s, at in self._found():
            found.setdefault(s, (s, at - self.taken + 1, at))
        return () if self._is_nothing() else tuple(found.values())

    def _found(self) -> list[tuple[int, int]]:
        return [(s, at) for s, at in self._at if s < len(self.sources) - 1 and self._stops(s, at)]

    def _begins(self, source: int, at: int) -> bool:
        able = self._starts[source]
        return able is None or at in able

    def _stops(self, source: int, at: int) -> bool:
        able = self._ends[source]
        return able is None or at in able or at + 1 == len(self.sources[source])

    def _is_nothing(self) -> bool:
        return any(s == len(self.sources) - 1 and at + 1 == len(self.sources[s]) for s, at in self._at)


class Guided:
    """Text that a grammar accepts, by llguidance; the end mark stands for the grammar's end.

    Args:
        tokenizer: the backbone's tokenizer.
        lark: grammar in llguidance's Lark dialect.
        end: id of the end mark.
        limit: at most this many tokens; then only the end is allowed where the grammar may end.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, lark: str, end: int, limit: int) -> None:
        self.end = end
        self.limit = limit
        self.taken = 0
        self._tokens = _guidance_tokenizer(tokenizer, end)
        self._matcher: Any = llguidance.LLMatcher(self._tokens, llguidance.LLMatcher.grammar_from_lark(lark))
        if self._matcher.is_error():
            raise UnderstudyError(f"the grammar of a field is not valid ({self._matcher.get_error().splitlines()[0]})")

    def allowed(self) -> Sequence[int]:
        """Every id after which the grammar can still be completed."""
        if self.taken >= self.limit and self._matcher.is_accepting():
            return (self.end,)
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        # An array: a list of thousands of ids would take longer to make than a forward pass.
        found: Any = np.nonzero(np.unpackbits(bits, bitorder="little")[: self._tokens.vocab_size])[0]
        ids: Sequence[int] = found
        return ids

    def advance(self, token: int) -> None:
        """Commit ``token`` to the grammar's matcher."""
        if token != self.end:
            self._matcher.consume_token(token)
        self.taken += 1


@lru_cache(maxsize=8)
def _guidance_tokenizer(tokenizer: PreTrainedTokenizerFast, end: int) -> Any:
    return llguidance.hf.from_tokenizer(tokenizer, eos_token=end)


def after_blank(lark: str) -> str:
    """The same grammar with one blank before it: values are written with a blank, so that words keep their ids."""
    renamed, found = re.subn(r"^start\s*:", "body_after_blank:", lark, count=1, flags=re.MULTILINE)
    if not found:
        raise UnderstudyError("the grammar of a field has no rule named start")
    return f'start: " " body_after_blank\n{renamed}'


def text_grammar(max_tokens: int) -> str:
    """One line of text; the number of tokens is bounded apart, by the constraint's limit."""
    return rf'start: " " LINE{chr(10)}LINE: /[^\n\r\x00-\x1f]{{1,{max_tokens * 8}}}/'


def number_grammar(integer: bool) -> str:
    """A number in decimal notation."""
    fraction = "" if integer else r"(\.[0-9]{1,6})?"
    return rf'start: " " NUMBER{chr(10)}NUMBER: /-?(0|[1-9][0-9]{{0,11}}){fraction}/'
