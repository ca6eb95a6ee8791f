"""Shapes of what a file says about values: expressions, constants, types of fields, how long, how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .expressions import Expression
from .shapes import Report, TextShape
from .values import ExpressionError, hint
from .yaml_document import KeyPath

FIELD_TYPES = ("text", "number", "integer", "boolean")


@dataclass(frozen=True)
class ExpressionShape:
    """An expression (a text), or a constant written ``{value: …}``; with ``numbers`` a number is one as it stands."""

    numbers: bool = False

    def fits(self, value: Any) -> bool:
        return isinstance(value, str | dict) or self.number(value)

    def number(self, value: Any) -> bool:
        """Whether it is a number that may stand for itself."""
        return self.numbers and isinstance(value, int | float) and not isinstance(value, bool)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if self.number(value):
            if not 0 <= value < float("inf"):
                report.add(path, f"expected a number, at least 0, found {value}")
        elif isinstance(value, dict):
            if set(value) != {"value"}:
                report.add(path, "expected an expression, found a mapping",
                           suggestion="a constant is {value: …}")
        elif not isinstance(value, str):
            shown = "null" if value is None else str(value).lower() if isinstance(value, bool) else value
            report.expected(path, value, "an expression", f"a constant is {{value: {shown}}}")
        else:
            try:
                Expression.parse(value)
            except ExpressionError as error:
                report.add(path, error.what, suggestion=error.mend, offset=error.offset)

    def json_schema(self) -> dict[str, Any]:
        constant = {"type": "object", "properties": {"value": {}}, "required": ["value"],
                    "additionalProperties": False}
        number = [{"type": "number", "minimum": 0}] if self.numbers else []
        return {"anyOf": [*number, {"type": "string", "minLength": 1}, constant]}


@dataclass(frozen=True)
class FieldTypeShape:
    """The type of a message's field: text, number, integer, boolean, [choices] or {list: type}."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str | list | dict)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if isinstance(value, list):
            self.choices(value, path, report)
        elif isinstance(value, dict):
            if set(value) != {"list"}:
                report.add(path, "a mapping is not a type", suggestion="a list of texts is {list: text}")
            else:
                self.check(value["list"], (*path, "list"), report)
        elif not isinstance(value, str):
            report.expected(path, value, "a type", f"one of: {', '.join(FIELD_TYPES)}, [choices]")
        elif value not in FIELD_TYPES:
            near = hint(value, FIELD_TYPES) or ""
            mend = near if near.startswith("did") else f"{near}, [choices], {{list: …}}"
            report.add(path, f"unknown type '{value[:60]}'", suggestion=mend)

    def choices(self, value: list[Any], path: KeyPath, report: Report) -> None:
        if len(value) < 2:
            report.add(path, f"expected at least 2 choices, found {len(value)}")
        seen: set[str] = set()
        for number, choice in enumerate(value):
            TextShape("a choice").check(choice, (*path, number), report)
            if isinstance(choice, str):
                if choice in seen:
                    report.add((*path, number), f"the choice '{choice[:60]}' stands here twice")
                seen.add(choice)

    def json_schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/fieldType"}


FIELD_TYPE_DEFINITION: dict[str, Any] = {
    "anyOf": [
        {"enum": list(FIELD_TYPES)},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2, "uniqueItems": True},
        {"type": "object", "properties": {"list": {"$ref": "#/$defs/fieldType"}}, "required": ["list"],
         "additionalProperties": False},
    ],
}


@dataclass(frozen=True)
class AnswersShape:
    """What may be answered to a question: at least two texts, numbers or booleans, each once."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, list)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if not isinstance(value, list):
            report.expected(path, value, "a list of choices", "write [ … ] around them" if value is not None else "")
            return
        if len(value) < 2:
            report.add(path, f"expected at least 2 choices, found {len(value)}")
        seen: list[Any] = []
        for number, choice in enumerate(value):
            if not isinstance(choice, str | int | float):
                report.expected((*path, number), choice, "a text, a number or a boolean")
            elif any(choice == one and isinstance(choice, bool) is isinstance(one, bool) for one in seen):
                report.add((*path, number), f"the choice '{str(choice)[:60]}' stands here twice")
            seen.append(choice)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 2,
                "uniqueItems": True}
