"""The conversation in which a language model is asked to fill a record: the task, the fields, the demonstrations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from .agents.sql import NOTHING
from .core.fields import Choice, Earlier, Field, Grades, Grammar, ListOf, Number, Record, Span, Text
from .core.prompts import Example, Prompt
from .endpoint_values import as_json

TASKS: Mapping[str, str] = {
    "plan": "Break the request into steps for the cast. Where one of the cast can do all of it, that is one step. "
    "Independent questions get a step each, with their own words. Where a step needs what another finds, the earlier "
    "one gets only the words that ask for it, and the last one the whole request.",
    "SQL": "Write the SQL that answers the request; :given stands for the values that earlier steps found.",
    "answer": "Find the words of one passage that answer the question; all of a list where several things are asked.",
    "recommend": "Say which of the mentioned things the request likes, and grade the others: a point for each fact in "
    "common with something liked, four where the request asks for facts of that kind, nine at most.",
}
"""What the shipped roles do, which their heads have learned under these names; other roles say it in their prompts."""
_SQL = (
    "one SELECT over one of the tables named in the message, without joins, aliases and semicolon, spelled as in the "
    'examples; the only texts to compare with are those under "values" and "given", the only numbers those under '
    '"numbers"; for the second in an order it ends in LIMIT 1 OFFSET 1, for the third in LIMIT 1 OFFSET 2, and so on; '
    f"where no column tells what is asked it is {NOTHING}"
)


def conversation(shown: Sequence[Example], prompt: Prompt, record: Record) -> list[dict[str, str]]:
    """What to do, the demonstrations as turns that were answered rightly, and the prompt as the last turn.

    Fields that are described alike for all turns are described once, at the beginning; the others (a choice whose
    options differ from call to call) with each message, so that calls of one role begin alike.

    Raises UnderstudyError where a demonstration lacks a value.
    """
    told, own = [describe(example.record) for example in shown], describe(record)
    alike = {name: text for name, text in own.items() if all(other.get(name) == text for other in told)}
    lines = [
        TASKS.get(prompt.role, prompt.role),
        f"Answer with one JSON object with the fields {', '.join(map(_quoted, own))} and nothing else.",
        *(f"{_quoted(name)}: {alike.get(name, 'as each message describes it')}" for name in own),
    ]
    turns = [("system", "\n".join(filter(None, lines)))]
    for example, fields in zip(shown, told, strict=True):
        answer = json.dumps(as_json(example.values, example.record), ensure_ascii=False)
        turns += [("user", _asked(example.prompt, fields, alike)), ("assistant", answer)]
    turns.append(("user", _asked(prompt, own, alike)))
    return [{"role": role, "content": content} for role, content in turns]


def _asked(prompt: Prompt, fields: Mapping[str, str], alike: Mapping[str, str]) -> str:
    """The prompt as text, and under it the fields that are not described at the beginning."""
    lines = []
    for number, passage in enumerate(prompt.passages, start=1):
        title = f" ({passage.title})" if passage.title else ""
        lines.append(f"Passage {number}{title}: {passage.text}")
    lines += [f"Earlier turn: {turn}" for turn in prompt.transcript]
    lines += [f"{name}: {text}" for name, text in prompt.message]
    lines += [f"Field {_quoted(name)}: {text}" for name, text in fields.items() if name not in alike]
    return "\n".join(lines)


def describe(record: Record) -> dict[str, str]:
    """Field name → what to write there, in plain words.

    >>> describe(Record((("queue", Choice(("bug", "billing"))), ("days", Number(integer=True)))))
    {'queue': 'one of "bug", "billing"', 'days': 'an integer'}
    """
    return {name: _described(field) for name, field in record.fields}


def _described(field: Field) -> str:
    if isinstance(field, Choice):
        return f"one of {_listed(field.options)}"
    if isinstance(field, Grades):
        last = len(field.labels) - 1
        text = f"an object that gives each of {_listed(field.options)} an integer from 0 to {last}"
        if field.labels != tuple(map(str, range(last + 1))):
            text += f" ({', '.join(f'{number} for {label}' for number, label in enumerate(field.labels))})"
        return f"{text}; of these is known: {'; '.join(field.shown)}" if field.shown else text
    if isinstance(field, Span):
        nothing = ", null if not" if field.optional else ""
        if field.part is not None:
            nothing += " there" if nothing else ""
            return f'words copied word for word from the part "{field.part}" of the message{nothing}'
        nothing = ", or null if the passages do not say" if nothing else ""
        return f'an object {{"passage": its number, "text": words copied word for word from that passage}}{nothing}'
    if isinstance(field, Text):
        return "a text of one line"
    if isinstance(field, Number):
        return "an integer" if field.integer else "a number"
    if isinstance(field, Grammar):
        return _SQL if '"SELECT ' in field.lark else f"a text that this Lark grammar accepts: {field.lark.strip()}"
    if isinstance(field, Earlier):
        return "the number (from 1) of an earlier item of the list that this one stands in"
    if isinstance(field, ListOf):
        most = field.at_most
        if field.distinct and isinstance(field.item, Choice):
            most = min(most, len(field.item.options))
        twice = ", none of them twice" if field.distinct else ""
        return f"a list of {min(field.at_least, most)} to {most} items{twice}, each {_described(field.item)}"
    return "an object of " + "; ".join(f'"{name}": {_described(inner)}' for name, inner in field.fields)


def _listed(options: Sequence[str]) -> str:
    return ", ".join(map(_quoted, options))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
