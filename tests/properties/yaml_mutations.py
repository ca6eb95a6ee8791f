"""Team and role files changed at random: their keys and values, then the text and its bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.workflows.formats import ROLE, TEAM
from understudy.workflows.step_shapes import STEP
from understudy.workflows.yaml_document import parse_document
from understudy.workflows.yaml_text import text_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("*.yaml"))


@dataclass(frozen=True)
class Raw:
    """A value that stands in the file as ``text``, which may be no YAML at all."""

    text: str


ODD: list[Any] = [
    None, True, False, 0, -1, 1, 3, 1.5, 10**30, "", " ", "a", "$end", "input", "item", "team.cast", "a.b", "len(", "[",
    "not not input", "error.step", "x" * 70_000, "é\u2028\U0001f600", "\ufeff", "\x07", "\ud800", "{a}", "${HOME}",
    "${NONE:-5}", "${", "$$", "../team.yaml", "team.yaml", "/etc/passwd", "*.yaml", "functions.py", "qa", "same",
    "default", "text", [], ["a"], [[]], [None], {}, {"value": 1}, {"value": {"value": None}}, {"list": "text"},
    {"a": {"b": ["c"]}}, {"to": "$end", "when": "input", "at_most": 0}, *map(Raw, (
        "1e999", "-1e999", ".inf", ".nan", "1_000", "0x1F", "0o17", "1:30", "2020-01-31", "2020-01-31T12:00:00Z", "~",
        "!!binary aGVsbG8=", "!!int '5'", "!!float nan", "!!set {a, b}", "!!omap [a: 1]", "!!str 5", "!strange {a: 1}",
        "!!python/object/apply:os.system ['true']", "&here [1, *here]", "*nowhere", "&same same", "*same",
        "{<<: *same}", "{<<: {a: 1}}", "{<<: [1]}", "{? [a]: 1}", "{a: 1, a: 2}",
        "|\n  a\n b", ">-\n  a", "'", "[", "{a", "@a", "%a",
        "9" * 5000, "[" * 90 + "]" * 90, "yes", "No", "NULL", "=", "<<",
    )),
]  # fmt: skip
KEYS = sorted({*STEP.keys, *TEAM.keys, *ROLE.keys, "to", "when", "at_most", "value", "list", "sql", "<<", "1", "", "é"})
PIECES = [
    "", " ", "\n", "\t", "\r", ":", ": ", "- ", "[", "]", "{", "}", "&a", "*a", "<<: *a", "!!int", "!x", "'", '"', "|",
    "#", "?", "%YAML 1.1\n---\n", "---\n", "...\n", "\ufeff", "\x00", "\x1b", "\x85", "\u2028", "\U0001f600", "  ", "~",
]  # fmt: skip


def changed(file: Path, chance: random.Random) -> bytes:
    """The file with one to four changes."""
    text = file.read_text(encoding="utf-8")
    if chance.random() < 0.7:
        value = parse_document(text, file).value
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            change(value, chance)
        text = written(value, chance)
    if chance.random() < 0.4:
        text = damaged(text, chance)
    data = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(chance.randint(1, 4)) + data[at + chance.randint(0, 3) :]
    return data


def change(value: Any, chance: random.Random) -> None:
    """One change in place: a part is removed, doubled, renamed, retyped, swapped, or put where it does not belong."""
    ways = [path for path in paths(value) if path]
    if not ways:
        return
    way = chance.choice(ways)
    holder, key = at(value, way[:-1]), way[-1]
    kind = chance.randrange(7)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind in (1, 2) and isinstance(holder, dict):
        holder[f"{key}{chance.choice(['', '2', ' '])}" if kind == 1 else chance.choice(KEYS)] = holder.pop(key)
    elif kind == 3:
        other = chance.choice(ways)
        holder[key] = copy.deepcopy(at(value, other))
    elif kind == 4 and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = copy.deepcopy(chance.choice([*ODD, at(value, chance.choice(ways))]))
    elif kind == 5 and isinstance(holder, dict) and len(holder) > 1:
        other = chance.choice(list(holder))
        holder[key], holder[other] = holder[other], holder[key]
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all parts of ``value``."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(part, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """The part of ``value`` to which ``path`` leads."""
    for key in path:
        value = value[key]
    return value


def written(value: Any, chance: random.Random) -> str:
    """``value`` as YAML: as people lay it out, or in brackets."""
    if not isinstance(value, dict):
        return flow(value)
    if chance.random() < 0.4 and not any(isinstance(at(value, path), Raw) for path in paths(value)):
        return text_of(value)
    return "".join(f"{json.dumps(key)}: {flow(part)}\n" for key, part in value.items())


def flow(value: Any) -> str:
    """``value`` in one line, but for what is raw."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("Infinity", ".inf").replace("NaN", ".nan")


def damaged(text: str, chance: random.Random) -> str:
    """``text`` with one to three cuts, repetitions, insertions, lines that changed places or are set in otherwise."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 3, 10, 40)))
        lines = text.split("\n")
        first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + chance.choice(PIECES) + text[end:]
        elif kind == 2:
            text = text[:end] + text[start:end] + text[end:]
        elif kind == 3:
            lines[first], lines[second] = lines[second], lines[first]
            text = "\n".join(lines)
        else:
            lines[first] = chance.choice(["", " ", "    ", "\t"]) + lines[first].lstrip(" ")
            text = "\n".join(lines)
    return text
