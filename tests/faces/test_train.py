"""``understudy train backbone``: what the command hands to the recipe, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from understudy.cli import app
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head
from understudy.core.pretraining import Progress
from understudy.origin import HEADS, Origin
from understudy.training import ROLES

runner = CliRunner()


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The recipe's place is taken by one that notes what it was given and writes only a manifest."""
    given: dict[str, Any] = {}

    def train(preset: Any, data: Path, out: Path, work: Path, **more: Any) -> None:
        given.update(preset=preset, data=data, work=work, date=more["date"], origin=more["origin"])
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


def test_training_goes_on_from_a_trained_backbone(trained: dict[str, Any]) -> None:
    done = runner.invoke(app, ["train", "backbone", "--data", "data", "--from", "default", "--minutes", "3"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert trained["origin"] == "default" and trained["preset"].continued.minutes == 3


def test_the_origin_has_every_head_and_its_history(tmp_path: Path) -> None:
    origin = Origin.load("default", ROLES, 8)
    assert len(origin.heads) == len(ROLES) + 1
    qa = Head.load(HEADS / "nano" / "qa")
    site, (down, _) = next(iter(qa.pairs.items()))
    torch.testing.assert_close(origin.heads.down[site][ROLES.index("qa")], down)
    assert origin.history()[-1]["pretraining"]["step"] == origin.manifest["pretraining"]["step"]
    with pytest.raises(UnderstudyError, match="rank 4"):
        Origin.load("default", ROLES, 4)
    with pytest.raises(UnderstudyError, match="manifest.json"):
        Origin.load(str(tmp_path), ROLES, 8)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "speed"], "no table"),
        (["--split", "train"], "no split"),
        (["--sizes", "4,many"], "not a list of numbers"),
        (["--sizes", "1"], "two demonstrations"),
        (["--tasks", "names.json"], "not a list of task names"),
        (["--arms", "luck"], "no arm is called"),
        ([], "no tasks found"),
    ],
)
def test_a_table_that_cannot_be_made_says_why(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text("{}", encoding="utf-8")
    (tmp_path / "data").mkdir()
    here = [str(tmp_path / word) if word == "names.json" else word for word in words]
    done = runner.invoke(app, ["train", "tables", "--data", str(tmp_path / "data"), *here])
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
