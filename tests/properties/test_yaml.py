"""Mutated YAML: a list of problems or a team, never another exception, never half of either."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.workflows.schema import check_text
from understudy.workflows.yaml_document import parse_document

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FILES = [
    EXAMPLES / "travel_desk" / "team.yaml", EXAMPLES / "triage" / "role.yaml",
    *(EXAMPLES / "workflows" / name / "team.yaml" for name in ("approval", "nested_team", "streaming_chat", "timeout")),
]  # fmt: skip
TEXTS = [file.read_text(encoding="utf-8") for file in FILES]

PIECES = [
    "", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", "&a", "*a", "<<: *a", "!!int", "!x", "'", '"', "|", ">",
    "#", "?", "%YAML 1.1\n---\n", "---\n", "${", "${A:-", "}", "$end", "null", "true", "1e999", ".nan", "-1",
    "é", "\ufeff", "\x00", "\x85", "\u2028", "\U0001f600", "plan", "input", "item", "len(", "not ", "steps", "../",
    "/", "~", "*.md",
]


def mutated(text: str, seed: int, count: int) -> str:
    """``text`` with ``count`` random cuts, repetitions, swaps and insertions."""
    chance = random.Random(seed)
    for _ in range(count):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 3, 10, 40)))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + chance.choice(PIECES) + text[end:]
        elif kind == 2:
            text = text[:end] + text[start:end] + text[end:]
        else:
            lines = text.split("\n")
            first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
            lines[first], lines[second] = lines[second], lines[first]
            text = "\n".join(lines)
    return text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(range(len(FILES))), st.integers(0, 2**32), st.integers(1, 6))
def test_mutated_examples(which: int, seed: int, count: int) -> None:
    problems = check_text(mutated(TEXTS[which], seed, count), FILES[which])
    for problem in problems:
        assert problem.line >= 1 and problem.column >= 1 and problem.what


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map("".join))
def test_any_text(text: str) -> None:
    document = parse_document(text)
    assert document.problems or document.value is not None or "null" in text or "~" in text or text.strip()
    check_text(text)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(PIECES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["schema", "team", "agents", "workflow", "steps", "role", "gives", "demonstrations", "takes",
                         "input", "knowledge", "add", "routes", "to", "each", "output", "tests", "value", "list"]),
        inner, max_size=6),
    max_leaves=20), st.sampled_from(["team", "role"]))
def test_any_value_under_the_right_format(value: object, kind: str) -> None:
    body = value if isinstance(value, dict) else {"agents": value, "gives": value, "workflow": value}
    text = json.dumps({**body, "schema": f"understudy/{kind}/v1"}).replace("NaN", ".nan").replace("Inf", ".inf")
    assert all(problem.what for problem in check_text(text))


@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_team_loads_or_is_refused(seed: int, tmp_path: Path) -> None:
    from understudy.workflows.team import Team

    text = mutated(TEXTS[0], seed, 1 + seed % 3)
    file = tmp_path / "team.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    shutil.copytree(FILES[0].parent / "data", tmp_path / "data")
    try:
        assert Team.load(file).name
    except UnderstudyError as error:
        assert str(error)
