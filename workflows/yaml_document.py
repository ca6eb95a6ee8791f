"""A YAML file as plain values, with the place of every key and value for reporting mistakes.

Only what JSON has can come out: mappings with text keys, lists, texts, numbers, booleans and null. Tags that
would make other objects are refused, and so is a file that would unfold into too much (aliases of aliases).
Positions come from the composer of ruamel.yaml's round-trip loader; it constructs nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.events import MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from .problems import Problem, key_path
from .yaml_mends import mistake

MOST_NODES = 50_000
DEEPEST = 60
MOST_BYTES = 20_000_000

KeyPath = tuple[str | int, ...]
Place = tuple[int, int]

CORE = "tag:yaml.org,2002:"
VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{[^}]*\}?")


@dataclass(frozen=True)
class YamlDocument:
    """The plain value of a file and the places of its parts.

    ``problems`` lists what could not be read: syntax, duplicate keys, tags, unset variables. Where it is not
    empty ``value`` is what could be; ``unread`` are the paths of values that could not. ``allow`` are the folders in
    which it may name places, beside its own.
    """

    file: Path
    value: Any
    places: Mapping[KeyPath, Place] = field(repr=False, default_factory=dict)
    key_places: Mapping[KeyPath, Place] = field(repr=False, default_factory=dict)
    quoted: frozenset[KeyPath] = field(repr=False, default_factory=frozenset)
    problems: tuple[Problem, ...] = ()
    unread: frozenset[KeyPath] = frozenset()
    allow: tuple[Path, ...] = ()

    def problem(self, path: KeyPath, what: str, *, why: str = "", suggestion: str = "", key: bool = False,
                offset: int | None = None) -> Problem:
        """A problem at the value of ``path``, or at its key; ``offset`` characters into the text there."""
        line, column = self.place(path, key=key)
        if offset is not None:
            column += offset + (path in self.quoted)
        return Problem(str(self.file), line, column, key_path(path), what, why, suggestion)

    def place(self, path: KeyPath, key: bool = False) -> Place:
        """Line and column, from 1, of the value at ``path`` or its key; else of what is around it."""
        places = self.key_places if key and path in self.key_places else self.places
        while path and path not in places:
            path = path[:-1]
        return places.get(path, (1, 1))


def read_document(file: Path | str, environment: Mapping[str, str] | None = None) -> YamlDocument:
    """Read ``file``. Never raises for what the file holds: that is in ``problems``.

    ``environment``: where given, ``${NAME}`` and ``${NAME:-default}`` in values are replaced from it, ``$$``
    is a plain dollar, and a plain (unquoted) value so made has the type that it reads as.
    """
    file = Path(file)
    try:
        if file.is_dir():
            return _unreadable(file, "is a folder", "name the file itself")
        if file.stat().st_size > MOST_BYTES:
            return _unreadable(file, f"is larger than {MOST_BYTES // 1_000_000} MB", "")
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = _near(file)
        return _unreadable(file, "does not exist", f"did you mean '{near}'?" if near else "")
    except UnicodeDecodeError as error:
        return _unreadable(file, f"is not UTF-8 text (byte {error.start})", "save it as UTF-8")
    except (OSError, ValueError) as error:
        return _unreadable(file, f"cannot be read: {getattr(error, 'strerror', None) or error}", "")
    return parse_document(text, file, environment)


def parse_document(text: str, file: Path | str = "<text>",
                   environment: Mapping[str, str] | None = None) -> YamlDocument:
    """Like :func:`read_document`, for text at hand."""
    reader = _Reader(Path(file), environment)
    value = reader.read(text)
    return YamlDocument(reader.file, value, reader.places, reader.key_places, frozenset(reader.quoted),
                        tuple(reader.problems), frozenset(reader.unread))


class _Reader:
    """Turns composed nodes into plain values and notes where each one stands."""

    def __init__(self, file: Path, environment: Mapping[str, str] | None) -> None:
        self.file = file
        self.environment = environment
        self.places: dict[KeyPath, Place] = {}
        self.key_places: dict[KeyPath, Place] = {}
        self.quoted: set[KeyPath] = set()
        self.problems: list[Problem] = []
        self.unread: set[KeyPath] = set()
        self.count = 0

    def read(self, text: str) -> Any:
        if "\x00" in text:
            line = text[: text.index("\x00")].count("\n") + 1
            self.problems.append(Problem(str(self.file), line, 1, "", "a null byte", "a text file has none"))
            return None
        if _too_deep(text):
            self.report(None, (), "YAML: nested too deeply", why=f"at most {DEEPEST} levels")
            return None
        try:
            node = self.yaml.compose(text)
        except MarkedYAMLError as error:
            mark, what, mend = mistake(error, text)
            self.report(mark, (), f"YAML: {what}", why=str(error.context or "") if error.problem else "",
                        suggestion=mend)
            return None
        except ReaderError as error:
            at = text[: error.position]
            mark = StringMark("", error.position, at.count("\n"), len(at) - at.rfind("\n") - 1, None, 0)
            self.report(mark, (), "YAML: a control character", suggestion="remove it")
            return None
        except RecursionError:
            self.report(None, (), "YAML: nested too deeply", why=f"at most {DEEPEST} levels")
            return None
        except Exception as error:  # the scanner has many kinds of its own for broken input
            self.report(None, (), f"YAML: {(str(error).splitlines() or [type(error).__name__])[0]}")
            return None
        if node is None:
            self.report(None, (), "the file is empty")
            return None
        return self.plain(node, (), ())

    @cached_property
    def yaml(self) -> YAML:
        return YAML(typ="rt", pure=True)

    def report(self, mark: Any, path: KeyPath, what: str, *, why: str = "", suggestion: str = "") -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        self.problems.append(Problem(str(self.file), line, column, key_path(path), what, why, suggestion))

    def plain(self, node: Node, path: KeyPath, above: tuple[int, ...]) -> Any:
        """The plain value of ``node``; ``above``: the nodes around it, to find one that contains itself."""
        self.count += 1
        self.places.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if self.count > MOST_NODES:
            if self.count == MOST_NODES + 1:
                self.report(node.start_mark, path, f"the file unfolds into more than {MOST_NODES} values")
            return None
        if id(node) in above:
            self.report(node.start_mark, path, "a value that contains itself")
            return None
        if len(above) >= DEEPEST:
            self.report(node.start_mark, path, "nested too deeply", why=f"at most {DEEPEST} levels")
            return None
        if not isinstance(node, ScalarNode) and str(node.tag) not in (CORE + "map", CORE + "seq"):
            self.refuse(node, path)
        if isinstance(node, MappingNode):
            return self.mapping(node, path, (*above, id(node)))
        if isinstance(node, SequenceNode):
            return [self.plain(part, (*path, number), (*above, id(node)))
                    for number, part in enumerate(node.value)]
        return self.scalar(node, path) if isinstance(node, ScalarNode) else None

    def mapping(self, node: MappingNode, path: KeyPath, above: tuple[int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            if str(key_node.tag) == CORE + "merge":
                merged.extend(value_node.value if isinstance(value_node, SequenceNode) else [value_node])
                continue
            if not isinstance(key_node, ScalarNode):
                self.report(key_node.start_mark, path, "a key that is not a text", suggestion="quote it")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key in found:
                first = self.key_places[here]
                self.report(key_node.start_mark, here, f"duplicate key '{key}'",
                            why=f"it is already on line {first[0]}", suggestion="remove or rename one")
                continue
            self.key_places[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            found[key] = self.plain(value_node, here, above)
        for extra in merged:
            if not isinstance(extra, MappingNode):
                self.report(extra.start_mark, path, "'<<' can only merge a mapping")
            elif id(extra) in above:
                self.report(extra.start_mark, path, "a value that contains itself")
            else:
                self.merge(found, extra, path, above)
        return found

    def merge(self, found: dict[str, Any], extra: MappingNode, path: KeyPath, above: tuple[int, ...]) -> None:
        places, key_places = dict(self.places), dict(self.key_places)
        more = self.plain(extra, path, above)
        # A key written out wins over the merged one, and so does its place.
        self.places.update(places)
        self.key_places.update(key_places)
        for key, value in more.items() if isinstance(more, dict) else ():
            found.setdefault(key, value)

    def scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        tag, text = str(node.tag), str(node.value)
        if node.style in ("'", '"'):
            self.quoted.add(path)
        if self.environment is not None and "$" in text:
            text = self.substituted(text, node, path)
            if node.style is None and tag == CORE + "str":
                tag = str(self.yaml.resolver.resolve(ScalarNode, text, (True, False)))
        kind = tag.removeprefix(CORE)
        if kind in ("str", "timestamp", "value", "merge"):
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in ("true", "yes", "on", "y")
        if kind in ("int", "float"):
            return _number(text)
        self.refuse(node, path)
        return text

    def refuse(self, node: Node, path: KeyPath) -> None:
        self.unread.add(path)
        self.report(node.start_mark, path, f"the tag '{node.tag}' is not allowed",
                    why="only texts, numbers, true/false and null can be values",
                    suggestion="take it away, or quote the value")

    def substituted(self, text: str, node: ScalarNode, path: KeyPath) -> str:
        assert self.environment is not None

        def replaced(found: re.Match[str]) -> str:
            name, default = found.group(1), found.group(2)
            if found.group() == "$$":
                return "$"
            if name is None:
                self.unread.add(path)
                self.report(node.start_mark, path, f"cannot read '{found.group()}'",
                            suggestion="write ${NAME} or ${NAME:-default}, and $$ for a dollar")
                return ""
            value = (self.environment or {}).get(name)
            if not value and default is not None:
                return str(default)
            if value is None:
                self.unread.add(path)
                self.report(node.start_mark, path, f"the environment has no variable '{name}'",
                            suggestion=f"set it, or write ${{{name}:-default}}")
            return value or ""

        return VARIABLE.sub(replaced, text)


def _too_deep(text: str) -> bool:
    """Whether composing the text would recurse beyond what Python's stack is made for, whatever its limit is."""
    if sum(map(text.count, "[{-?:")) <= 4 * DEEPEST:  # each level has one of them
        return False
    depth = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            depth += isinstance(event, SequenceStartEvent | MappingStartEvent)
            depth -= isinstance(event, SequenceEndEvent | MappingEndEvent)
            if depth > 4 * DEEPEST:
                return True
    except Exception:  # said by the composer, with its place
        return False
    return False


def _number(text: str) -> int | float | str:
    digits = text.replace("_", "")
    try:
        sign, bare = (-1, digits[1:]) if digits.startswith("-") else (1, digits.removeprefix("+"))
        if bare[:2].lower() in ("0x", "0o", "0b"):
            return sign * int(bare, 0)
        if bare.isdecimal():
            return int(digits)
        return float(digits.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return text


def _unreadable(file: Path, what: str, suggestion: str) -> YamlDocument:
    problem = Problem(str(file), 1, 1, "", f"the file {what}", "", suggestion)
    return YamlDocument(file, None, problems=(problem,))


def _near(file: Path) -> str | None:
    try:
        names = [one.name for one in file.parent.iterdir()]
    except OSError:
        return None
    near = difflib.get_close_matches(file.name, names, n=1)
    return str(file.with_name(near[0])) if near else None
