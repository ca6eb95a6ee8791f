"""Extraction by a learned head: the relation between two names of a sentence is a choice that the head makes.

The names are found by rule. The role reads the sentence once for each pair of them, with SUBJECT and OBJECT in their
places, so that what it learns from a few demonstrations is the sentence and not who stood in it; it answers with one of
its relations, with ``none``, or not at all where it is unsure. So every fact names what the passage names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from .core.errors import UnderstudyError
from .knowledge.extraction import Extraction, RuleExtractor
from .knowledge.results import Fact
from .knowledge.text import key_of, sentences

if TYPE_CHECKING:
    from .knowledge.pieces import Piece
    from .solo import Solo

NONE = "none"
SUBJECT, OBJECT = "SUBJECT", "OBJECT"
_AT_ONCE = 256


class HeadExtractor:
    """Facts by a learned role that takes one text and gives ``relation``; names by rule.

    Args:
        solo: the learned role (:func:`.solo.open_solo`), with demonstrations like "SUBJECT is the capital of OBJECT.":
            capital_of, "OBJECT is the capital of SUBJECT.": none.
        least_confidence: what an answer needs to make a fact; the role's own threshold unless one is given.
        most_names: a sentence with more names is passed over: it is a list more often than a statement.
        progress: is told how many pairs are done, and of how many.

    Raises:
        UnderstudyError: when the role takes or gives something else.
    """

    def __init__(
        self,
        solo: Solo,
        least_confidence: float | None = None,
        most_names: int = 5,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        if len(solo.role.takes.model_fields) != 1 or "relation" not in solo.role.gives.model_fields:
            raise UnderstudyError(
                f"the role {solo.role.name} cannot extract facts",
                mend="it must take {text: text} and give {relation: [none, …]}",
            )
        self._solo = solo
        self._least = least_confidence
        self._most_names = most_names
        self._progress = progress
        self._rules = RuleExtractor()

    def extract(self, pieces: Sequence[Piece]) -> list[Extraction]:
        """One extraction per passage, in order."""
        named = self._rules.extract(pieces)
        asked = [
            (number, sentence, subject, thing)
            for number, (piece, found) in enumerate(zip(pieces, named, strict=True))
            for sentence, names in _sentences(piece, found)
            if len(names) <= self._most_names
            for subject, thing in permutations(names, 2)
        ]
        # Of "A wrote B" and "B wrote A" in one sentence the surer one is told.
        best: dict[tuple[int, str, frozenset[str], str], tuple[float, Fact]] = {}
        for start in range(0, len(asked), _AT_ONCE):
            part = asked[start : start + _AT_ONCE]
            messages = [self._solo.message(_masked(*pair[1:])) for pair in part]
            for (number, sentence, subject, thing), answer in zip(part, self._solo.answer(messages), strict=True):
                relation = str(getattr(answer.output, "relation", NONE))
                sure = not answer.abstained if self._least is None else answer.confidence >= self._least
                told = (number, sentence, frozenset((subject, thing)), relation)
                if sure and relation != NONE and answer.confidence > best.get(told, (0.0,))[0]:
                    best[told] = (answer.confidence, Fact(subject, relation, thing))
            if self._progress:
                self._progress(start + len(part), len(asked))
        facts: list[list[Fact]] = [[] for _ in pieces]
        for (number, *_), (_, fact) in best.items():
            facts[number].append(fact)
        return [Extraction(found.names, tuple(told)) for found, told in zip(named, facts, strict=True)]


def _masked(sentence: str, subject: str, thing: str) -> str:
    for name, mark in sorted(((subject, SUBJECT), (thing, OBJECT)), key=lambda pair: -len(pair[0])):
        sentence = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", mark, sentence)
    return sentence


def _sentences(piece: Piece, found: Extraction) -> list[tuple[str, list[str]]]:
    """The sentences of a passage with the names in each; a name inside a longer one is not told again."""
    told = []
    for start, end in sentences(piece.text):
        sentence = piece.text[start:end]
        key = f" {key_of(sentence)} "
        names: list[str] = []
        for name in sorted(found.names, key=len, reverse=True):
            if f" {key_of(name)} " in key and not any(f" {key_of(name)} " in f" {key_of(other)} " for other in names):
                names.append(name)
        if len(names) > 1:
            told.append((sentence, sorted(names, key=sentence.find)))
    return told
