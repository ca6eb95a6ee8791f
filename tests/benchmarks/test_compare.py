"""Lines are counted as the document says, the table is that of the files, and peers that are there say the same."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.compare import (
    DOCUMENT,
    EXAMPLES,
    FORMS,
    PEERS,
    WORKFLOWS,
    Row,
    counted,
    differing,
    file_of,
    play,
    python_lines,
    run_all,
    said,
    table,
    with_table,
    yaml_lines,
)

PYTHON = '''"""A docstring
of two lines."""

import os  # counted once


# a comment
def one(
    a: int,
) -> str:
    """Not counted."""
    text = """counted,
    all three
    lines"""
    return text


class Two:
    """Not counted."""

    name = "a string that is no docstring"
    "neither is this one"
'''


def test_blank_lines_comments_and_docstrings_are_not_counted() -> None:
    assert python_lines(PYTHON) == 1 + 3 + 3 + 1 + 1 + 2
    assert python_lines('"""Only words."""\n') == 0
    assert python_lines('b"no docstring"\n') == 1


def test_yaml_is_counted_without_comments_and_blank_lines() -> None:
    assert yaml_lines("# a comment\nteam: a  # counted\n\n  # another\nsteps:\n- b\n") == 3


def test_the_yaml_form_has_its_teams_and_functions() -> None:
    here = EXAMPLES / "nested_team"
    files = [here / "team.yaml", here / "translators" / "team.yaml"]
    teams = sum(yaml_lines(file.read_text(encoding="utf-8")) for file in files)
    assert counted("nested_team").lines["YAML"] == teams + python_lines(
        (here / "functions.py").read_text(encoding="utf-8")
    )


def test_the_table_has_medians_and_sums() -> None:
    rows = [Row(name, dict.fromkeys(FORMS, lines)) for name, lines in (("router", 3), ("debate", 4))]
    made = table(rows).splitlines()
    assert made[2].startswith("| `router` | classify, then one of three | [3](../examples/workflows/router/")
    assert made[-2:] == ["| median | | " + " | ".join(["**3.5**"] * 4) + " |", "| sum | | 7 | 7 | 7 | 7 |"]


def test_the_table_goes_between_its_marks() -> None:
    document = "before\n<!-- lines -->\nold\n<!-- end of lines -->\nafter\n"
    made = with_table(document, "new")
    assert made == "before\n<!-- lines -->\nnew\n<!-- end of lines -->\nafter\n"
    with pytest.raises(ValueError, match="no place for the table"):
        with_table("nothing", "new")


def test_the_document_has_the_lines_of_the_files() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    made = with_table(document, table([counted(name) for name in WORKFLOWS]))
    assert document == made, "write it anew: python -m benchmarks.compare"


def test_what_the_document_says_of_the_lines() -> None:
    rows = [counted(name).lines for name in WORKFLOWS]
    medians = {form: statistics.median(row[form] for row in rows) for form in FORMS}
    assert medians["Python"] < medians["YAML"] < min(medians["CrewAI"], medians["LangGraph"])
    assert [name for name in WORKFLOWS if counted(name).lines["Python"] >= counted(name).lines["LangGraph"]] == [
        "streaming_chat"
    ]
    assert all(row["Python"] < row["CrewAI"] for row in rows)
    assert sum(row["YAML"] > row["LangGraph"] for row in rows) == 5
    assert sum(row["YAML"] > row["CrewAI"] for row in rows) == 7


def test_every_example_has_its_peers() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/workflow.py")} == set(WORKFLOWS)
    for peer in ("langgraph", "crewai"):
        found = {path.stem for path in (PEERS / peer).glob("*.py")}
        assert found >= set(WORKFLOWS)
        for name in WORKFLOWS:
            ours, theirs = (ast.parse(file_of(name, form).read_text(encoding="utf-8")) for form in ("Python", peer))
            assert ast.get_docstring(theirs) is not None
            assert (ast.get_docstring(ours) or "").partition(":")[0] == ast.get_docstring(theirs).partition(":")[0]


def test_all_are_formatted_alike() -> None:
    files = [*EXAMPLES.glob("*/*.py"), *PEERS.glob("*/*.py")]
    command = [sys.executable, "-m", "ruff", "format", "--check", "--line-length", "100", *map(str, files)]
    assert len(files) >= 60
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_file_prints_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("import sys\nprint(sys.argv[1:], input('You: '))\n", encoding="utf-8")
    bad.write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", [])
    monkeypatch.setattr("sys.stdin", None)
    printed = play({"streaming_chat": str(good), "bad": str(bad)}, "begin")
    assert said(printed["streaming_chat"]) == ["['begin'] hello"]
    assert said(printed["bad"])[-1] == "ZeroDivisionError: division by zero"


def test_what_differs_is_told() -> None:
    ours = {"a": ["1", "2"], "b": ["1"], "c": []}
    assert differing(ours, {"a": ["noise", "1", "2"], "b": ["1"], "c": ["1"]}) == ["c: [] in Python, and ['1']"]
    assert len(differing({"a": ["1", "2"]}, {"a": ["2", "1"]})) == 1
    assert len(differing({"a": ["1"]}, {})) == 1


def test_prompts_and_frames_are_not_compared() -> None:
    assert said("╭── x ──╮\n│ y │\n\nYou: \n>>> 1: you said hello \n") == ["1: you said hello"]


def test_langgraph_says_the_same_where_it_is_installed() -> None:
    pytest.importorskip("langgraph.graph")
    names = ["router", "map_reduce", "debate"]
    ours = run_all(sys.executable, "Python", names)
    assert ours["debate"] == ["Will it rain? No, after 1 rounds"]
    assert differing(ours, run_all(sys.executable, "LangGraph", names)) == []
