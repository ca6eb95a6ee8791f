"""The two file formats, team and role: what may stand where, and what each key is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .common_shapes import EXPRESSION, FIELDS, FUNCTION, LIMITS, PATH
from .shapes import (
    IDENTIFIER,
    NAME,
    AnyValue,
    Either,
    Exactly,
    Items,
    Key,
    Keys,
    Named,
    NumberShape,
    OneOf,
    Shape,
    TextShape,
)
from .step_shapes import END, WORKFLOW
from .value_shapes import FIELD_TYPE_DEFINITION, FieldTypeShape

__all__ = ["END", "FORMATS", "ROLE_FORMAT", "TEAM_FORMAT", "json_schema"]

TEAM_FORMAT = "understudy/team/v1"
ROLE_FORMAT = "understudy/role/v1"

ROLE_NAME = TextShape("a role")

TOOL = Keys("a tool", {"sql": Key(PATH, "a CSV file or SQLite database that is read with SELECT", True)})

AGENT = Keys("an agent", {
    "role": Key(ROLE_NAME, "a shipped or learned role's name, or the path of a role.yaml"),
    "call": Key(FUNCTION, "a registered function that stands in place of a role; nothing is learned for it"),
    "does": Key(TextShape(), "what it does, as the planner reads it; the role's own words where left out"),
    "tools": Key(Items(Either("a path or a tool", (PATH, TOOL)), what="a list of tools"),
                 "what it may use; the short form of {sql: PATH} is the path"),
    "passages": Key(NumberShape(1, whole=True, most=50), "how many passages of the knowledge it reads"),
    "history": Key(PATH, "a CSV file of what is already known to the user and so not recommended"),
}, Exactly(
    ("role", "call"), "the agent has no role", "an agent is played by a role or by a registered function",
    "add role: NAME, or call: FUNCTION",
))

ANSWERS = Named("step", AnyValue(), rf"({IDENTIFIER}(/.+)?|\$limits)")
"""A question of a step's own team is STEP/ITS-STEP."""

TEST = Keys("a test", {
    "name": Key(TextShape("a test's name"), "what it is called; its number where left out"),
    "input": Key(Either("a text or a mapping of fields", (TextShape("a request"), Named("input", AnyValue()))),
                 "the fields of the request; the short form, of one field, is its text", True),
    "answers": Key(Either("a mapping of answers or a list of them", (ANSWERS, Items(ANSWERS, 1, "a list of answers"))),
                   "what is answered to the steps that ask, each time; in a list, once and in that order"),
    "expect": Key(Named("output", AnyValue()),
                  "what the result's fields must be, or {contains: …}; also its status, path and error"),
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
                  "the agents by name; the short form is the role's name alone"),
    "input": Key(Named("field", FieldTypeShape()),
                 "the fields of a request; {request: text} where left out, {} for none"),
    "workflow": Key(WORKFLOW, "the steps; where left out, the planner plans them"),
    "output": Key(Named("output", EXPRESSION, least=1), "the fields of the result, as expressions"),
    "limits": Key(LIMITS, "what a run may use"),
    "tests": Key(Items(Either("a request or a test", (TextShape("a request"), TEST)), what="a list of tests"),
                 "requests with the results they should have; the short form is the request alone"),
}, deeper=("workflow", "knowledge", "limits"))

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
