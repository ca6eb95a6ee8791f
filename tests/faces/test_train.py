"""``understudy train backbone``: what the command hands to the recipe, and what it prints."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from understudy import role_training
from understudy.cli import app
from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.fused import FusedLayers
from understudy.core.heads import Head
from understudy.core.meta.start import Start
from understudy.core.pretraining import Pretraining, Progress, Recipe
from understudy.core.release import Shape, new_backbone
from understudy.few_shot_rivals import RIVALS
from understudy.origin import HEADS, Origin
from understudy.training import ROLES, same_training

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
    site, (down, up) = next(iter(qa.pairs.items()))
    at, mine = ROLES.index("qa"), down.float() @ up.float()
    near = origin.heads.down[site][at].float() @ origin.heads.up[site][at].float()
    assert torch.linalg.norm(near - mine) < 0.5 * torch.linalg.norm(mine)
    assert origin.history()[-1]["pretraining"]["step"] == origin.manifest["pretraining"]["step"]
    assert Origin.load("default", ROLES, 4).heads.up[site].shape[1] == 4
    with pytest.raises(UnderstudyError, match="manifest.json"):
        Origin.load(str(tmp_path), ROLES, 8)


def test_a_folder_is_of_one_training(tmp_path: Path) -> None:
    note = tmp_path / "training.json"
    same_training(note, {"preset": "nano", "from": None}, "as before")
    same_training(note, {"preset": "nano", "from": None}, "as before")
    with pytest.raises(UnderstudyError, match="another training: .*'nano'.* not .*'small'.*; as before"):
        same_training(note, {"preset": "small", "from": None}, "as before")
    for broken in (b'{"preset": ', b"\xff", b""):
        note.write_bytes(broken)
        with pytest.raises(UnderstudyError, match="training.json: it cannot be read .*; give another --work"):
            same_training(note, {"preset": "nano", "from": None}, "as before")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--only", "luck"], "no table"),
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


def test_a_start_is_trained_for_a_backbone_and_roles_learn_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zstandard = pytest.importorskip("zstandard")
    tasks = tmp_path / "data" / "tasks" / "meta_train"
    tasks.mkdir(parents=True)
    about = {"task": "sort", "family": "sort", "description": "Sort messages", "labels": ["fruit", "tool"],
             "licence": "MIT", "licence_class": "permissive", "source": "here"}  # fmt: skip
    (tasks / "sort.json").write_text(json.dumps(about), encoding="utf-8")
    words = {"fruit": ("apple", "pear", "plum"), "tool": ("saw", "drill", "file")}
    lines = [{"input": f"the {words[label][i % 3]} number {i}", "output": label} for i in range(50) for label in words]
    raw = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (tasks / "sort.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(raw))
    monkeypatch.chdir(tmp_path)
    train = ["train", "meta", "--data", "data", "--out", "made/start.safetensors", "--minutes", "0.05", "--tasks", "2",
             "--at-once", "1", "--json"]  # fmt: skip
    done = runner.invoke(app, train)
    assert done.exit_code == 0, (done.output, done.exception)
    said = json.loads(done.stdout)
    assert said["steps"] >= 1 and len(said["query_loss_last"]) == 4
    start = Start.load(tmp_path / "made" / "start.safetensors")
    assert start.rates is not None and not any("layers.0." in name for name in start.tensors)
    again = runner.invoke(app, [*train, "--from", "made/start.safetensors"])
    assert again.exit_code == 0, (again.output, again.exception)
    parts = ["--augment", "1", "--dropout", "0.2", "--patience", "1"]
    unwatched = runner.invoke(app, [*train, *parts])
    assert unwatched.exit_code == 2 and "no task to ask" in unwatched.output, "nothing is withheld from training"
    (tasks / "wnut.json").write_text(json.dumps(about | {"task": "wnut", "family": "wnut17"}), encoding="utf-8")
    shutil.copy(tasks / "sort.jsonl.zst", tasks / "wnut.jsonl.zst")
    watched = runner.invoke(app, [*train, *parts])
    assert watched.exit_code == 0, (watched.output, watched.exception)
    (tasks / "wnut.json").unlink()
    (tasks / "wnut.jsonl.zst").unlink()
    role = {"schema": "understudy/role/v1", "role": "sorter", "does": "Sorts.", "takes": {"text": "text"},
            "gives": {"label": ["fruit", "tool"]}, "demonstrations": [
                {"takes": {"text": line["input"]}, "gives": {"label": line["output"]}} for line in lines[:8]
            ]}  # fmt: skip
    (tmp_path / "sorter.yaml").write_text(json.dumps(role), encoding="utf-8")
    learned = runner.invoke(app, ["learn", "sorter.yaml", "--start", "made/start.safetensors", "--json"])
    assert learned.exit_code == 0, (learned.output, learned.exception)
    held = tmp_path / "data" / "tasks" / "held_out"
    tasks.rename(held)
    table = ["train", "tables", "--data", "data", "--split", "held_out", "--sizes", "4", "--draws", "1", "--questions",
             "20", "--arms", "random start · readout", "--out", "table.md", "--json"]  # fmt: skip
    measured = runner.invoke(app, table)
    assert measured.exit_code == 0, (measured.output, measured.exception)
    outcomes = {outcome["arm"]: outcome for outcome in json.loads(measured.stdout)["outcomes"]}
    assert outcomes["random start · readout"]["questions"] == 20 and RIVALS[0] in outcomes
    assert f"| {RIVALS[0]} | " in (tmp_path / "table.md").read_text(encoding="utf-8")
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    refused = runner.invoke(app, ["learn", "sorter.yaml", "--start", "broken.safetensors"])
    assert refused.exit_code == 2 and "broken.safetensors" in refused.output


def test_a_training_of_heads_that_cannot_be_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    unknown = runner.invoke(app, ["train", "roles", "--role", "cook", "--work", "more"])
    assert unknown.exit_code == 2 and "no shipped role 'cook'" in unknown.output
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "training.json").write_text('{"roles": ["qa"]}', encoding="utf-8")
    again = runner.invoke(app, ["train", "roles", "--role", "planner", "--work", "work"])
    assert again.exit_code == 2 and "unfinished training" in again.output
    other = runner.invoke(app, ["train", "roles", "--role", "planner", "--work", "work", "--resume"])
    assert other.exit_code == 2 and "another training" in other.output and "the same arguments" in other.output
    (tmp_path / "work" / "training.json").write_text('{"roles": [', encoding="utf-8")
    broken = runner.invoke(app, ["train", "roles", "--role", "planner", "--work", "work", "--resume"])
    assert broken.exit_code == 2 and "training.json: it cannot be read what is trained here" in broken.output


def test_heads_begin_in_the_upper_layers_of_a_backbone_that_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(FusedLayers, "able", staticmethod(lambda model: False))  # compiling takes a minute
    tokenizer = Backbone.load("default").tokenizer
    made = new_backbone(Shape(len(tokenizer), 32, 5, 2, 48), tokenizer, "tiny")
    made.model.save_pretrained("tiny")
    tokenizer.save_pretrained("tiny")
    words = ["train", "roles", "--backbone", "tiny", "--role", "recommender", "--minutes", "0.01", "--tokens", "512",
             "--json"]  # fmt: skip
    given: list[Recipe] = []
    began = Pretraining.__init__

    def note(self: Pretraining, *arguments: Any, **more: Any) -> None:
        began(self, *arguments, **more)
        given.append(self.recipe)

    monkeypatch.setattr(Pretraining, "__init__", note)
    done = runner.invoke(app, [*words, "--rate", "0.003", "--out", "made", "--work", "work"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert [(one.rows_tokens, one.head_rate) for one in given] == [(512, 0.003)]
    head = Head.load(tmp_path / "made" / "recommender")
    assert head.backbone == {"name": "tiny", "digest": made.digest()} and head.rank == role_training.FRESH_RANK
    assert {site.split(".")[2] for site in head.pairs} == {"2", "3", "4"}, "three fifths of the layers"
    assert any(bool(up.any()) for _, up in head.pairs.values()), "they have learned something"
    mean = runner.invoke(app, [*words, "--average", "--work", "third"])
    assert mean.exit_code == 2 and "no head of recommender to take the mean with" in mean.output
    missing = runner.invoke(app, [*words, "--from", "made", "--role", "qa", "--work", "other"])
    assert missing.exit_code == 2 and "the head's file is missing" in missing.output


@pytest.mark.slow
def test_the_heads_of_shipped_roles_learn_on_and_the_backbone_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(role_training, "RECIPE", replace(role_training.RECIPE, rows_tokens=320, longest=320))
    words = ["train", "roles", "--role", "recommender", "--minutes", "0.01", "--rank", "3", "--out", "made", "--json"]
    done = runner.invoke(app, [*words, "--work", "work"])
    assert done.exit_code == 0, (done.output, done.exception)
    said = json.loads(done.stdout)
    assert said["steps"] >= 1 and said["tokens"] > 100 and set(said["right"]) == {"recommender"}
    head, before = Head.load(tmp_path / "made" / "recommender"), Head.load(HEADS / "nano" / "recommender")
    assert head.backbone["digest"] == before.backbone["digest"]
    assert all(down.shape[1] == 3 for down, _ in head.pairs.values())
    mean = runner.invoke(app, [*words[:-3], "--out", "mean", "--average", "--json", "--work", "other"])
    assert mean.exit_code == 0, (mean.output, mean.exception)
    site = max(head.pairs, key=lambda site: float(head.pairs[site][1].float().norm()))
    heads = before, head, Head.load(tmp_path / "mean" / "recommender")
    was, learned, averaged = (one.pairs[site][0].float() @ one.pairs[site][1].float() for one in heads)
    assert not torch.equal(averaged, was) and not torch.equal(averaged, learned)
