"""A record's values as JSON and back: what a language model behind an endpoint is shown, and what it gave.

The JSON of each field, as :func:`as_json` writes it and :func:`values_of` takes it:

======== ============================================================================
Choice   one of the options, in whatever case
Grades   object of option → integer, the place of its label
Span     of the passages {"passage": number from 1, "text": words}, of a message part
         the words; null for nothing
Text     string of one line
Number   number, not a string that holds one
Grammar  string that the grammar accepts, up to blanks and a closing semicolon
ListOf   list
Earlier  integer, from 1
Record   object; fields that the record has not are passed over
======== ============================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from .core.errors import UnderstudyError
from .core.fields import Choice, Earlier, Field, Grades, Grammar, ListOf, Number, Record, Span, SpanValue
from .core.prompts import Prompt

_MOST = 10**12
"""A number has at most twelve digits before its point, as those that a head writes."""
_NOT_OF_A_LINE = re.compile(r"[\x00-\x1f\ud800-\udfff]")
_SHOWN = 120
_BLANK = ord(" ")


class InvalidAnswer(UnderstudyError):
    """An answer that does not fill its record; ``what`` names the field and what is wrong with it."""


def as_json(values: Mapping[str, Any], record: Record) -> dict[str, Any]:
    """The plain object of ``values`` (shapes of :mod:`understudy.core.fields`), ready for JSON.

    A grade may be its label, as a teacher gives it, or a number, which is rounded. :func:`values_of` is the way back.

    >>> record = Record((("answer", Span(optional=True)),))
    >>> as_json({"answer": SpanValue(2, 0, 4, "Lima")}, record)
    {'answer': {'passage': 3, 'text': 'Lima'}}

    Raises UnderstudyError where a field has no value.
    """
    missing = [name for name, _ in record.fields if name not in values]
    if missing:
        raise UnderstudyError(f"the demonstration has no value for {missing[0]!r}")
    return {name: _plain(values[name], field) for name, field in record.fields}


def _plain(value: Any, field: Field) -> Any:
    if isinstance(field, Record):
        return as_json(value, field)
    if isinstance(field, ListOf):
        return [_plain(item, field.item) for item in value]
    if isinstance(field, Grades):
        return {option: _grade(value[option], field) for option in field.options}
    if isinstance(value, SpanValue):
        if not value.text:
            return None  # a passage that was looked at in vain
        return {"passage": value.source + 1, "text": value.text} if _of_passages(field) else value.text
    return value


def _grade(value: Any, field: Grades) -> int:
    return field.labels.index(value) if isinstance(value, str) else round(value)


def _of_passages(field: Field) -> bool:
    return isinstance(field, Span) and field.part is None


def values_of(answer: str, prompt: Prompt, record: Record) -> dict[str, Any]:
    """The values, in the shapes of :mod:`understudy.core.fields`, that a JSON answer to ``prompt`` gives.

    A span is found where its words stand first as whole words, in letters of another case only where they stand once.

    Raises:
        InvalidAnswer: the answer is not JSON, or a field is missing or not what the record allows.
        UnderstudyError: a grammar of the record is not valid.
    """
    try:
        given = json.loads(answer, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"it is not one JSON object ({error}): {_cut(answer)}") from None
    return _record(given, record, prompt, "", 0)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _record(given: Any, record: Record, prompt: Prompt, path: str, at: int) -> dict[str, Any]:
    if not isinstance(given, dict):
        _refuse(path.removesuffix("."), given, "is not an object")
    found = {}
    for name, field in record.fields:
        if name not in given:
            raise InvalidAnswer(f"the field {path + name!r} is missing")
        found[name] = _value(given[name], field, prompt, path + name, at)
    return found


def _value(given: Any, field: Field, prompt: Prompt, path: str, at: int) -> Any:
    """One field; ``at`` the 0-based item of the enclosing list."""
    if isinstance(field, Record):
        return _record(given, field, prompt, path + ".", at)
    if isinstance(field, ListOf):
        return _list(given, field, prompt, path, at)
    if isinstance(field, Choice):
        return _option(given, field.options, path)
    if isinstance(field, Grades):
        return _grades(given, field, path)
    if isinstance(field, Span):
        return _span(given, field, prompt, path)
    if isinstance(field, Earlier):
        if not at:
            _refuse(path, given, "has no earlier item to name")
        number = _integer(given, path)
        return number if 1 <= number <= at else _refuse(path, given, f"is not a number from 1 to {at}")
    if isinstance(field, Number):
        return _number(given, field, path)
    text = re.sub(r"\s", " ", given).strip() if isinstance(given, str) and isinstance(field, Grammar) else given
    if not isinstance(text, str) or _NOT_OF_A_LINE.search(text):
        _refuse(path, given, "is not a text of one line")
    return _fitted(text, field.lark, path) if isinstance(field, Grammar) else text


def _list(given: Any, field: ListOf, prompt: Prompt, path: str, at: int) -> list[Any]:
    if not isinstance(given, list):
        _refuse(path, given, "is not a list")
    most = min(field.at_most, at) if isinstance(field.item, Earlier) else field.at_most
    if isinstance(field.item, Choice) and field.distinct:
        most = min(most, len(field.item.options))
    least = min(field.at_least, most)
    if not least <= len(given) <= most:
        _refuse(path, given, f"has {len(given)} items, not {least} to {most}")
    inner = isinstance(field.item, Earlier)
    items = [
        _value(one, field.item, prompt, f"{path}[{number}]", at if inner else number)
        for number, one in enumerate(given)
    ]
    if field.distinct and any(item in items[:number] for number, item in enumerate(items)):
        _refuse(path, given, "has the same item twice")
    return items


def _option(given: Any, options: Sequence[str], path: str) -> str:
    if isinstance(given, str):
        alike = [option for option in options if option.casefold() == given.casefold()]
        if given in options or len(alike) == 1:
            return given if given in options else alike[0]
    _refuse(path, given, f"is not one of {json.dumps(options, ensure_ascii=False)[1:-1]}")


def _grades(given: Any, field: Grades, path: str) -> dict[str, float]:
    if not isinstance(given, dict):
        _refuse(path, given, "is not an object of grades")
    named = {_option(name, field.options, path): grade for name, grade in given.items()}
    found: dict[str, float] = {}
    for option in field.options:
        if option not in named:
            raise InvalidAnswer(f"the field {path!r} lacks a grade for {option!r}")
        grade, last = _integer(named[option], f"{path}.{option}"), len(field.labels) - 1
        if not 0 <= grade <= last:
            _refuse(f"{path}.{option}", named[option], f"is not an integer from 0 to {last}")
        found[option] = float(grade)
    return found


def _integer(given: Any, path: str) -> int:
    whole = isinstance(given, int) or isinstance(given, float) and given.is_integer()
    if not whole or isinstance(given, bool):
        _refuse(path, given, "is not an integer")
    return int(given)


def _number(given: Any, field: Number, path: str) -> int | float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        _refuse(path, given, "is not a number")
    if abs(given) >= _MOST:
        _refuse(path, given, "has more than twelve digits before the point")
    return _integer(given, path) if field.integer else float(given)


def _span(given: Any, field: Span, prompt: Prompt, path: str) -> SpanValue | None:
    if given is None and field.optional:
        return None
    if field.part is not None:
        sources, where = {0: prompt.part(field.part)}, f"the part {field.part!r} of the message"
    else:
        sources, where = {at: passage.text for at, passage in enumerate(prompt.passages)}, "the passages"
        if isinstance(given, dict):
            number = _integer(given.get("passage"), f"{path}.passage")
            if number - 1 not in sources:
                _refuse(f"{path}.passage", number, f"is not the number of a passage, 1 to {len(sources)}")
            sources, where, given = {number - 1: sources[number - 1]}, f"passage {number}", given.get("text")
    if not isinstance(given, str) or not given.strip():
        _refuse(path, given, "is not words that are copied" + (", nor null" if field.optional else ""))
    found = [(at, place) for at, text in sources.items() if (place := _place(given, text)) is not None]
    if not found:
        _refuse(path, given, f"does not stand word for word in {where}")
    if len(found) > 1:
        _refuse(path, given, f"stands in {len(found)} passages, of which none is named")
    at, start = found[0]
    return SpanValue(at, start, start + len(given), sources[at][start : start + len(given)])


def _place(words: str, text: str) -> int | None:
    """Where ``words`` begin in ``text``: at first as whole words, then within words, then in another case, if once."""
    exact = [match.start() for match in re.finditer(f"(?={re.escape(words)})", text)]
    for start in exact:
        around = text[max(0, start - 1) : start + 1], text[start + len(words) - 1 : start + len(words) + 1]
        if not any(len(pair) == 2 and pair.isalnum() for pair in around):
            return start
    alike = exact or [match.start() for match in re.finditer(f"(?={re.escape(words)})", text, re.IGNORECASE)]
    return alike[0] if exact or len(alike) == 1 else None


def _fitted(text: str, lark: str, path: str) -> str:
    """The text with the blanks that the grammar sets, so that ``AVG(x)`` is no other answer than ``AVG( x)``."""
    import llguidance

    matcher: Any = llguidance.LLMatcher(_bytes(), llguidance.LLMatcher.grammar_from_lark(lark))
    if matcher.is_error():
        raise UnderstudyError(f"the grammar of field {path!r} is not valid ({matcher.get_error().splitlines()[0]})")
    taken, left = bytearray(), text.encode()
    for at, byte in enumerate(left):
        if not _follow(matcher, taken, byte):
            if left[at:] == b";" and matcher.is_accepting():
                break
            _off(taken, left[at:], matcher, path)
    if not matcher.is_accepting():
        _off(taken, b"", matcher, path)
    return taken.decode()


def _follow(matcher: Any, taken: bytearray, byte: int) -> bool:
    """Take the next byte; a blank before it is set or dropped, and one that cannot come passed over."""
    if _take(matcher, taken, byte) or byte == _BLANK:
        return True
    if taken[-1:] == bytes([_BLANK]):
        matcher.rollback(1)
        del taken[-1]
        return _take(matcher, taken, byte)
    if not _take(matcher, taken, _BLANK):
        return False
    if not _take(matcher, taken, byte):
        matcher.rollback(1)
        del taken[-1]
        return False
    return True


def _take(matcher: Any, taken: bytearray, byte: int) -> bool:
    if not matcher.try_consume_tokens([byte]):
        return False
    taken.append(byte)
    return True


def _off(taken: bytearray, left: bytes, matcher: Any, path: str) -> NoReturn:
    """The complaint about a text that goes on otherwise than the grammar: where, and what must come there."""
    said, ahead = taken.decode(errors="replace"), _cut(left.decode(errors="replace"))
    said = said if len(said) <= _SHOWN else "… " + said[-_SHOWN:]
    must = matcher.compute_ff_bytes().decode(errors="replace")
    after = f"after {json.dumps(said, ensure_ascii=False)} " if said else ""
    wrong = f"cannot come {json.dumps(ahead, ensure_ascii=False)}" if left else "the text cannot end"
    comes = f", there comes {json.dumps(must, ensure_ascii=False)}" if must.strip() else ""
    raise InvalidAnswer(f"the field {path!r} does not fit its grammar: {after}{wrong}{comes}")


@lru_cache(maxsize=1)
def _bytes() -> Any:
    import llguidance

    return llguidance.LLTokenizer("byte")


def _cut(text: str) -> str:
    """The text, shortened, without what no console can print."""
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + " …"
    return text.encode(errors="replace").decode()


def _refuse(path: str, given: Any, why: str) -> NoReturn:
    field = f"the field {path!r}" if path else "the answer"
    raise InvalidAnswer(f"{field} {why}: {_cut(json.dumps(given, ensure_ascii=False))}")
