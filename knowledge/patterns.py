"""Patterns: relations that sentences state in a fixed form, found by rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..core.errors import UnderstudyError
from .entities import NAME_RUN
from .pieces import Piece
from .results import Fact
from .text import STOPWORDS, key_of, sentences

_PLACE = re.compile(r"\{(subject|object)\}")
_NEGATED = re.compile(r"\b(?:not|never|no)\b", re.IGNORECASE)


@dataclass(frozen=True)
class RelationPattern:
    """A form of sentence that states a relation: ``{subject} is the capital of {object}``.

    Attributes:
        form: the words, with ``{object}`` and maybe ``{subject}`` where a capitalised name stands. Without a subject it
            is about what the title of the passage names: ``directed by {object}``.
        relation: what it states.
    """

    form: str
    relation: str

    def __post_init__(self) -> None:
        places = _PLACE.findall(self.form)
        if places.count("object") != 1 or places.count("subject") > 1 or not self.relation.strip():
            raise UnderstudyError(
                f"not a pattern: {self.form!r} = {self.relation!r}",
                mend="write '{subject} is the capital of {object}' = 'capital_of'; without {subject} it is the title",
            )

    @classmethod
    def parsed(cls, text: str) -> RelationPattern:
        """The pattern of ``{subject} is the capital of {object} = capital_of``. Raises UnderstudyError for others."""
        form, _, relation = text.rpartition("=")
        return cls(form.strip(), relation.strip())

    @property
    def expression(self) -> re.Pattern[str]:
        """The form as a regular expression with the groups ``subject`` and ``object``."""
        text = ""
        for number, part in enumerate(_PLACE.split(self.form)):
            if number % 2:
                text += f"(?P<{part}>{NAME_RUN})"
            else:
                text += re.sub(r"(?:\\ )+", r"\\s+", re.escape(" ".join(re.split(r"\s+", part))))
        return re.compile(text if text.startswith("(?P") else rf"\b{text}")


class Patterns:
    """Finds what patterns state in passages."""

    def __init__(self, patterns: Iterable[RelationPattern]) -> None:
        self._patterns: Sequence[tuple[re.Pattern[str], str]] = [(p.expression, p.relation) for p in patterns]

    def facts(self, piece: Piece) -> tuple[Fact, ...]:
        """The facts of a passage, in order, each once; a sentence with a negation states none."""
        found: dict[Fact, None] = {}
        about = piece.headings[-1] if piece.headings else piece.title
        if not self._patterns:
            return ()
        for start, end in sentences(piece.text):
            sentence = piece.text[start:end]
            if _NEGATED.search(sentence):
                continue
            for expression, relation in self._patterns:
                for match in expression.finditer(sentence):
                    named = match.groupdict()
                    subject, thing = _name(named.get("subject") or about), _name(named["object"])
                    if subject and thing and subject != thing:
                        found[Fact(subject, relation, thing)] = None
        return tuple(found)


def _name(text: str) -> str:
    """A name without what is no part of it; "" for a pronoun."""
    name = re.sub(r"['’]s\.?$", "", text).strip(".,'’&- ")
    return "" if key_of(name) in STOPWORDS else name
