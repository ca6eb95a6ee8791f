"""Changed facts: the answers come from the data, not from what the weights have seen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.counterfactual import CHANGES, Change, alter, concerned, measure, plainly
from benchmarks.questions import DESK, FRESH
from understudy.core.errors import UnderstudyError
from understudy.questions import read_questions


def test_thirty_facts_are_changed_in_all_that_tells_them(tmp_path: Path) -> None:
    assert len(plainly()) == len(CHANGES) >= 30 and len({(one.name, one.column) for one in CHANGES}) == len(CHANGES)
    desk = shutil.copytree(DESK / "data", tmp_path / "data")
    alter(desk)
    told = {name: (desk / f"{name}.csv").read_text(encoding="utf-8") for name in ("countries", "triples", "briefs")}
    assert all("Narva" in text for text in told.values()) and "Tallinn,capital_of" not in told["triples"]
    assert "United Arab Emirates is Abu Dhabi" in told["briefs"], "nothing else is changed"
    pairs = concerned(DESK / "data", desk, read_questions(FRESH))
    assert len(pairs) >= 30 and all(old.values != new.values for old, new in pairs)


def test_a_change_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    desk = shutil.copytree(DESK / "data", tmp_path / "data")
    with pytest.raises(UnderstudyError, match="finds nothing to change.*Peru"):
        alter(desk, [Change("Peru", "capital", "Cusco", "Arequipa")])


def test_answers_follow_the_data() -> None:
    right, astray = measure()
    assert right >= 20, "too few were right before to say anything"
    answered = right - sum(not one["answered"] for one in astray)
    assert sum(bool(one["answered"]) for one in astray) <= 0.05 * answered, astray
    assert answered >= 0.8 * right, "what is new is doubted too often"
