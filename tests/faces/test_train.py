"""``understudy train backbone``: what the command hands to the recipe, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.core.pretraining import Progress

runner = CliRunner()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The recipe's place is taken by one that notes what it was given and writes only a manifest."""
    given: dict[str, Any] = {}

    def train(preset: Any, data: Path, out: Path, work: Path, **more: Any) -> None:
        given.update(preset=preset, data=data, work=work, date=more["date"])
        more["on_pretraining"](Progress(step=3, seconds=90.0, loss=1.25))
        more["on_meta"](2, 30.0, [0.5])
        out.mkdir(parents=True)
        (out / "manifest.json").write_text('{"seconds": 9, "date": "2020-01-01"}', encoding="utf-8")

    monkeypatch.setattr("understudy.training.train_backbone", train)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return given


def test_minutes_and_folders_reach_the_recipe(trained: dict[str, Any]) -> None:
    done = runner.invoke(app, ["train", "backbone", "--data", "data", "--out", "made", "--minutes", "3", "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert json.loads(done.stdout) == {"folder": "made", "manifest": {"seconds": 9, "date": "2020-01-01"}}
    assert trained["preset"].name == "nano"
    assert trained["preset"].pretraining.minutes == 3
    assert trained["data"] == Path("data")
    assert len(trained["date"]) == 10
    assert "pretraining, step 3, loss 1.250" in done.stderr  # no terminal here: lines instead of a bar


def test_an_unfinished_training_goes_on_only_when_told(trained: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "checkpoint.safetensors").touch()
    words = ["train", "backbone", "--data", "data", "--work", "work"]
    assert runner.invoke(app, words).exit_code == 2
    assert not trained
    done = runner.invoke(app, [*words, "--resume"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert trained["work"] == Path("work")
