"""Documents that the schema of team files describes, as Hypothesis makes them up; some with a part of another kind."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from understudy.workflows.formats import json_schema

NAMES = st.sampled_from(["a", "b", "c", "qa", "same", "record", "len", "input", "error"])
TEXTS = st.one_of(
    NAMES,
    st.sampled_from(["$end", "input.a", "item", "a.b == 1", "team.cast[0].name", "not a", "len(input.a) > 1", "text",
                     "team.yaml", "*.md", "qa.yaml", "functions.py", "${A:-a}"]),
    st.text(max_size=6),
)  # fmt: skip
STRANGE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=4,
)


@cache
def documents() -> st.SearchStrategy[Any]:
    """Team files as plain values."""
    schema = json_schema("team")
    return of(schema, schema["$defs"])


def of(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What ``schema`` allows, and one time in some twenty something else."""
    right = allowed(schema, definitions)
    return st.integers(0, 19).flatmap(lambda number: STRANGE if number == 19 else right)


def allowed(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What ``schema`` allows, but that names follow no pattern, and keys of which one is needed come as they come."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return st.deferred(lambda: of(definitions[name], definitions))
    if "anyOf" in schema:
        return st.one_of([allowed(one, definitions) for one in schema["anyOf"]])
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return st.one_of([allowed({**schema, "type": kind}, definitions) for kind in kinds])
    least = schema.get("minimum", 0)
    simple: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXTS,
        "boolean": st.booleans(),
        "integer": st.integers(least, least + 3),
        "number": st.floats(least, 9),
        "any": STRANGE,
    }
    if kinds in simple:
        return simple[kinds]
    if kinds == "array":
        fewest = schema.get("minItems", 0)
        return st.lists(of(schema["items"], definitions), min_size=fewest, max_size=fewest + 2)
    return mappings(schema, definitions)


def mappings(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mappings with the keys that have to be there and, one key in three, the others."""
    needed = set(schema.get("required", ()))
    parts = {
        key: of(part, definitions) if key in needed else st.integers(0, 2).flatmap(
            lambda number, part=part: st.just(...) if number else of(part, definitions)
        )
        for key, part in schema.get("properties", {}).items()
    }  # fmt: skip
    fixed = st.fixed_dictionaries(parts).map(
        lambda found: {key: part for key, part in found.items() if part is not ...}
    )
    more = schema.get("additionalProperties")
    if not isinstance(more, dict):
        return fixed
    others = st.dictionaries(NAMES, of(more, definitions), min_size=schema.get("minProperties", 0), max_size=3)
    return st.builds(lambda first, second: {**first, **second}, fixed, others)
