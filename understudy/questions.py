"""Questions with what would be right: the lines of a team's evaluation file, and how values are compared.

A line has ``request`` and either ``expect`` (see :func:`.evaluation.meets`) or what :class:`Question` names: the
values, the plans, what was liked, or that no source says it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .core.errors import UnderstudyError
from .objects import read_objects

Value = str | int | float
WHOLE = "team"
"""The role of a question that the whole team is asked."""
_TINY, _ROUNDED = 1e-300, 0.02
_LONGEST = 300  # digits of a number; a text with more is compared as one
_FREE = ("values", "also", "liked", "unanswerable")  # what is said in place of ``expect``


@dataclass(frozen=True)
class Question:
    """One line of the file.

    Attributes:
        id: a name for it; the number of its line where it has none.
        role: the agent that is asked alone; ``team``: the whole workflow.
        request: a text, or the fields of what is taken.
        values: what a right answer holds, in any order; ``also`` are other lists that are right too; an empty list is
            none that could be right.
        reference: how the values were found, kept for the reader.
        plans: the sequences of agents that a plan may have.
        liked: what a recommender must find liked.
        unanswerable: no source says it, so only abstaining is right; so it is where ``expect`` has ``abstained: true``.
        expect: what the output must be like, in place of all these but ``plans``.
        where: file and line.
    """

    id: str
    role: str
    request: Any
    values: tuple[Value, ...] = ()
    also: tuple[tuple[Value, ...], ...] = ()
    reference: tuple[str, ...] = ()
    plans: tuple[tuple[str, ...], ...] = ()
    liked: tuple[str, ...] = ()
    unanswerable: bool = False
    expect: Any = None
    where: str = ""

    @property
    def accepted(self) -> tuple[tuple[Value, ...], ...]:
        """Every list of values that is right; none of them is empty."""
        return tuple(filter(None, (self.values, *self.also)))

    @property
    def needs_two(self) -> bool:
        """Whether the first plan that is right has two agents or more."""
        return bool(self.plans) and len(set(self.plans[0])) > 1

    def wanted(self) -> dict[str, Any]:
        """What would be right, as a report shows it."""
        named = ("expect", "values", "also", "liked", "plans", "unanswerable")
        return {name: value for name in named if (value := getattr(self, name)) not in (None, (), False)}


def read_questions(path: Path) -> list[Question]:
    """All questions of a JSONL file, in order.

    Raises UnderstudyError that names the line: one that is no JSON object, has a field that is unknown or of the wrong
    type, or says nothing of what would be right, or what any answer meets. An empty file is refused as well.
    """
    questions = [question(line, where) for where, line in read_objects(path)]
    if not questions:
        mend = 'write one a line, as {"request": "What is the capital of Peru?", "values": ["Lima"]}'
        raise UnderstudyError("the file has no lines", where=str(path), mend=mend)
    return questions


def question(line: Mapping[str, Any], where: str) -> Question:
    """The question of one line. Raises UnderstudyError as :func:`read_questions` does."""
    if "request" not in line:
        what = f"the line has no 'request', only {', '.join(line) or 'nothing'}"
        raise UnderstudyError(what, where=where, mend="give it the text that is asked")
    known = [one.name for one in fields(Question) if one.name != "where"]
    for name in line:
        if name not in known:
            raise UnderstudyError(f"there is no field {name!r}", where=where, mend=f"a line has {', '.join(known)}")
    for name, (fits, is_what, example) in _SHAPES.items():
        if name in line and not fits(line[name]):
            raise UnderstudyError(f"{name!r} is no {is_what}", where=where, mend=f"write it as {example}")
    told = [name for name in _FREE if line.get(name)]
    if line.get("expect") is not None and told:
        raise UnderstudyError(f"'expect' and {told[0]!r} are mixed", where=where, mend="write one of them")
    if line.get("unanswerable") and (line.get("values") or line.get("liked")):
        raise UnderstudyError("it has an answer and is 'unanswerable'", where=where, mend="write one of them")
    if line.get("also") and not line.get("values"):
        raise UnderstudyError("'also' stands without 'values'", where=where, mend="write its first list as values")
    if line.get("expect") is not None and met_by_all(line["expect"]):
        raise UnderstudyError("'expect' is met by any answer", where=where, mend="write what the output must contain")
    if not told and line.get("expect") is None and not line.get("plans"):
        mend = "give it values, plans, liked, unanswerable or expect"
        raise UnderstudyError("nothing says what would be right", where=where, mend=mend)
    fixed = {name: value if name in ("request", "expect") else _fixed(value) for name, value in line.items()}
    expect = line.get("expect")
    if isinstance(expect, Mapping) and expect.get("abstained") in (True, {"equals": True}):
        fixed["unanswerable"] = True
    return Question(**{"id": where.rpartition(":")[2], "role": WHOLE, **fixed, "where": where})


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def met_by_all(expected: Any, name: str = "") -> bool:
    """Whether any output is as expected: nothing is asked of it, or but a blank text, which each contains.

    ``name``: of the matcher or field that ``expected`` stands under.
    """
    if isinstance(expected, Mapping):
        return all(met_by_all(value, name) for name, value in expected.items())
    if isinstance(expected, str):
        return name not in ("equals", "lacks") and not expected.strip()
    parts = expected if isinstance(expected, list) else [expected]
    blank = [isinstance(part, str) and not part.strip() for part in parts]
    return {"contains": all(blank), "any_of": any(blank), "lacks": not blank}.get(name, False)


def _is_value(value: Any) -> bool:
    return _is_text(value) or isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any, of: Any) -> bool:
    return isinstance(value, list) and all(map(of, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return _is_list(value, _is_text)


_SHAPES: Mapping[str, tuple[Any, str, str]] = {
    "id": (_is_text, "text", '"a name"'),
    "role": (_is_text, "name of an agent", '"qa"'),
    "request": (lambda value: _is_text(value) or isinstance(value, dict) and value, "text or object of fields",
                '"a text"'),
    "values": (lambda value: _is_list(value, _is_value), "list of texts and numbers", '["Lima", 5]'),
    "also": (lambda value: _is_list(value, lambda one: one and _is_list(one, _is_value)), "list of lists of values",
             '[["Lima"], ["Cusco", 5]]'),
    "reference": (_is_texts, "list of texts", '["SELECT 1"]'),
    "plans": (lambda value: _is_list(value, lambda one: one and _is_texts(one)), "list of lists of agents",
              '[["qa", "coder"]]'),
    "liked": (_is_texts, "list of names", '["Peru"]'),
    "unanswerable": (lambda value: isinstance(value, bool), "true or false", "true"),
}  # fmt: skip
"""Field → whether a value fits, what it must be, and an example."""


def folded(value: Value) -> Value:
    """A value as it is compared: numbers as numbers, words without case, accents, article and outer punctuation.

    A number without a point is an integer.

    >>> folded(" The Bahamas."), folded("1,234"), folded("1,234.50")
    ('bahamas', 1234, 1234.5)
    """
    if isinstance(value, str):
        plain = value.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", value) else value
        if re.fullmatch(r"-?\d+(\.\d+)?", plain) and len(plain) <= _LONGEST:
            return float(plain) if "." in plain else int(plain)
        bare = "".join(c for c in unicodedata.normalize("NFKD", value.casefold()) if not unicodedata.combining(c))
        return " ".join(re.sub(r"^the\s+", "", bare.strip(" .,;:!?\"")).split())
    return value


def alike(found: Value, wanted: Value, tolerance: float = 1e-4) -> bool:
    """Whether a found value is the wanted one.

    Two integers are when they are equal; of numbers of which one has a point it is enough that they differ by a share
    of ``tolerance`` at most, which covers rounding for show, or that the found one, rounded to the places of the wanted
    one, is it and is off by two percent at most: 467.08 where 467 is wanted, but not 2.4 where 2 is.
    """
    left, right = folded(found), folded(wanted)
    if isinstance(left, str) or isinstance(right, str) or isinstance(left, int) and isinstance(right, int):
        return left == right
    try:
        off = abs(left - right) / max(abs(left), abs(right), _TINY)
        rounded = isinstance(left, float) and round(left, _places(right)) == right
        return off <= tolerance or rounded and off <= _ROUNDED
    except OverflowError:  # an integer beyond all floats
        return False


def _places(number: int | float) -> int:
    """The digits behind the point."""
    return len(f"{number:f}".rstrip("0").partition(".")[2]) or int(isinstance(number, float))


def same_set(found: Iterable[Value], wanted: Iterable[Value]) -> bool:
    """Whether each found value is wanted and each wanted value found."""
    found, wanted = list(found), list(wanted)
    return holds(found, wanted) and all(any(alike(value, one) for one in wanted) for value in found)


def holds(found: Sequence[Value], wanted: Iterable[Value]) -> bool:
    """Whether every wanted value was found."""
    return all(any(alike(value, one) for value in found) for one in wanted)


def pieces(text: str) -> list[str]:
    """A text that lists things, split: ``Dari, Pashto and Turkmen``."""
    return [piece.strip() for piece in re.split(r",|;|\band\b", text) if piece.strip()]


def right_finding(question: Question, answer: str, values: Sequence[Value], abstained: bool) -> bool:
    """Whether a finding answers a question: its values, or the list that its words are, are an accepted one."""
    if question.unanswerable or abstained:
        return question.unanswerable and abstained
    tried = (values, [answer], pieces(answer))
    return any(same_set(found, wanted) for found in tried for wanted in question.accepted)


def right_rows(question: Question, rows: Sequence[Sequence[Value | None]], most: int = 2) -> bool:
    """Whether the rows of a result, or one column of it, where it has ``most`` at most, hold just what is accepted.

    Rows are compared one by one: a figure beside the wrong name is wrong.
    """
    columns = list(zip(*rows, strict=True))
    if any(_row_by_row(rows, wanted) for wanted in question.accepted):
        return True
    found = [[cell for cell in column if cell is not None] for column in columns] if len(columns) <= most else []
    return any(same_set(column, wanted) for column in found if column for wanted in question.accepted)


def _row_by_row(rows: Sequence[Sequence[Value | None]], wanted: Sequence[Value]) -> bool:
    """Whether the wanted values, cut into as many for each row as it has cells, are these rows in any order."""
    width = len(rows[0]) if rows else 0
    if not width or len(wanted) != width * len(rows) or any(cell is None for row in rows for cell in row):
        return False
    left = [[cell for cell in row if cell is not None] for row in rows]
    for start in range(0, len(wanted), width):
        piece = wanted[start : start + width]
        at = next((at for at, row in enumerate(left) if same_set(row, piece)), None)
        if at is None:
            return False
        del left[at]
    return True
