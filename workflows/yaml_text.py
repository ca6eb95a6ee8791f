"""Plain values as YAML text, laid out as people lay out such files: in one line where it fits, else as a block.

>>> print(text_of({"team": "desk", "agents": {"qa": {"role": "qa", "passages": 3}}}), end="")
team: desk
agents:
  qa: {role: qa, passages: 3}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

WIDTH = 120
BLOCKS = frozenset(("agents", "workflow", "steps", "tests", "demonstrations"))
"""Keys whose collections stand one entry a line, however short they are."""

_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@`")
_FLOW = frozenset(",[]{}")
_TEXT = "tag:yaml.org,2002:str"


def text_of(document: Mapping[str, Any]) -> str:
    """A whole file."""
    return "".join(f"{line}\n" for line in _mapping(document, 0)) or "{}\n"


def after_key(value: Any, indent: int, name: str = "", column: int = 0) -> str:
    """What follows the colon of the key ``name``: a space and one line, or the lines of a block under ``indent``.

    ``column``: where it begins, to know whether a line is too long.
    """
    return "".join(_after_key(value, indent, name, column))


def item(value: Any, indent: int) -> str:
    """What follows the dash of an item that stands at ``indent``, after a space."""
    return "\n".join(_item(value, indent))


def flow(value: Any) -> str:
    """A value in one line, as it stands inside brackets too."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(name)}: {flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, inside=True)


def key(name: str) -> str:
    """A key."""
    return scalar(name, inside=True)


def scalar(value: Any, inside: bool = False) -> str:
    """A text, number, boolean or null; ``inside``: in brackets, where more has to be quoted."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).replace("inf", ".inf").replace("nan", ".nan")
    return _text(str(value), inside) if isinstance(value, str) else str(value)


def _text(text: str, inside: bool) -> str:
    if text.isprintable():
        if _plain(text, inside):
            return text
        if ('"' in text or "\\" in text) and "'" not in text:
            return f"'{text}'"
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else re.sub(".", lambda mark: _escaped(mark.group()), quoted)


def _plain(text: str, inside: bool) -> bool:
    """Whether the text may stand without quotes."""
    if not text or text != text.strip() or text[0] in _FIRST:
        return False
    if ": " in text or " #" in text or text.endswith(":") or (inside and not _FLOW.isdisjoint(text)):
        return False
    return str(_resolver().resolve(ScalarNode, text, (True, False))) == _TEXT


@cache
def _resolver() -> VersionedResolver:
    return VersionedResolver()


def _escaped(mark: str) -> str:
    if mark.isprintable():
        return mark
    return f"\\u{ord(mark):04x}" if ord(mark) < 0x10000 else f"\\U{ord(mark):08x}"


def _after_key(value: Any, indent: int, name: str, column: int) -> Iterator[str]:
    if not isinstance(value, Mapping | list | tuple):
        yield f" {scalar(value)}"
    elif not value or (not _blocks(value, name, indent) and column + 1 + len(flow(value)) <= WIDTH):
        yield f" {flow(value)}"
    else:
        lines = _mapping(value, indent + 2) if isinstance(value, Mapping) else _sequence(value, indent + 2)
        yield from (f"\n{line}" for line in lines)


def _blocks(value: Any, name: str, indent: int) -> bool:
    """Whether a collection is laid out as a block although a line would do."""
    if name in BLOCKS and (name != "agents" or not indent):  # budgets by agents are short
        return True
    return isinstance(value, Mapping) and any(_blocks(part, name, indent + 2) for name, part in value.items())


def _mapping(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    for name, part in value.items():
        head = f"{' ' * indent}{key(name)}:"
        yield from f"{head}{after_key(part, indent, name, len(head))}".split("\n")


def _sequence(value: list[Any] | tuple[Any, ...], indent: int) -> Iterator[str]:
    for part in value:
        first, *rest = _item(part, indent)
        yield f"{' ' * indent}- {first}"
        yield from rest


def _item(value: Any, indent: int) -> list[str]:
    if not isinstance(value, Mapping | list | tuple):
        return [scalar(value)]
    if not value or indent + 2 + len(flow(value)) <= WIDTH:
        return [flow(value)]
    lines = list(_mapping(value, indent + 2) if isinstance(value, Mapping) else _sequence(value, indent + 2))
    return [lines[0].lstrip(" "), *lines[1:]]
