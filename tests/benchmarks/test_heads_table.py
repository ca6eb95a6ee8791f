"""The table of starts: every algorithm learns from the same tasks, and is measured at its two prices."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("zstandard")

from understudy.core.backbone import Backbone
from understudy.core.corpora import Corpus
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.meta.tasks import head_tasks
from understudy.core.meta.training import Episode, stack_episodes
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites
from understudy.meta_tables import heads
from understudy.meta_tables.heads_section import ROWS as TITLES

RECORD = Record((("colour", Choice(("red", "blue"))),))


def example(word: str, colour: str) -> Example:
    return Example(Prompt(message=(("text", word),), role="Say the colour."), RECORD, {"colour": colour})


def draw(rng: random.Random) -> Episode:
    """A task whose answer is red, as it is in all tasks: what a start can know before any demonstration."""
    every = [example(f"word {rng.randrange(99)}", "red") for _ in range(6)]
    return every[:3], every[3:]


@pytest.fixture(scope="module")
def backbone(tiny_backbone: Path) -> Backbone:
    return Backbone.load(str(tiny_backbone))


@pytest.fixture(scope="module")
def asked(backbone: Backbone) -> list[heads.Asked]:
    made = []
    for name in ("first", "second"):
        some = [example(f"{name} word {number}", "red") for number in range(8)]
        episode = (some[:4], some[4:])
        tasks = head_tasks(backbone, [episode], upper_sites(backbone))
        made.append(heads.Asked(name, name, tasks, stack_episodes(backbone, [episode[1]])[0]))
    return made


def test_every_row_has_a_title() -> None:
    assert set(heads.ROWS) == set(TITLES)


@pytest.mark.parametrize("name", [name for name in heads.ROWS if name != "nothing"])
def test_each_algorithm_learns_a_better_start_than_none(
    backbone: Backbone, asked: list[heads.Asked], name: str
) -> None:
    nothing = heads.measure_row(heads.ROWS["nothing"], backbone, draw, asked, 30, 0.0)
    assert nothing["tokens"] == nothing["time"] and nothing["tokens"]["outer_steps"] == 0
    seen: list[float] = []
    row = heads.ROWS[name]
    # A random start of B = 0 moves slowly: what 80 steps of the real table do, larger steps do in these few.
    quick = replace(row, settings={**row.settings, "rate": 5e-3})
    found = heads.measure_row(quick, backbone, draw, asked, 30, 0.0, on_step=lambda step, loss: seen.append(loss))
    assert (found["time"]["outer_steps"], found["tokens"]["outer_steps"]) == (0, 30) and len(seen) == 30
    assert found["tokens"]["tokens"] > 30 * heads.AT_ONCE * 6 and found["time"]["tokens"] == 0
    assert found["tokens"]["seconds"] > 0
    # There is little left to learn after adapting: a third of a nat is of tokens that no demonstration tells.
    for when, by in (("before", 0.1), ("after", 0.0)):
        assert max(found["tokens"][when]) < min(nothing["tokens"][when]) - by, when
    assert min(found["tokens"]["right"]) >= 0.0 and max(found["tokens"]["right"]) <= 1.0


def test_all_learn_from_the_same_tasks(backbone: Backbone, asked: list[heads.Asked]) -> None:
    drawn: dict[str, list[str]] = {}
    for name in ("fomaml", "reptile"):

        def noting(rng: random.Random, name: str = name) -> Episode:
            episode = draw(rng)
            drawn.setdefault(name, []).append(str(episode))
            return episode

        heads.measure_row(heads.ROWS[name], backbone, noting, asked[:1], 2, 0.0)
    assert drawn["fomaml"] == drawn["reptile"] and len(set(drawn["fomaml"])) == len(drawn["fomaml"])


def test_a_start_that_goes_astray_is_told(backbone: Backbone, asked: list[heads.Asked]) -> None:
    wild = replace(heads.ROWS["fomaml"], settings={"inner_rate": 1e30})
    found = heads.measure_row(wild, backbone, draw, asked[:1], 2, 0.0)
    assert found["astray"]["outer_steps"] == 0 and "tokens" not in found


def corpora(split: str) -> list[Corpus]:
    """Two families of tasks in the form in which the data folder has them."""
    lines = tuple((f"word {number}", ("red", "blue")[number % 2]) for number in range(60))
    about = ("Say the colour.", ("red", "blue"), lines, "here", "CC0", "0")
    return [Corpus(f"{split}_{name}", name, *about) for name in ("a", "b")]


def test_measuring_writes_a_file_for_each_row_and_leaves_what_is_there(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "read_asked", lambda data, split, names: corpora(split))
    monkeypatch.setattr(heads, "read_corpora", lambda data: corpora("train"))
    monkeypatch.setattr(heads, "read_sentences", lambda data, most: ["one sentence of five words"] * 80)
    steps: list[str] = []
    rows = ["nothing", "fomaml"]
    heads.measure(rows, tmp_path, backbone, tmp_path / "w", 1, 0.0, lambda done, of, what: steps.append(what))
    found = json.loads((tmp_path / "w" / "fomaml.json").read_text(encoding="utf-8"))
    assert found["families"] == ["a", "b"] and found["asked"] == ["choosing_a", "choosing_b"]
    assert len(found["tokens"]["after"]) == 2 and found["tokens"]["outer_steps"] == 1
    assert steps and steps[0].startswith("fomaml, step 1:")
    before = (tmp_path / "w" / "fomaml.json").stat().st_mtime_ns
    heads.measure(rows, tmp_path, backbone, tmp_path / "w", 1, 0.0)
    assert (tmp_path / "w" / "fomaml.json").stat().st_mtime_ns == before


def test_no_data_says_so(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "read_asked", lambda data, split, names: [])
    with pytest.raises(UnderstudyError, match="no task to ask"):
        heads.asked_tasks(backbone, tmp_path, 4, 4)
