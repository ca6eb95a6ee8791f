"""docs/tables.md: measurements become rows, what was not run says so."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.core.errors import UnderstudyError
from understudy.meta_tables.page import BANKING_ROWS, OMNIGLOT_ROWS, interval, markdown, wilson

runner = CliRunner()


def put(file: Path, found: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    put(tmp_path / "sinusoid" / "maml.json", {
        "algorithm": "maml", "iterations": 70000, "seeds": 3, "seconds": 12.4,
        "mse": {"1": [0.9, 1.0, 1.1], "5": [0.5, 0.5, None], "10": [0.5, 0.5, 0.5]}, "settings": {"steps": 2},
    })  # fmt: skip
    put(tmp_path / "sinusoid" / "mine.json", {
        "iterations": 10, "seeds": 1, "seconds": 1, "mse": {"1": [2.0]}, "given": {"steps": 2},
    })  # fmt: skip
    put(tmp_path / "omniglot" / "maml-small2.json", {
        "wrong": 100, "of": 400, "iterations": 1500, "tasks": 4, "width": 32, "seed": 0, "seconds": 1800,
    })  # fmt: skip
    put(tmp_path / "banking" / "tfidf.json", {
        "right": {"1": [0.4] * 5, "5": [0.6, 0.7, 0.8, 0.7, 0.7]}, "seed": 42, "seconds": 60, "episodes": 600,
        "backbone": "nano (ab)",
    })  # fmt: skip
    put(tmp_path / "speed.json", {"machine": "1 thread", "workloads": [
        {"name": "waves", "ours": "a", "sequential": "b", "goal": 8, "milliseconds": {"a": 2.0, "b": 18.0}},
    ]})  # fmt: skip
    return tmp_path


def test_measurements_become_rows(work: Path) -> None:
    text = markdown(work)
    assert "| maml | 1.00 ± 0.25 | astray | 0.50 ± 0.00 | 1.13 ± 0.18, Li et al. 2017" in text and "| 2 | 3 | 7" in text
    assert "| mine | 2.00 |  |  | not quoted |" in text, "an algorithm that nobody has listed appears"
    assert "--algorithm mine --iterations 10 --settings '{\"steps\": 2}' --out" in text, "as it was measured"
    assert "--algorithm maml --out" in text
    assert "| fomaml | not run |" in text
    assert "| MAML | small2 | 25.0 % [21.0, 29.5] | 100 of 400 | not quoted | 0 |" in text and "| 30 |" in text
    assert "| MAML | small1 | not run |" in text
    assert "| TF-IDF + logistic regression | 40.0 ± 0.0 | 70.0 ± 8.8 | not quoted | 42 | 60 |" in text
    assert "Backbone: nano (ab); 600 episodes" in text
    assert "| waves | b | 18.00 | 9.0 | at least 8 |" in text and "| waves | a | 2.00 | 1.0 |  |" in text
    for section in text.split("## ")[1:]:
        assert len({len(line.split("|")) for line in section.splitlines() if line.startswith("| ")}) == 1


def starts(work: Path, **rows: dict[str, Any]) -> None:
    for name, found in rows.items():
        put(work / "heads" / f"{name}.json", {"backbone": "nano (ab)", **found})


def test_starts_of_heads_stand_beside_nothing_learned(tmp_path: Path) -> None:
    def at(steps: int, seconds: float, after: list[float], right: list[float]) -> dict[str, Any]:
        return {"outer_steps": steps, "seconds": seconds, "before": [2.0, 2.0], "after": after, "right": right}

    starts(tmp_path, nothing={"tokens": at(0, 0, [1.0, 1.4], [0.5, 0.5]), "time": at(0, 0, [1.0, 1.4], [0.5, 0.5])},
           fomaml={"tokens": at(80, 300.4, [0.5, 0.9], [0.75, 0.75]), "time": at(60, 240, [0.6, 1.0], [0.5, 1.0])},
           maml={"time": at(3, 240, [1.0, 1.4], [0.5, 0.5]), "astray": {"outer_steps": 4, "why": "…"}})  # fmt: skip
    text = markdown(tmp_path, ["heads"])
    assert "| nothing learned: a random start |  | 0 | 0 | 2.000 | 1.200 [1.000, 1.400] |  | 50.0 [50.0" in text
    assert "| FOMAML | same tokens | 80 | 300 | 2.000 | 0.700 [0.500, 0.900] | 0.500 [0.500, 0.500] | 75.0 [" in text
    assert "| FOMAML | same seconds | 60 | 240 |" in text and "75.0 [50.0, 100.0]" in text
    assert "| MAML, second order | same tokens | astray at 4 |" in text
    assert "| Reptile | same tokens | not run |" in text
    assert "Backbone: nano (ab)." in text
    assert len({len(line.split("|")) for line in text.splitlines() if line.startswith("| ")}) == 1


def test_what_was_not_measured_anew_stays_as_the_page_has_it(work: Path, tmp_path: Path) -> None:
    before = markdown(work)
    again = tmp_path / "again"
    put(again / "sinusoid" / "maml.json", {"iterations": 5, "seeds": 2, "seconds": 1, "mse": {"1": [3.0, 3.0]}})
    put(again / "banking" / "fomaml.json", {
        "right": {"1": [0.5] * 5, "5": [0.6] * 5}, "seed": 42, "seconds": 60, "episodes": 600, "backbone": "nano (cd)",
    })  # fmt: skip
    text = markdown(again, before=before.replace(str(work), str(again)))
    assert "| maml | 3.00 ± 0.00 |" in text, "what was measured anew is new"
    assert "| MAML | small2 | 25.0 % [21.0, 29.5] | 100 of 400 |" in text, "a section that was not run stays"
    assert "| TF-IDF + logistic regression | 40.0 ± 0.0 |" in text, "and a row beside one that was"
    assert "| FOMAML, start of the fold's train classes | 50.0 ± 0.0 |" in text
    assert "| waves | b | 18.00 |" in text and "| fomaml | not run |" in text
    assert markdown(tmp_path / "none", before=text).partition("## ")[2] == text.partition("## ")[2]


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    text = markdown(tmp_path, ["omniglot", "banking", "speed"])
    assert text.count("not run") == 2 * len(OMNIGLOT_ROWS) + len(BANKING_ROWS) + 2
    assert "Sinusoid" not in text


def test_intervals_are_the_known_ones() -> None:
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 4.303 / math.sqrt(3)))
    assert math.isnan(interval([1.0])[1])
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_what_is_no_measurement_says_so(tmp_path: Path) -> None:
    (tmp_path / "banking").mkdir()
    (tmp_path / "banking" / "tfidf.json").write_text("[", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="not JSON"):
        markdown(tmp_path)
    (tmp_path / "banking" / "tfidf.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="no measurement"):
        markdown(tmp_path)


def test_the_command_writes_what_was_measured(work: Path, tmp_path: Path) -> None:
    table = ["train", "tables", "--data", str(tmp_path), "--work", str(work), "--as-measured"]
    done = runner.invoke(app, [*table, "--only", "all", "--out", str(tmp_path / "tables.md"), "--json"])
    assert done.exit_code == 0, (done.output, done.exception)
    assert (tmp_path / "tables.md").read_text(encoding="utf-8") == markdown(work)
    said = json.loads(done.stdout)
    assert said["omniglot"]["maml-small2"]["wrong"] == 100 and said["speed"]["speed"]["machine"] == "1 thread"
    one = runner.invoke(app, [*table, "--only", "banking"])
    assert "## BANKING77" in one.stdout and "## Omniglot" not in one.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--only", "omniglot", "--rows", "luck"], "omniglot has no row 'luck'"),
     (["--only", "omniglot"], "cannot be read"), (["--only", "banking", "--rows", "tfidf"], "cannot be read")],
)  # fmt: skip
def test_what_cannot_be_measured_says_why(words: list[str], said: str, tmp_path: Path) -> None:
    done = runner.invoke(app, ["train", "tables", "--data", str(tmp_path), "--work", str(tmp_path / "w"), *words])
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_one_table_leaves_the_others_of_the_page(work: Path, tmp_path: Path) -> None:
    before = markdown(work)
    starts(tmp_path / "w", nothing={"tokens": {"outer_steps": 0, "seconds": 0, "before": [1.0], "after": [1.0],
                                               "right": [0.5]}})  # fmt: skip
    text = markdown(tmp_path / "w", ["heads"], before)
    assert text.count("## ") == before.count("## ") and "| waves | b | 18.00 |" in text
    assert "| nothing learned: a random start |  | 0 | 0 | 1.000 |" in text


def test_rows_that_only_their_files_named_stay_and_so_does_one_that_was_measured_otherwise(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    row = {"seeds": 2, "seconds": 1, "mse": {"1": [2.0, 2.0]}}
    put(old / "sinusoid" / "mine.json", {**row, "iterations": 10})
    put(old / "sinusoid" / "fomaml.json", {**row, "iterations": 10, "given": {"steps": 3}})
    put(new / "sinusoid" / "maml.json", {**row, "iterations": 70000})
    text = markdown(new, ["sinusoid"], markdown(old, ["sinusoid"]))
    assert "| mine | 2.00 ± 0.00 |" in text and "| maml | 2.00 ± 0.00 |" in text
    assert "| fomaml | 2.00 ± 0.00 |" in text and "--iterations 10 --settings" in text
