"""Lines of code: the workflows of examples/workflows beside the same in LangGraph and CrewAI.

    python -m benchmarks.compare                  # prints the table and writes it into docs/compare.md
    python -m benchmarks.compare --run PYTHON     # runs the Python forms; PYTHON has langgraph and crewai

Lines are those that are not blank, no comment and no docstring; of the YAML form those of each team.yaml, its tests
included, and of functions.py. ``--run`` compares what they print (tests/examples/test_workflows.py has the YAML form);
the peers need::

    pip install langgraph langgraph-checkpoint-sqlite crewai

This file needs nothing but the standard library, since ``--run`` also starts it in the environment of the peers.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import runpy
import shutil
import statistics
import subprocess
import sys
import tempfile
import tokenize
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "workflows"
PEERS = ROOT / "docs" / "compare"
DOCUMENT = ROOT / "docs" / "compare.md"
BEGIN, END = "<!-- lines -->", "<!-- end of lines -->"

WORKFLOWS: Mapping[str, str] = {
    "sequence": "extract, transform, load",
    "router": "classify, then one of three",
    "map_reduce": "words of the files of a folder",
    "draft_critique": "a loop with a limit",
    "expert_vote": "three experts, the majority",
    "approval": "a person decides, in another process",
    "nested_team": "a team as a step of another",
    "fallback": "three tries, then another agent",
    "timeout": "a late step, its error route",
    "streaming_chat": "a growing talk, word by word",
    "batch": "1,000 items, 8 at once, failures collected",
    "fan_out_fan_in": "three sources, their union",
    "planner_worker_reviewer": "planned anew until it passes",
    "debate": "two rounds and a judge",
    "reminder": "sleeps, asks, goes on",
}
"""The workflows in the order of the table, and what each is."""

FORMS = ("Python", "YAML", "LangGraph", "CrewAI")
ARGUMENTS = {"approval": ("begin", "yes"), "reminder": ("begin", "yes")}
TYPED = {"streaming_chat": "hello\nmore\nbye\n"}

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """The lines of one workflow, by form."""

    name: str
    lines: Mapping[str, int]


def python_lines(text: str) -> int:
    """How many lines of a Python file have code: no blank ones, comments or docstrings."""
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            used.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                if isinstance(first.value.value, str):
                    used.difference_update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(used)


def yaml_lines(text: str) -> int:
    """How many lines of a YAML file are neither blank nor a comment."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in text.splitlines())


def counted(name: str) -> Row:
    """The lines of a workflow in its four forms."""
    here = EXAMPLES / name
    teams = sum(yaml_lines(_read(file)) for file in sorted(here.rglob("team.yaml")))
    return Row(name, {
        "Python": python_lines(_read(here / "workflow.py")),
        "YAML": teams + python_lines(_read(here / "functions.py")),
        "LangGraph": python_lines(_read(PEERS / "langgraph" / f"{name}.py")),
        "CrewAI": python_lines(_read(PEERS / "crewai" / f"{name}.py")),
    })  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """The table in Markdown, with the median and the sum of each form."""
    lines = [
        f"| workflow | | understudy, {FORMS[0]} | understudy, {FORMS[1]} | {FORMS[2]} | {FORMS[3]} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        files = [
            f"../examples/workflows/{row.name}/workflow.py", f"../examples/workflows/{row.name}/team.yaml",
            f"compare/langgraph/{row.name}.py", f"compare/crewai/{row.name}.py",
        ]  # fmt: skip
        cells = [f"[{row.lines[form]}]({file})" for form, file in zip(FORMS, files, strict=True)]
        lines.append(f"| `{row.name}` | {WORKFLOWS[row.name]} | {' | '.join(cells)} |")
    medians = [f"**{statistics.median(row.lines[form] for row in rows):g}**" for form in FORMS]
    sums = [str(sum(row.lines[form] for row in rows)) for form in FORMS]
    return "\n".join([*lines, f"| median | | {' | '.join(medians)} |", f"| sum | | {' | '.join(sums)} |"])


def with_table(document: str, made: str) -> str:
    """The document with the table between its markers. Raises ValueError where it has none."""
    if document.count(BEGIN) != 1 or document.count(END) != 1 or document.index(BEGIN) > document.index(END):
        raise ValueError(f"there is no place for the table: write {BEGIN} and {END}, each once, in this order")
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{made}\n{END}{rest.split(END)[1]}"


def file_of(name: str, form: str) -> Path:
    """The Python file that runs a workflow in one of the forms that are Python."""
    return EXAMPLES / name / "workflow.py" if form == "Python" else PEERS / form.lower() / f"{name}.py"


def play(files: Mapping[str, str], argument: str | None) -> dict[str, str]:
    """What each file prints when it is run as a program here, in this process; a traceback where it fails."""
    printed: dict[str, str] = {}
    for name, file in files.items():
        out = io.StringIO()
        sys.argv = [file] if argument is None else [file, argument]
        sys.stdin = io.StringIO(TYPED.get(name, ""))
        with contextlib.redirect_stdout(out):
            try:
                runpy.run_path(file, run_name="__main__")
            except Exception:
                out.write(traceback.format_exc())
        printed[name] = out.getvalue()
    return printed


def said(printed: str) -> list[str]:
    """The lines of what was printed, without prompts and without the frames that CrewAI draws."""
    lines = (line.replace("You:", "").replace(">>>", "").strip() for line in printed.splitlines())
    return [line for line in lines if line and line[0] not in "│╭╰"]


def run_all(python: str, form: str, names: Sequence[str]) -> dict[str, list[str]]:
    """What the files of a form print, run by ``python`` in an empty folder; those that wait in two processes."""
    found: dict[str, list[str]] = {}
    environment = {
        **os.environ, "PYTHONPATH": "", "PYTHONIOENCODING": "utf-8", "OTEL_SDK_DISABLED": "true",
        "CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false",
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        texts = Path("examples") / "workflows" / "map_reduce" / "texts"
        shutil.copytree(ROOT / texts, Path(folder) / texts)
        environment["CREWAI_STORAGE_DIR"] = str(Path(folder) / "store")
        for argument in (None, "begin", "yes"):
            chosen = [name for name in names if (name in ARGUMENTS) == (argument is not None)]
            if not chosen:
                continue
            asked = json.dumps([{name: str(file_of(name, form)) for name in chosen}, argument])
            answer = Path(folder) / "printed.json"
            command = [python, str(Path(__file__).resolve()), "--play", asked, str(answer)]
            subprocess.run(command, cwd=folder, env=environment, check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
            for name, printed in json.loads(_read(answer)).items():
                found.setdefault(name, []).extend(said(printed))
    return found


def differing(ours: Mapping[str, list[str]], theirs: Mapping[str, list[str]]) -> list[str]:
    """The workflows whose last lines are not what ours says."""
    return [
        f"{name}: {lines} in Python, and {theirs.get(name, [])}" for name, lines in ours.items()
        if not lines or [line for line in theirs.get(name, []) if line in lines] != lines
    ]  # fmt: skip


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, or run and compare; 1 where forms differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--run", metavar="PYTHON", help="run the Python forms; the peers by this interpreter")
    parser.add_argument("--only", metavar="NAME", action="append", choices=list(WORKFLOWS), help="these alone")
    parser.add_argument("--play", nargs=2, metavar=("FILES", "ANSWER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.play:
        files, argument = json.loads(options.play[0])
        Path(options.play[1]).write_text(json.dumps(play(files, argument)), encoding="utf-8")
        return 0
    if options.run:
        names = options.only or list(WORKFLOWS)
        python = str(Path(options.run).absolute())
        ours = run_all(sys.executable, "Python", names)
        wrong = 0
        for form in FORMS[2:]:
            found = differing(ours, run_all(python, form, names))
            wrong += len(found)
            print(f"{form}: {len(names) - len(found)} of {len(names)} say the same", *found, sep="\n  ")
        return 1 if wrong else 0
    made = table([counted(name) for name in WORKFLOWS])
    print(made)
    DOCUMENT.write_text(with_table(_read(DOCUMENT), made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
