"""The desk's questions and the templates of the training examples have no five words in a row in common."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = [
    ROOT / "tests" / "data" / f"travel_desk_questions{which}.jsonl"
    for which in ("", "_second", "_third", "_fourth", "_fifth")
]
TEXTS = ROOT / "agents" / "generators" / "texts"
RIGHT = {"planner_country", "planner_things", "wrappers", "facts_country", "facts_named"}
"""The files with the words at the right of each line."""
RUN = 5


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+(?:['’][a-z]+)?", text.lower())


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[at : at + RUN]) for at in range(len(found) - RUN + 1)}


def pieces(node: ast.expr) -> str:
    """The words of a string; what is filled in, and each kind of placeholder, parts them."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "|" for part in node.values)
    assert isinstance(node, ast.Constant)
    return str(node.value)


def templates() -> Iterator[str]:
    for file in sorted((ROOT / "agents" / "generators").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.split(r"\||\{[^}]*\}|[@~/]", pieces(node))


def written() -> Iterator[str]:
    """What people wrote: questions about tables, requests, texts and what they are asked; slots part the words."""
    for file in sorted(TEXTS.glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if "||" in line:
                left, _, right = line.partition("||")
                line = right.replace("[", "").replace("]", "") if file.stem in RIGHT else left
            yield from re.split(r"\{(?:it|v|\*)\d?\}|\{[^{}=]*\}|@", re.sub(r"\{[^{}=]+=([^{}]*)\}", r"\1", line))


def test_no_question_shares_five_words_in_a_row_with_a_template() -> None:
    known = {run for template in templates() for run in runs(template)}
    assert len(known) > 300, "the templates were not found"
    assert len(by_people := {run for text in written() for run in runs(text)}) > 20_000
    known |= by_people
    lines = [json.loads(line) for file in QUESTIONS for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 600
    shared = [(line["id"], " ".join(run)) for line in lines for run in runs(line["request"]) & known]
    assert shared == []


def test_a_shared_run_is_seen() -> None:
    known = {run for template in ("how many people live in {name}",) for run in runs(re.split(r"\{", template)[0])}
    assert runs("So: how many people live in Chad?") & known and not runs("How many live in Chad these days?") & known
