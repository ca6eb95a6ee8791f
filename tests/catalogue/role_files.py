"""Mistakes in role files and in the files of demonstrations that they name."""

from __future__ import annotations

BASE = """\
schema: understudy/role/v1
role: mood
does: says what mood a text is in
takes: {text: text}
gives: {mood: [glad, sad], sure: boolean}
demonstrations:
  - takes: {text: What a day!}
    gives: {mood: glad, sure: true}
  - takes: {text: It rains.}
    gives: {mood: sad, sure: false}
"""
HEAD = BASE[: BASE.index("demonstrations:")]

CHANGES: dict[str, tuple[str, str]] = {
    "role/does": ("does: says what mood a text is in\n", ""),
    "role/gives": ("gives: {mood: [glad, sad], sure: boolean}", "gives: {}"),
    "role/type": ("sure: boolean", "sure: bolean"),
    "role/demonstrations": (BASE[BASE.index("demonstrations:"):], "demonstrations: 5\n"),
    "role/one demonstration": (BASE[BASE.rindex("  - takes"):], ""),
    "role/field of a demonstration": ("mood: glad", "mod: glad"),
    "role/value of a demonstration": ("mood: glad", "mood: angry"),
    "role/no file": (BASE[BASE.index("demonstrations:"):], "demonstrations: mods.csv\n"),
    "role/no such kind of file": (BASE[BASE.index("demonstrations:"):], "demonstrations: notes.md\n"),
    "role/file outside": (BASE[BASE.index("demonstrations:"):], "demonstrations: ../moods.csv\n"),
    "role/field name": ("takes: {text: text}", "takes: {model_config: text}"),
}

CHANGES |= {
    "role/list": ("mood: [glad, sad]", "mood: {list: text}"),
    "role/contradiction": ("It rains.", "What a day!"),
}

FILES: dict[str, tuple[str, bytes]] = {
    "jsonl/JSON": ("moods.jsonl", b'{"takes": {"text": "a"}, "gives": {"mood": "glad", "sure": true}\n'),
    "jsonl/deep": ("moods.jsonl", b"[" * 5000 + b"\n"),
    "jsonl/number": ("moods.jsonl", b"9" * 5000 + b"\n"),
    "jsonl/kind": ("moods.jsonl", b"[1]\n"),
    "jsonl/key": ("moods.jsonl", b'{"takes": {"text": "a"}, "gives": {"mood": "glad", "sure": true}, "note": 1}\n'),
    "jsonl/missing": ("moods.jsonl", b'{"takes": {"text": "a"}}\n'),
    "jsonl/value": ("moods.jsonl", b'{"takes": {"text": 5}, "gives": {"mood": "glad", "sure": true}}\n'),
    "csv/bytes": ("moods.csv", b"text,mood,sure\n\xff,glad,true\n"),
    "csv/cells": ("moods.csv", b"text,mood,sure\na,glad\n"),
    "csv/column": ("moods.csv", b"text,mod,sure\na,glad,true\n"),
    "csv/few": ("moods.csv", b"text,mood,sure\na,glad,true\n"),
    "csv/value": ("moods.csv", b"text,mood,sure\na,angry,true\nb,sad,perhaps\n"),
    "csv/quote": ("moods.csv", b'text,mood,sure\n"a"b,glad,true\n'),
    "csv/null byte": ("moods.csv", b'text,mood,sure\na\x00,glad,true\n'),
    "csv/long": ("moods.csv", b"text,mood,sure\n" + b"a" * 140_000 + b",glad,true\n"),
    "csv/empty": ("moods.csv", b""),
}
"""A file of demonstrations by its name and what is in it."""
