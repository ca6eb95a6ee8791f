"""What several tests of the workflows floor share: files, and functions that a team's file may call."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

for helper in ("edge_steps", "families", "groups", "saved_teams", "svg_reading", "yaml_teams"):
    pytest.register_assert_rewrite(f"tests.workflows.{helper}")

from tests.workflows import saved_teams, yaml_teams  # noqa: E402
from understudy.workflows import calls  # noqa: E402


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is kept."""
    return tmp_path / "j.db"


@pytest.fixture
def saved_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of :mod:`tests.workflows.saved_teams` are registered, and no others."""
    monkeypatch.setattr(calls, "_registered", {})
    for function in (saved_teams.price, saved_teams.pay, saved_teams.mend, saved_teams.sum_up):
        calls.register(function)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a team, a brief and a role."""
    (tmp_path / "team.yaml").write_text(saved_teams.TEAM, encoding="utf-8")
    (tmp_path / "brief.md").write_text("# Brief\n", encoding="utf-8")
    (tmp_path / "mood.yaml").write_text(saved_teams.ROLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def yaml_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of :mod:`tests.workflows.yaml_teams` are registered, and no others."""
    functions = (yaml_teams.draft, yaml_teams.judge, yaml_teams.double, yaml_teams.broken)
    monkeypatch.setattr(calls, "_registered", {function.__name__: function for function in functions})


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a team's file, which needs no head: ``write("agents: {a: qa}\\n", "inner/team.yaml")``."""

    def written(text: str, name: str = "team.yaml") -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml_teams.HEAD + textwrap.dedent(text), encoding="utf-8")
        return file

    return written
