"""Shapes: what may stand where in a YAML file. One description gives both the check and the JSON Schema.

A shape checks a plain value at its path and adds every mistake to a :class:`Report`, with its position;
``json_schema`` says the same to editors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .problems import Problem
from .values import hint, kind
from .yaml_document import KeyPath, YamlDocument

IDENTIFIER = r"[A-Za-z][A-Za-z0-9_]*"
NAME = r"[A-Za-z][A-Za-z0-9_-]*"


class Report:
    """The mistakes found in one document, and the paths of what is wrong."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.paths: set[KeyPath] = set()

    def add(self, path: KeyPath, what: str, *, why: str = "", suggestion: str | None = None,
            key: bool = False, offset: int | None = None) -> None:
        """Note a mistake at the value of ``path`` (or its key), ``offset`` characters into it.

        Of a value that could not be read no more than that is told.
        """
        self.paths.add(path)
        if any(path[:deep] in self.document.unread for deep in range(1, len(path) + 1)):
            return
        self.problems.append(self.document.problem(
            path, what, why=why, suggestion=suggestion or "", key=key, offset=offset))

    def wrong(self, *path: str | int) -> bool:
        """Whether a mistake was noted at ``path`` or in it."""
        return any(found[: len(path)] == path for found in self.paths)

    def expected(self, path: KeyPath, value: Any, what: str, suggestion: str = "") -> None:
        """Note that ``what`` was expected where ``value`` stands."""
        shown = f" {value!r}" if isinstance(value, int | float) and not isinstance(value, bool) else ""
        if value is None and "mapping" in what:
            suggestion = "; ".join(filter(None, ("indent what belongs to it, deeper than its key", suggestion)))
        self.add(path, f"expected {what}, found {kind(value)}{shown}", suggestion=suggestion)


class Shape(Protocol):
    """What may stand at one place."""

    def fits(self, value: Any) -> bool:
        """Whether the value is of this shape's JSON type; what is in it is for ``check``."""

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        """Report every mistake in ``value``."""

    def json_schema(self) -> dict[str, Any]:
        """The same as JSON Schema (draft 2020-12)."""


@dataclass(frozen=True)
class TextShape:
    """A text; ``what`` names it in errors, ``pattern`` must match all of it."""

    what: str = "a text"
    pattern: str | None = None
    rule: str = ""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, str):
            quote = not isinstance(value, dict | list | None)
            report.expected(path, value, self.what, "quote it" if quote else "")
        elif not value.strip():
            report.add(path, f"expected {self.what}, found an empty text")
        elif self.pattern and not re.fullmatch(self.pattern, value):
            report.add(path, f"'{value[:60]}' is not {self.what}", why=self.rule)

    def json_schema(self) -> dict[str, Any]:
        pattern = {"pattern": f"^{self.pattern}$"} if self.pattern else {}
        return {"type": "string", "minLength": 1, **pattern}


@dataclass(frozen=True)
class NumberShape:
    """A number, at least ``least`` (or ``above`` it); ``whole`` for integers."""

    least: float = 0
    whole: bool = False
    most: float | None = None
    above: bool = False

    def fits(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        what = "a whole number" if self.whole else "a number"
        if not self.fits(value) or (self.whole and isinstance(value, float) and not value.is_integer()):
            report.expected(path, value, what)
        elif not self.least <= value < float("inf") or (self.most is not None and value > self.most) or (
                self.above and value == self.least):
            least = "above" if self.above else "at least"
            most = f" and at most {self.most:g}" if self.most is not None else ""
            report.add(path, f"expected {what}, {least} {self.least:g}{most}, found {value}")

    def json_schema(self) -> dict[str, Any]:
        least = "exclusiveMinimum" if self.above else "minimum"
        most = {"maximum": self.most} if self.most is not None else {}
        return {"type": "integer" if self.whole else "number", least: self.least, **most}


@dataclass(frozen=True)
class OneOf:
    """One of a few texts."""

    options: tuple[str, ...]
    what: str

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, str):
            report.expected(path, value, self.what, f"one of: {', '.join(self.options)}")
        elif value not in self.options:
            report.add(path, f"'{value[:60]}' is not {self.what}", suggestion=hint(value, self.options))

    def json_schema(self) -> dict[str, Any]:
        return {"const": self.options[0]} if len(self.options) == 1 else {"enum": list(self.options)}


@dataclass(frozen=True)
class Key:
    """A key of :class:`Keys`: its shape, and what it is for."""

    shape: Shape
    does: str
    required: bool = False


@dataclass(frozen=True)
class Exactly:
    """Of several keys exactly one must be there: ``none`` says that none is, and ``mend`` what to write."""

    keys: tuple[str, ...]
    none: str
    why: str
    mend: str

    def check(self, value: Mapping[str, Any], what: str, path: KeyPath, report: Report) -> None:
        """Report that none of the keys is there, or each that is there beside the first.

        None is told where one of them is perhaps misspelt: that is told already.
        """
        found = [name for name in value if name in self.keys]
        if not found and any(path + (name,) in report.paths and _near(name, self.keys) for name in value):
            report.paths.add(path)
        elif not found:
            report.add(path, self.none, why=self.why, suggestion=self.mend, key=True)
        for other in found[1:]:
            report.add((*path, other), f"'{found[0]}' and '{other}' in one {what.split()[-1]}", key=True, why=self.why,
                       suggestion="remove one of them")


@dataclass(frozen=True)
class Keys:
    """A mapping with the given keys and no others. ``what`` names it in errors.

    ``deeper``: keys whose own keys are easily written beside them.
    """

    what: str
    keys: Mapping[str, Key]
    exactly: Exactly | None = None
    deeper: tuple[str, ...] = ()

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, dict):
            report.expected(path, value, f"{self.what} (a mapping)", f"keys: {', '.join(self.keys)}")
            return
        for name, part in value.items():
            if name in self.keys:
                self.keys[name].shape.check(part, (*path, name), report)
            else:
                report.add((*path, name), f"unknown key '{name[:60]}'", why=f"{self.what} has no such key",
                           suggestion=self._meant(name), key=True)
        for name, key in self.keys.items():
            if key.required and name not in value:
                report.add(path, f"the key '{name}' is missing", why=f"{self.what} needs it: {key.does}",
                           key=True)
        if self.exactly is not None:
            self.exactly.check(value, self.what, path, report)

    def _meant(self, name: str) -> str | None:
        """What to do about an unknown key: one level deeper it may be right."""
        inner = (key for key in self.deeper if isinstance(shape := self.keys[key].shape, Keys) and name in shape.keys)
        key = next(inner, None)
        return f"write it under {key}" if key else hint(name, self.keys)

    def json_schema(self) -> dict[str, Any]:
        properties = {name: {"description": key.does, **key.shape.json_schema()}
                      for name, key in self.keys.items()}
        required = [name for name, key in self.keys.items() if key.required]
        one = [{"required": [name]} for name in self.exactly.keys] if self.exactly is not None else []
        return {"type": "object", "properties": properties, "additionalProperties": False,
                **({"required": required} if required else {}), **({"oneOf": one} if one else {})}


@dataclass(frozen=True)
class Named:
    """A mapping from names to values of one shape. ``what`` names one entry in errors."""

    what: str
    shape: Shape
    pattern: str = IDENTIFIER
    reserved: tuple[str, ...] = ()
    least: int = 0

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, dict):
            report.expected(path, value, f"a mapping of {self.what} names")
            return
        if len(value) < self.least:
            report.add(path, f"no {self.what} is named", why=f"at least {self.least} is needed")
        for name, part in value.items():
            if not re.fullmatch(self.pattern, name):
                report.add((*path, name), f"'{name[:60]}' cannot name {_a(self.what)}", key=True,
                           why=f"a name has letters, digits{', _ and -' if self.pattern == NAME else ' and _'}, "
                               "and begins with a letter")
            elif name in self.reserved:
                report.add((*path, name), f"'{name}' cannot name {_a(self.what)}", key=True,
                           why="expressions use that word", suggestion="call it otherwise")
            self.shape.check(part, (*path, name), report)

    def json_schema(self) -> dict[str, Any]:
        names: dict[str, Any] = {"pattern": f"^{self.pattern}$"}
        if self.reserved:
            names["not"] = {"enum": list(self.reserved)}
        return {"type": "object", "propertyNames": names, "additionalProperties": self.shape.json_schema(),
                **({"minProperties": self.least} if self.least else {})}


@dataclass(frozen=True)
class Items:
    """A list of values of one shape; ``each_once`` says what one of them is where none may stand there twice."""

    shape: Shape
    least: int = 0
    what: str = "a list"
    each_once: str = ""

    def fits(self, value: Any) -> bool:
        return isinstance(value, list)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, list):
            report.expected(path, value, self.what, "write [ … ] around it" if value is not None else "")
            return
        if len(value) < self.least:
            report.add(path, f"expected {self.what} of at least {self.least}, found {len(value)}")
        for number, part in enumerate(value):
            self.shape.check(part, (*path, number), report)
            if self.each_once and part in value[:number]:
                report.add((*path, number), f"the {self.each_once} '{str(part)[:60]}' stands here twice",
                           suggestion="name it once")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.shape.json_schema(),
                **({"minItems": self.least} if self.least else {}),
                **({"uniqueItems": True} if self.each_once else {})}


@dataclass(frozen=True)
class Either:
    """The first of several shapes that the value fits, such as a short and a long form."""

    what: str
    shapes: Sequence[Shape] = field(default_factory=tuple)

    def fits(self, value: Any) -> bool:
        return any(shape.fits(value) for shape in self.shapes)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        for shape in self.shapes:
            if shape.fits(value):
                shape.check(value, path, report)
                return
        report.expected(path, value, self.what)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [shape.json_schema() for shape in self.shapes]}


@dataclass(frozen=True)
class AnyValue:
    """Any value that JSON has."""

    def fits(self, value: Any) -> bool:
        return True

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        return None

    def json_schema(self) -> dict[str, Any]:
        return {}


def _near(name: str, known: Iterable[str]) -> bool:
    """Whether ``name`` is perhaps one of ``known``, misspelt."""
    return (hint(name, known) or "").startswith("did")


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
