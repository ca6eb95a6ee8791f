"""Filling a record: the one procedure by which an answer is written, whether a head decides or a teacher does.

:func:`fill` walks over the fields and yields what it needs: tokens to write, a choice to make, a constraint to follow.
The decoder answers with what the head chose; the renderer of demonstrations answers with the values that were right.
So a head learns exactly the decisions that it will be asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .backbone import Backbone
from .constraints import Constraint, Guided, Substring, after_blank, number_grammar, text_grammar
from .errors import UnderstudyError
from .fields import Choice, Earlier, Field, Grades, Grammar, ListOf, Number, Record, Span, SpanValue, Text
from .reading import Place, Reading, Tokens


@dataclass(frozen=True)
class Write:
    """Tokens that are known: they are written without a decision."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class Choose:
    """A choice among ``options`` (token ids, none a prefix of another); answered with its index.

    ``weighed``: answered with the probability of every option instead; the likeliest is what is written.
    """

    path: str
    options: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...]
    target: int | None = None
    weighed: bool = False


@dataclass(frozen=True)
class Follow:
    """Text under a constraint; answered with its ids, the end mark left out."""

    path: str
    constraint: Constraint
    target: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Point:
    """A span of a message part that a pointer finds; answered with its first and last token, or None for nothing.

    ``allowed``: the spans that can be the field's value, where not all can.
    """

    path: str
    part: str
    allowed: Collection[Place] | None = None


Action = Write | Choose | Follow | Point
Filling = Generator[Action, Any, Any]


@dataclass(frozen=True)
class Filler:
    """Fills records for one prompt. ``values`` given: a teacher's run, whose actions carry their targets.

    ``pointed``: the fields that a pointer finds, and the message part in which; others are written token by token.
    """

    backbone: Backbone
    reading: Reading
    pointed: Mapping[str, str] | None = None

    def record(self, record: Record, values: Mapping[str, Any] | None = None, path: str = "", at: int = 0) -> Filling:
        """All fields of ``record`` in order; returns the dict of values."""
        found: dict[str, Any] = {}
        for name, field in record.fields:
            yield Write((*self.backbone.markers.field, *self.backbone.encode(name), *self.backbone.encode(":")))
            if values is not None and name not in values:
                raise UnderstudyError(f"the demonstration has no value for {path + name!r}")
            given = None if values is None else (values[name],)
            found[name] = yield from self.field(field, given, path + name, at)
        return found

    def field(self, field: Field, given: tuple[Any] | None, path: str, at: int) -> Filling:
        """One field; ``given`` is a 1-tuple with the teacher's value; ``at`` the 0-based item of the enclosing list."""
        if isinstance(field, Choice):
            return (yield from self._choice(field.options, given, path))
        if isinstance(field, Grades):
            return (yield from self._grades(field, given, path))
        if isinstance(field, Earlier):
            return (yield from self._earlier(at, (), given, path))
        if isinstance(field, Span):
            return (yield from self._span(field, given, path))
        if isinstance(field, ListOf):
            return (yield from self._list(field, given, path, at))
        if isinstance(field, Record):
            return (yield from self.record(field, None if given is None else given[0], path + ".", at))
        return (yield from self._text(field, given, path))

    def _choice(self, options: Sequence[str], given: tuple[Any] | None, path: str) -> Filling:
        end = self.backbone.markers.end
        if not options:
            raise UnderstudyError(f"field {path!r} has nothing to choose from")
        target = None
        if given is not None:
            if given[0] not in options:
                mend = f"choose among {', '.join(options)}"
                raise UnderstudyError(f"field {path!r} cannot be {given[0]!r}", mend=mend)
            target = options.index(given[0])
        ids = tuple((*self.backbone.encode(option), end) for option in options)
        return options[(yield Choose(path, ids, tuple(options), target))]

    def _grades(self, field: Grades, given: tuple[Any] | None, path: str) -> Filling:
        marks = self.backbone.markers
        ids = tuple((*self.backbone.encode(label), marks.end) for label in field.labels)
        found: dict[str, float] = {}
        for number, option in enumerate(field.options):
            target = None
            if given is not None:
                if given[0].get(option) not in field.labels:
                    mend = f"give it one of {', '.join(field.labels)}"
                    raise UnderstudyError(f"field {path!r} lacks a grade for {option!r}", mend=mend)
                target = field.labels.index(given[0][option])
            shown = field.shown[number] if field.shown else option
            yield Write((*marks.item, *self.backbone.encode(shown), *self.backbone.encode(":")))
            chances = yield Choose(f"{path}.{option}", ids, field.labels, target, weighed=True)
            found[option] = sum(grade * chance for grade, chance in enumerate(chances))
        return found

    def _earlier(self, at: int, taken: Sequence[int], given: tuple[Any] | None, path: str) -> Filling:
        options = tuple(str(number) for number in range(1, at + 1) if number not in taken)
        number = yield from self._choice(options, None if given is None else (str(given[0]),), path)
        return int(number)

    def _list(self, field: ListOf, given: tuple[Any] | None, path: str, at: int) -> Filling:
        marks = self.backbone.markers
        wanted = None if given is None else list(given[0])
        items: list[Any] = []
        most = field.at_most
        if isinstance(field.item, Earlier):
            most = min(most, at)
        if isinstance(field.item, Choice) and field.distinct:
            most = min(most, len(field.item.options))
        if wanted is not None and not min(field.at_least, most) <= len(wanted) <= most:
            raise UnderstudyError(f"field {path!r} takes {field.at_least} to {most} items, not {len(wanted)}")
        while len(items) < most:
            if len(items) >= field.at_least:
                target = None if wanted is None else int(len(items) >= len(wanted))
                if (yield Choose(path + "[]", (marks.item, (marks.end,)), ("more", "end"), target)):
                    return items
            else:
                yield Write(marks.item)
            one = None if wanted is None else (wanted[len(items)],)
            place = f"{path}[{len(items)}]"
            if isinstance(field.item, Earlier):
                items.append((yield from self._earlier(at, items if field.distinct else (), one, place)))
                continue
            item = field.item
            if field.distinct and isinstance(item, Choice):
                item = Choice(tuple(option for option in item.options if option not in items))
            items.append((yield from self.field(item, one, place, len(items))))
        yield Write((marks.end,))
        return items

    def _span(self, field: Span, given: tuple[Any] | None, path: str) -> Filling:
        """A passage named by its heading, then a run copied from it; or the mark for nothing, at once or after it.

        A teacher says by a span without text which passage is about the matter and does not tell it.

        To write ``France borders :`` after a question for the neighbours of France is a choice of words, and to copy
        what followed these words before is what small transformers do well; the number of a passage says nothing of
        what stands in it.
        """
        marks = self.backbone.markers
        value: SpanValue | None = None if given is None else given[0]
        sources: Sequence[Tokens] = self.reading.passages
        if field.part is not None:
            part = self.reading.parts[field.part]
            sources = (part.whole() if field.whole else part,)
        usable = [at for at, source in enumerate(sources) if source.ids]
        if not usable and not field.optional:
            raise UnderstudyError(f"field {path!r} has no text to take its span from")
        if given is not None and value is None and not field.optional:
            raise UnderstudyError(f"field {path!r} needs a span")
        nothing = marks.none if field.optional else ()
        if field.part is None:
            headed: dict[str, list[int]] = {}
            for at in usable:
                if not field.headings or sources[at].heading in field.headings:
                    headed.setdefault(sources[at].heading, []).append(at)
            ways = [(*self.backbone.encode(heading), *self.backbone.encode(":")) for heading in headed]
            labels = list(headed)
            if field.optional and not field.headings:
                ways.append((*marks.none, marks.end))
                labels.append("")
            if not ways:
                raise UnderstudyError(f"field {path!r} has no passage headed {' or '.join(map(repr, field.headings))}")
            target = None
            if given is not None:
                if field.headings and (value is None or sources[value.source].heading not in labels):
                    raise UnderstudyError(f"field {path!r} needs a span of a passage headed {' or '.join(labels)}")
                target = len(ways) - 1 if value is None else labels.index(sources[value.source].heading)
            picked = yield Choose(path + "#", tuple(ways), tuple(labels), target)
            if not labels[picked]:
                return None
            usable = headed[labels[picked]]  # having named it, the head may still say that it does not tell
        elif not usable:
            yield Write((*marks.none, marks.end))
            return None
        elif given is None and path in (self.pointed or {}):
            return (yield from self._pointed(path, field.part, marks.none))
        wanted = None
        if given is not None:
            empty = value is None or not value.text
            wanted = marks.none if empty or value is None else self._covering(sources, value, field, path)
        starts, ends = [sources[at].starts for at in usable], [sources[at].ends for at in usable]
        copy = Substring([sources[at].ids for at in usable], marks.end, field.max_tokens, nothing, starts, ends)
        yield Follow(path, copy, wanted)
        yield Write((marks.end,))
        places = copy.places()
        if not places:
            return None
        which = 0
        if len(places) > 1:  # passages of the same heading that say the same
            numbers = [usable[at] for at, _, _ in places]
            options = tuple((*self.backbone.encode(str(at + 1)), marks.end) for at in numbers)
            target = None if value is None else numbers.index(value.source)
            which = yield Choose(path + "##", options, tuple(str(at + 1) for at in numbers), target)
        at, first, last = places[which]
        return sources[usable[at]].span(usable[at], first, last)

    def _pointed(self, path: str, part: str, nothing: tuple[int, ...]) -> Filling:
        """What the field's pointer finds, written; where it finds none, ``nothing`` is written and None returned."""
        tokens = self.reading.parts[part]
        place: Place | None = yield Point(path, part)
        if place is None:
            yield Write((*nothing, self.backbone.markers.end))
            return None
        yield Write((*tokens.ids[place[0] : place[1] + 1], self.backbone.markers.end))
        return tokens.span(0, *place)

    def _covering(self, sources: Sequence[Tokens], value: SpanValue, field: Span, path: str) -> tuple[int, ...]:
        tokens = sources[value.source]
        first, last = tokens.cover(value)
        if last - first >= field.max_tokens:
            raise UnderstudyError(f"the span of field {path!r} is longer than {field.max_tokens} tokens")
        return tuple(tokens.ids[first : last + 1])

    def _text(self, field: Text | Number | Grammar, given: tuple[Any] | None, path: str) -> Filling:
        end = self.backbone.markers.end
        part = (self.pointed or {}).get(path, "")
        if given is None and isinstance(field, Text) and part:
            found = yield from self._pointed(path, part, ())
            return "" if found is None else found.text
        if given is None and isinstance(field, Number) and part:
            tokens = self.reading.parts[part]
            numbers = numbers_of(tokens, field)
            place: Place | None = (yield Point(path, part, numbers)) if numbers else None
            if place is not None:
                yield Write((*tokens.ids[place[0] : place[1] + 1], end))
                return numbers[place]
        if isinstance(field, Number):
            lark, limit = number_grammar(field.integer), 24
        elif isinstance(field, Text):
            lark, limit = text_grammar(field.max_tokens), field.max_tokens
        else:
            lark, limit = after_blank(field.lark), field.max_tokens
        if given is not None:
            ids = yield Follow(path, _Unchecked(), tuple(self.backbone.encode(str(given[0]))))
        else:
            ids = yield Follow(path, Guided(self.backbone.tokenizer, lark, end, limit))
        yield Write((end,))
        text = self.backbone.decode(ids)
        if isinstance(field, Number):
            return int(text) if field.integer else float(text)
        return text


def numbers_of(tokens: Tokens, field: Number) -> dict[Place, int | float]:
    """The numbers of a text that the field can take; those with a fraction are none where it takes integers."""
    if field.integer:
        return {place: int(said) for place, said in tokens.numbers().items() if "." not in said}
    return {place: float(said) for place, said in tokens.numbers().items()}


class _Unchecked:
    """The constraint of a teacher's text: the whole vocabulary is the alternative, so nothing is computed."""

    def allowed(self) -> Sequence[int]:
        return ()

    def advance(self, token: int) -> None:
        return None
