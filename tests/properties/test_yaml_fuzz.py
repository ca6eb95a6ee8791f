"""Ten thousand YAML files, most of them wrong: they are refused, and nothing is run, or they load.

They are the files of examples/ with random changes, and documents made up from the schema of team files.
"""

from __future__ import annotations

import json
import random
import shutil
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from typer.main import get_command

from tests.properties.yaml_documents import documents
from tests.properties.yaml_mutations import EXAMPLES, FILES, changed, flow
from understudy.agents.role import Role
from understudy.cli import app
from understudy.core.errors import UnderstudyError
from understudy.workflows import calls
from understudy.workflows.journal import Journal
from understudy.workflows.schema import format_of
from understudy.workflows.team import Team
from understudy.workflows.yaml_document import parse_document

MORE = 10_000
COMMAND = get_command(app)
ROLE = FILES[0].read_text(encoding="utf-8")


@dataclass
class Bench:
    """A copy of an example's folder, in which the file ``name`` is written over and tried."""

    folder: Path
    name: str

    def tried(self, data: bytes) -> int:
        """The exit status of ``understudy check``, after all that must hold for it."""
        file, journal = self.folder / self.name, self.folder / "journal.db"
        file.write_bytes(data)
        status = exited(["check", str(file)], data)
        if status == 2:
            assert exited(["run", str(file), "What is tea?", "--journal", str(journal)], data) == 2, data
            if journal.exists():
                with Journal(journal) as kept:
                    assert not kept.runs(), data
        else:
            loaded(file, data)
        return status


def exited(arguments: list[str], data: bytes) -> int:
    """The exit status of a command, 0 or 2; it tells what is wrong, and no traceback."""
    said = StringIO()
    with pytest.raises(SystemExit) as ended, redirect_stdout(said), redirect_stderr(said):
        COMMAND.main(arguments, prog_name="understudy")
    status, text = int(ended.value.code or 0), said.getvalue()
    assert status in (0, 2), (text, data)
    assert text.strip(), data
    assert "Traceback" not in text, (text, data)
    return status


def loaded(file: Path, data: bytes) -> None:
    """What is checked without a mistake is loaded, drawn and ready for a request, but for heads and models."""
    if format_of(parse_document(file.read_text(encoding="utf-8-sig"), file).value) == "role":
        with suppress(UnderstudyError):
            Role.load(file)
        return
    team = Team.load(file, backbone="no-such-backbone")
    assert team.workflow.check() == [], data
    assert "flowchart" in team.diagram().mermaid and team.diagram().svg
    with suppress(UnderstudyError):
        team.require_heads()
        team.message("What is tea?")


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The example that the test's parameter names; its functions are registered, and no others."""
    monkeypatch.setattr(calls, "_registered", {})
    return bench_of(request.param, tmp_path)


def bench_of(file: Path, folder: Path) -> Bench:
    """The whole example of ``file`` in ``folder``."""
    top = next(one for one in file.parents if one.parent in (EXAMPLES, EXAMPLES / "workflows"))
    shutil.copytree(top, folder / top.name)
    if (top / "functions.py").exists():
        calls.load_functions(top / "functions.py")
    return Bench(folder / top.name, str(file.relative_to(top)))


@pytest.fixture
def empty(tmp_path: Path) -> Bench:
    """A folder in which the files lie that made-up documents name."""
    (tmp_path / "qa.yaml").write_text(ROLE, encoding="utf-8")
    (tmp_path / "notes.md").write_text("# Notes\n", encoding="utf-8")
    return Bench(tmp_path, "team.yaml")


@pytest.mark.parametrize("bench", FILES, ids=lambda file: str(file.relative_to(EXAMPLES).parent), indirect=True)
def test_changed_examples_are_refused_or_load(bench: Bench) -> None:
    chance, source = random.Random(f"{bench.folder.name} {bench.name}"), bench.folder / "original"
    shutil.copy(bench.folder / bench.name, source)
    assert bench.tried(source.read_bytes()) == 0
    assert 2 in {bench.tried(changed(source, chance)) for _ in range(7)}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_made_up_documents_are_refused_or_load(empty: Bench, document: Any) -> None:
    empty.tried(flow(document).encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@settings(max_examples=MORE // 5, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_two_thousand_more_made_up_documents(empty: Bench, document: Any) -> None:
    empty.tried(flow(document).encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@pytest.mark.parametrize("bench", FILES, ids=lambda file: str(file.relative_to(EXAMPLES).parent), indirect=True)
def test_eight_thousand_more_changed_examples(bench: Bench) -> None:
    chance, source = random.Random(f"more {bench.folder.name} {bench.name}"), bench.folder / "original"
    shutil.copy(bench.folder / bench.name, source)
    found = [bench.tried(changed(source, chance)) for _ in range(MORE * 4 // 5 // len(FILES) + 1)]
    assert {0, 2} == set(found)


def test_a_file_that_is_right_is_taken(empty: Bench) -> None:
    team = {"schema": "understudy/team/v1", "team": "a", "agents": {"a": "qa.yaml"}}
    assert empty.tried(json.dumps(team).encode()) == 0
    assert empty.tried(json.dumps({**team, "agents": {"a": "no.yaml"}}).encode()) == 2
