"""Changing a YAML text so that it says other values, and nothing else of it: comments, order, quoting and layout stay.

>>> edited("team: desk   # ours\\ndoes: 'reads'\\n", {"team": "shop", "does": "reads"})
"team: shop   # ours\\ndoes: 'reads'\\n"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .yaml_document import parse_document
from .yaml_text import WIDTH, after_key, flow, item, key, text_of

_FINEST = 60
_ALIAS = re.compile(r"\s*\*[^\s,\[\]{}]+")


class _Coarser(Exception):
    """A change for which something larger has to be written anew."""


def edited(text: str, value: Mapping[str, Any]) -> str:
    """``text``, which has no mistakes, changed to read as ``value``.

    Where a change cannot be made in its place (aliases, merge keys, unusual layouts) what is around it is written
    anew, at last the whole file. Variables such as ``${HOME}`` are texts here.
    """
    document = parse_document(text)
    if document.value == value:
        return text
    root = YAML(typ="rt", pure=True).compose(text) if isinstance(document.value, dict) else None
    if root is None:
        return text_of(value)
    for finest in (_FINEST, 3, 2, 1):
        try:
            changed = _Edits(text, finest).made(root, document.value, value)
        except _Coarser:
            continue
        found = parse_document(changed)
        if found.value == value and not found.problems:
            return changed
    return text_of(value)


class _Edits:
    """The places of one text that are to be replaced; ``finest``: levels below which values are written anew."""

    def __init__(self, text: str, finest: int) -> None:
        self.text = text
        self.finest = finest
        self.edits: list[tuple[int, int, str]] = []

    def made(self, root: Node, old: Any, new: Any) -> str:
        """The text with all changes from ``old`` to ``new`` made."""
        self.inner(root, old, new, 0, _in_brackets(root))
        parts, at = [], 0
        for start, end, replacement in sorted(self.edits, key=lambda edit: edit[:2]):
            parts += [self.text[at:start], replacement]
            at = end
        return "".join([*parts, self.text[at:]])

    def inner(self, node: Node, old: Any, new: Any, depth: int, inside: bool) -> None:
        """Change what is in a collection."""
        if depth >= self.finest or not new:
            raise _Coarser
        inside = inside or _in_brackets(node)
        if isinstance(node, MappingNode) and isinstance(new, Mapping) and isinstance(old, Mapping):
            self.mapping(node, old, new, depth, inside)
        elif isinstance(node, SequenceNode) and isinstance(new, list | tuple) and isinstance(old, list):
            self.sequence(node, old, new, depth, inside)
        else:
            raise _Coarser

    def value(self, around: Node, number: int, old: Any, new: Any, depth: int, inside: bool, name: str) -> None:
        """Change an entry's or item's value: what is in it where that goes, else all of it."""
        before = len(self.edits)
        key_node, node = _parts(around)[number]
        try:
            if self.alias(key_node, node) or self.too_long(node, new, inside):
                raise _Coarser
            self.inner(node, old, new, depth + 1, inside)
        except _Coarser:
            del self.edits[before:]
            self.whole(around, number, new, inside, name)

    def whole(self, around: Node, number: int, new: Any, inside: bool, name: str) -> None:
        """Write a value anew."""
        key_node, node = _parts(around)[number]
        end = self.end(key_node, node)
        if key_node is None:
            dash = self.dash(around, number)
            start = dash + 1
            written = f" {flow(new)}" if inside else f" {item(new, self.column(dash))}"
            if inside:
                start, written = node.start_mark.index, flow(new)
        else:
            start = self.colon(key_node) + 1
            column = key_node.start_mark.column
            gap = "" if self.alias(key_node, node) else self.text[start : node.start_mark.index]
            if "#" in gap:
                start = node.start_mark.index
                written = flow(new) if inside else item(new, node.start_mark.column - 2)
            elif inside:
                written = f" {flow(new)}"
            else:
                written = after_key(new, column, name, start - self.line(start))
        self.edits.append((start, max(start, end), written))

    def mapping(self, node: MappingNode, old: Mapping[str, Any], new: Mapping[str, Any], depth: int,
                inside: bool) -> None:
        names = [str(key_node.value) for key_node, _ in node.value]
        if len(set(names)) < len(names) or any(name in old and name not in new and name not in names for name in old):
            raise _Coarser  # something that was merged in is to go
        kept = [number for number, name in enumerate(names) if name in new or name == "<<"]
        if not kept:
            raise _Coarser
        for number, name in enumerate(names):
            if number in kept and name in new and (name not in old or old[name] != new[name]):
                self.value(node, number, old.get(name), new[name], depth, inside, name)
        self.without(node, kept, inside)
        place = kept[-1]
        for name in new:
            if name in names:
                place = names.index(name)
            elif name not in old or old[name] != new[name]:
                first = node.value[kept[0]][0]
                column = first.start_mark.column
                if inside:
                    self.insert(self.entry_end(node, place), f", {key(name)}: {flow(new[name])}")
                else:
                    head = f"{' ' * column}{key(name)}:"
                    self.insert(self.line_end(self.entry_end(node, place)),
                                f"\n{head}{after_key(new[name], column, name, len(head))}")

    def sequence(self, node: SequenceNode, old: Sequence[Any], new: Sequence[Any], depth: int, inside: bool) -> None:
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        tail = 0
        while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        ends = len(old) - tail, len(new) - tail
        pairs = min(ends) - same
        if not old or (same + pairs + tail == 0):
            raise _Coarser
        for number in range(same, same + pairs):
            self.value(node, number, old[number], new[number], depth, inside, "")
        gone = range(same + pairs, ends[0])
        self.without(node, [number for number in range(len(old)) if number not in gone], inside)
        for part in new[same + pairs : ends[1]]:
            place = same + pairs - 1
            if place < 0 and inside:
                self.insert(node.value[0].start_mark.index, f"{flow(part)}, ")
            elif place < 0:
                dash = self.dash(node, 0)
                if self.text[self.line(dash) : dash].strip():
                    raise _Coarser
                self.insert(self.line(dash), f"{' ' * self.column(dash)}- {item(part, self.column(dash))}\n")
            elif inside:
                self.insert(self.entry_end(node, place), f", {flow(part)}")
            else:
                column = self.column(self.dash(node, 0))
                self.insert(self.line_end(self.entry_end(node, place)), f"\n{' ' * column}- {item(part, column)}")

    def without(self, node: Node, kept: list[int], inside: bool) -> None:
        """Take away the entries or items that are not ``kept``."""
        for number in range(len(node.value)):
            if number in kept:
                continue
            start, end = self.entry_start(node, number), self.entry_end(node, number)
            if not inside:
                line = self.line(start)
                if self.text[line:start].strip():
                    raise _Coarser  # it stands behind a dash
                start, end = line, min(self.line_end(end) + 1, len(self.text))
            elif any(later in kept for later in range(number, len(node.value))):
                end = self.entry_start(node, number + 1)
            else:
                start = self.entry_end(node, number - 1)
            self.edits.append((start, end, ""))

    def insert(self, at: int, written: str) -> None:
        self.edits.append((at, at, written))

    def too_long(self, node: Node, new: Any, inside: bool) -> bool:
        """Whether what stands in one line would no longer fit in it."""
        lines = node.start_mark.line == node.end_mark.line
        return _in_brackets(node) and not inside and lines and node.start_mark.column + len(flow(new)) > WIDTH

    def entry_start(self, around: Node, number: int) -> int:
        key_node, node = _parts(around)[number]
        if key_node is not None:
            return int(key_node.start_mark.index)
        return int(node.start_mark.index) if _in_brackets(around) else self.dash(around, number)

    def entry_end(self, around: Node, number: int) -> int:
        return self.end(*_parts(around)[number])

    def end(self, key_node: Node | None, node: Node) -> int:
        """Where a value's text ends, without the blanks and comments after it."""
        if key_node is not None and self.alias(key_node, node):
            found = _ALIAS.match(self.text, self.colon(key_node) + 1)
            if found is None:
                raise _Coarser
            return found.end()
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if isinstance(node, ScalarNode) or _in_brackets(node):
            return max(start + len(self.text[start:end].rstrip()), 0 if key_node is None else self.colon(key_node) + 1)
        parts = _parts(node)
        return self.end(*parts[-1])

    def alias(self, key_node: Node | None, node: Node) -> bool:
        """Whether the value stands elsewhere, before its key."""
        return key_node is not None and bool(node.start_mark.index < key_node.end_mark.index)

    def colon(self, key_node: Node) -> int:
        end = int(key_node.end_mark.index)
        colon = self.text.find(":", end)
        if colon < 0 or self.text[end:colon].strip():
            raise _Coarser
        return colon

    def dash(self, around: Node, number: int) -> int:
        """Where the dash of a block's item stands."""
        start = int(around.value[number].start_mark.index)
        dash = self.text.rfind("-", 0, start)
        if dash < 0 or self.text[dash + 1 : start].strip():
            raise _Coarser
        return dash

    def line(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def column(self, at: int) -> int:
        return at - self.line(at)


def _parts(node: Node) -> list[tuple[Node | None, Node]]:
    """The entries of a mapping, or the items of a list, which have no key."""
    return list(node.value) if isinstance(node, MappingNode) else [(None, part) for part in node.value]


def _in_brackets(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and node.flow_style is True
