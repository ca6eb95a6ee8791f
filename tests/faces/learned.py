"""A role that is learned on a decoder with random weights, a team of it, and how the command is called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from understudy.cli import app

TEAM = """\
schema: understudy/team/v1
team: sorter
does: Sorts messages.
backbone: {backbone}
agents:
  sorter: {{role: triage}}
input: {{text: text}}
workflow:
  start: sort
  steps:
    sort: {{agent: sorter, input: {{text: input.text}}, then: $end}}
output: {{queue: sort.queue, urgent: sort.urgent}}
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def json_of(*arguments: str | Path, code: int = 0) -> Any:
    """The one JSON object on stdout, and nothing else there."""
    done = call(*arguments, "--json")
    assert done.exit_code == code, (done.output, done.exception)
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def learned_desk(folder: Path, checkout: Path, backbone: Path) -> Path:
    """``folder`` with the triage role, its head, what learning it printed, and a team of it."""
    shutil.copytree(checkout / "examples" / "triage", folder / "triage")
    (folder / "team.yaml").write_text(TEAM.format(backbone=backbone), encoding="utf-8")
    done = call("learn", folder / "triage" / "role.yaml", "--out", folder / "heads", "--backbone", backbone, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    (folder / "lesson.json").write_text(done.stdout, encoding="utf-8")
    return folder
