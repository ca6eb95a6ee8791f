"""The two file formats, team and role: what may stand where, and what each key is for."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .calls import CALLS
from .expressions import Expression
from .shapes import (
    NAME,
    AnyValue,
    Either,
    Items,
    Key,
    Keys,
    Named,
    NumberShape,
    OneOf,
    Report,
    Shape,
    TextShape,
)
from .values import ExpressionError, hint
from .yaml_document import KeyPath

TEAM_FORMAT = "understudy/team/v1"
ROLE_FORMAT = "understudy/role/v1"

FIELD_TYPES = ("text", "number", "integer", "boolean")
END = "$end"
SCOPE_WORDS = ("input", "team", "item", "index", "len", "true", "false", "null", *keyword.kwlist)
"""Words that mean something in expressions, so that no step may be named by them."""


@dataclass(frozen=True)
class ExpressionShape:
    """An expression (a text), or a constant written ``{value: …}``."""

    def fits(self, value: Any) -> bool:
        return isinstance(value, str | dict)

    def check(self, value: Any, path: KeyPath, report: Report) -> None:
        if isinstance(value, dict):
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
        return {"anyOf": [{"type": "string", "minLength": 1}, constant]}


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

PATH = TextShape("a path")
ROLE_NAME = TextShape("a role")
AGENT_NAME = TextShape("an agent's name", NAME, "a name has letters, digits, _ and -")
STEP_NAME = TextShape("a step's name")
EXPRESSION = ExpressionShape()
FIELDS = Named("field", FieldTypeShape(), least=1)
INPUTS = Named("input", EXPRESSION)

TOOL = Keys("a tool", {"sql": Key(PATH, "a CSV file or SQLite database that is read with SELECT", True)})

AGENT = Keys("an agent", {
    "role": Key(ROLE_NAME, "a shipped or learned role's name, or the path of a role.yaml", True),
    "does": Key(TextShape(), "what it does, as the planner reads it; the role's own words where left out"),
    "tools": Key(Items(TOOL, what="a list of tools"), "what it may use"),
    "passages": Key(NumberShape(1, whole=True, most=50), "how many passages of the knowledge it reads"),
    "history": Key(PATH, "a CSV file of what is already known to the user and so not recommended"),
})

ROUTE = Keys("a route", {
    "to": Key(STEP_NAME, f"the next step, or {END}", True),
    "when": Key(EXPRESSION, "the condition under which the route is taken"),
    "at_most": Key(NumberShape(1, whole=True), "how often it may be taken in one run"),
})

STEP = Keys("a step", {
    "agent": Key(AGENT_NAME, "the agent that does it"),
    "agent_from": Key(EXPRESSION, "an expression that gives the name of the agent, chosen from the cast"),
    "call": Key(OneOf(tuple(CALLS), "a registered function"), "the function that does it"),
    "input": Key(INPUTS, "the fields of the agent's message or the function's arguments, as expressions"),
    "each": Key(EXPRESSION, "a list; the step runs once for each item"),
    "at_once": Key(NumberShape(1, whole=True), "how many items run at a time"),
    "failure": Key(OneOf(("fail_fast", "collect", "all_or_nothing"), "a failure mode"),
                   "what happens to the others when one item fails"),
    "then": Key(STEP_NAME, f"the next step, or {END}"),
    "routes": Key(Items(ROUTE, 1, "a list of routes"), "the next step by condition, the first that holds"),
})

WORKFLOW = Keys("a workflow", {
    "start": Key(STEP_NAME, "the first step", True),
    "steps": Key(Named("step", STEP, reserved=SCOPE_WORDS, least=1), "the steps by name", True),
})

LIMITS = Keys("limits", {
    "seconds": Key(NumberShape(0), "how long a run may take"),
    "messages": Key(NumberShape(1, whole=True), "how many messages its agents may handle"),
    "on_exceed": Key(OneOf(("stop", "partial"), "what happens at a limit"),
                     "stop: the run fails; partial: it gives what there is"),
})

TEAM = Keys("a team", {
    "schema": Key(OneOf((TEAM_FORMAT,), "the format of a team file"), "the format of this file", True),
    "team": Key(TextShape("a team's name", NAME, "a name has letters, digits, _ and -"), "its name", True),
    "does": Key(TextShape(), "what it is for, in a sentence"),
    "backbone": Key(TextShape("a backbone"), "default, or a model's folder or hub id"),
    "knowledge": Key(Keys("knowledge", {
        "store": Key(PATH, "where the store is kept; in memory where left out"),
        "add": Key(Items(PATH, what="a list of paths"), "files to read in; * stands for any name"),
        "embedder": Key(TextShape("an embedder"), "for a new store: default, hashed, a model's folder or hub id"),
    }), "what the agents look things up in"),
    "agents": Key(Named("agent", Either("a role's name or a mapping", (ROLE_NAME, AGENT)), NAME, least=1),
                  "the agents by name; the short form is the role's name alone", True),
    "input": Key(FIELDS, "the fields of a request; {request: text} where left out"),
    "workflow": Key(WORKFLOW, "the steps; where left out, the planner plans them"),
    "output": Key(Named("output", EXPRESSION, least=1), "the fields of the result, as expressions"),
    "limits": Key(LIMITS, "what a run may use"),
    "tests": Key(Items(Keys("a test", {
        "input": Key(Named("input", AnyValue()), "the fields of the request", True),
        "expect": Key(Named("output", AnyValue()), "what the result's fields must be or contain", True),
    }), what="a list of tests"), "requests with the results they should have"),
})

DEMONSTRATION = Keys("a demonstration", {
    "takes": Key(Named("field", AnyValue()), "the incoming message", True),
    "gives": Key(Named("field", AnyValue()), "the right answer", True),
})

ROLE = Keys("a role", {
    "schema": Key(OneOf((ROLE_FORMAT,), "the format of a role file"), "the format of this file", True),
    "role": Key(TextShape("a role's name", NAME, "a name has letters, digits, _ and -"), "its name", True),
    "does": Key(TextShape(), "what it does, in a sentence", True),
    "takes": Key(FIELDS, "the fields of the message it reads", True),
    "gives": Key(FIELDS, "the fields of its answer", True),
    "demonstrations": Key(Either("a list, or the path of a .jsonl or .csv file", (
        Items(DEMONSTRATION, 2, "a list of demonstrations"), PATH)),
        "8 to 40 messages with the right answers, here or in a .jsonl or .csv beside this file", True),
})

FORMATS: Mapping[str, Keys] = {"team": TEAM, "role": ROLE}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format "team" or "role", as shipped in understudy/schemas."""
    shape: Shape = FORMATS[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"understudy {name}",
        **shape.json_schema(),
        "$defs": {"fieldType": FIELD_TYPE_DEFINITION},
    }
