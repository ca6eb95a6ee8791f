"""What is told of a role that was learned: what to expect of it, and what to look at."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from understudy.cli_learn import lesson_view
from understudy.core.adaptation import Report
from understudy.lesson import Lesson


def shown(lesson: Lesson) -> str:
    """What a person reads of it."""
    file = io.StringIO()
    Console(file=file, width=200, color_system=None).print(lesson_view(lesson))
    return file.getvalue()


def lesson(tmp_path: Path, answered: float, accuracy: float, notes: list[tuple[str, str]]) -> Lesson:
    """What is told of a role that copies a note, whatever it was learned by."""
    report = Report(accuracy, 0.0, 1.0, len(notes), 4, 4, (), 1.0, 0.5, answered, (), {})
    all_of_them = [{"takes": {"text": text}, "gives": {"note": note}} for text, note in notes]
    return Lesson("r", tmp_path, report, 0, {"gives": {"note": "text"}, "takes": {"text": "text"},
                                             "demonstrations": all_of_them})  # fmt: skip


def test_a_slip_of_the_pen_in_a_copied_text_is_told(tmp_path: Path) -> None:
    right = [(f"call {name} today", name) for name in ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")]
    assert lesson(tmp_path, 1.0, 1.0, right).uncopied == []
    slip = lesson(tmp_path, 1.0, 1.0, [*right, ("call Gus today", "Guus"), ("nobody called", "")])
    assert slip.uncopied == [(7, "note", "Guus")], "nothing is no slip"
    assert "demonstration 7: its note 'Guus' does not stand in its message" in shown(slip)
    written = [(text, f"{note}!") for text, note in right]
    assert lesson(tmp_path, 1.0, 1.0, written).uncopied == [], "what is written throughout is no slip"
    assert lesson(tmp_path, 1.0, 1.0, [*right[:3], *written[3:]]).uncopied == [], "nor half of them"


@pytest.mark.parametrize(
    ("answered", "accuracy", "told"),
    [(1.0, 0.75, None), (0.25, 0.75, "abstain often"), (0.25, 0.25, "answered wrong: expect abstentions")],
)
def test_what_to_expect_is_told(tmp_path: Path, answered: float, accuracy: float, told: str | None) -> None:
    said = shown(lesson(tmp_path, answered, accuracy, [("a b", "a")] * 4))
    assert f"{round(4 * answered)} of these 4, and abstain from the others" in said
    assert ("mind" in said) is bool(told) and (told or "") in said


def test_a_choice_that_no_demonstration_shows_is_told(tmp_path: Path) -> None:
    four = [{"takes": {"text": "a"}, "gives": {"queue": queue}} for queue in ("bug", "bug", "billing", "bug")]
    document = {"does": "Sorts.", "gives": {"queue": ["bug", "billing", "howto"]}, "takes": {"text": "text"},
                "demonstrations": four}  # fmt: skip
    report = Report(1.0, 0.0, 1.0, 4, 4, 4, (), 1.0, 0.5, 1.0, (), {})
    told = Lesson("r", tmp_path, report, 0, document)
    assert told.unshown == [("queue", "howto")] and told.as_json()["unshown"] == [{"field": "queue", "choice": "howto"}]
    assert "no demonstration shows queue 'howto'" in shown(told)
