"""The questions on films are asked fairly: nothing of a question is learned, and each rival grades as it is told."""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from benchmarks import recommendation
from benchmarks.liking import GENRES, TASK, Liking, Line, line_of, read
from benchmarks.recommendation import (
    COUNTED,
    NEAREST,
    NEIGHBOURS,
    POPULAR,
    RANDOM,
    TRIED,
    choosing,
    counts,
    example,
    is_right,
    plain_rivals,
    rows_of,
    sheet_of,
    split,
    unknown,
)
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Grades
from understudy.core.prompts import Example
from understudy.evaluation import Rate

LINES = (
    Line(("A", "B"), ("C", "X"), "C"),
    Line(("A", "B"), ("D", "X"), "D"),
    Line(("E", "F"), ("G", "X"), "G"),
)


def clusters(count: int) -> list[Line]:
    """Lines of people who like one of two kinds of film, and are offered one of each."""
    rng, found = random.Random(0), []
    for _ in range(count):
        own, other = rng.sample(("sea", "sky"), 2)
        *liked, answer = (f"{own} {number}" for number in rng.sample(range(7), 4))
        found.append(Line(tuple(liked), tuple(sorted((answer, f"{other} {rng.randrange(7)}"))), answer))
    return found


CLUSTERS = clusters(180)


def places_of(asked: Example) -> Grades:
    """The field of an example in which the options are graded."""
    field = dict(asked.record.fields)["places"]
    assert isinstance(field, Grades)
    return field


def written(folder: Path, lines: Sequence[Line]) -> Path:
    """A data folder with these lines, and one genre for every film."""
    of_task = [{"input": f"Liked: {'; '.join(line.liked)}\nOptions: {'; '.join(reversed(line.options))}",
                "output": line.answer} for line in lines]  # fmt: skip
    of_genres = [{"input": film, "output": "drama, war"} for line in lines for film in line.films]
    (folder / "meta_train").mkdir()
    for name, some in ((TASK, of_task), (GENRES, of_genres)):
        text = "\n".join(json.dumps(one, ensure_ascii=False) for one in some) + "\n"
        (folder / "meta_train" / f"{name}.jsonl.zst").write_bytes(zstandard.compress(text.encode()))
    return folder


def test_lines_are_read_with_their_options_in_order(tmp_path: Path) -> None:
    lines, genres = read(written(tmp_path, LINES))
    assert tuple(lines) == LINES and genres["A"] == ["drama", "war"]


@pytest.mark.parametrize(
    ("text", "answer"), [("Liked: A; B\nOptions: C; D", "E"), ("A; B\nOptions: C", "C"), ("Liked: A; B", "A")]
)
def test_a_line_of_another_form_is_refused(text: str, answer: str) -> None:
    with pytest.raises(UnderstudyError, match="Liked") as caught:
        line_of(text, answer, "file:3")
    assert caught.value.where == "file:3"


def test_what_cannot_be_read_is_said_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=TASK):
        read(tmp_path)
    (written(tmp_path, LINES) / "meta_train" / f"{GENRES}.jsonl.zst").write_bytes(b"no Zstandard")
    with pytest.raises(UnderstudyError, match=GENRES):
        read(tmp_path)


def test_two_thirds_are_learned_from_and_none_of_them_is_asked() -> None:
    lines = [Line((f"A{at}", "B"), ("C", "D"), "C") for at in range(3000)]
    learning, asked = split(lines)
    assert len(learning) + len(asked) == len(lines) and not set(learning) & set(asked)
    assert len(learning) == pytest.approx(2000, abs=100) and split(lines) == (learning, asked)
    folds = [[line.third("fold") for line in learning].count(fold) for fold in range(3)]
    assert min(folds) > 500  # the folds within the learning part are not the parts again


def test_cosines_count_lines_and_unliked_options_say_nothing() -> None:
    liking = Liking(LINES)
    assert liking.times["A"] == 2 and "X" not in liking.times
    assert liking.cosine("A", "B") == 1.0 and liking.cosine("A", "C") == pytest.approx(1 / math.sqrt(2))
    assert liking.cosine("A", "G") == liking.cosine("A", "X") == liking.cosine("X", "A") == 0.0
    assert liking.neighbours("A", 2) == ["B", "C"] and liking.neighbours("X", 2) == []


def test_facts_are_the_nearest_neighbours_and_the_genres() -> None:
    facts = Liking(LINES).facts(("A", "X"), {"A": ["war"], "X": ["drama"]}, 1)
    assert facts == {"A": [("liked together with", "B"), ("has genre", "war")], "X": [("has genre", "drama")]}


def test_shared_facts_are_counted_as_far_as_the_grades_go() -> None:
    line = Line(("A",), ("B", "C"), "B")
    many = [("has genre", str(number)) for number in range(12)]
    facts = {"A": many, "B": many, "C": [many[0], ("liked together with", "A"), ("liked together with", "Z")]}
    assert counts(line, facts) == {"B": 9, "C": 2}


def test_of_equal_grades_the_first_in_order_stands_first_as_in_the_role() -> None:
    assert is_right(Line(("A",), ("B", "C"), "B"), {"C": 1.0, "B": 1.0})
    assert not is_right(Line(("A",), ("B", "C"), "C"), {"C": 1.0, "B": 1.0})
    assert is_right(Line(("A",), ("B", "C"), "C"), {"B": 1.0, "C": 1.5})


def test_plain_rivals_grade_by_what_they_are_named_for() -> None:
    liking = Liking((*LINES, LINES[2]))
    line = Line(("A", "Z"), ("C", "G"), "C")
    facts = {"A": [("has genre", "war")], "C": [], "G": [("has genre", "war")]}
    graders = plain_rivals(liking, facts)
    assert graders[COUNTED](line) == {"C": 0, "G": 1}
    assert graders[POPULAR](line) == {"C": 1, "G": 2}
    assert graders[NEAREST](line) == {"C": pytest.approx(1 / math.sqrt(2)), "G": 0.0}
    first = [graders[RANDOM](line) for _ in range(200)]
    assert 60 < sum(one["C"] > one["G"] for one in first) < 140


def test_neighbours_are_chosen_on_the_learning_part_and_tell_clusters_apart() -> None:
    chosen = choosing(CLUSTERS, {})
    assert tuple(chosen) == TRIED and NEIGHBOURS in TRIED
    assert {share.total for share in chosen.values()} == {len(CLUSTERS)}
    assert chosen[5] == Rate(len(CLUSTERS), len(CLUSTERS))


def test_a_question_shows_the_shared_facts_and_not_the_answer() -> None:
    line = Line(("A", "B", "C"), ("D", "E"), "E")
    facts = {"A": [("has genre", "war")], "E": [("has genre", "war"), ("liked together with", "Y")]}
    asked = example(line, facts)
    assert asked.prompt.part("request") == "I liked A, B and C. Which of these next?"
    assert asked.prompt.part("mentioned") == "A: has genre war; B; C"
    assert places_of(asked).shown == ("D", "E: has genre war") and not asked.values


def test_rows_compare_each_with_the_first_and_look_at_what_facts_tell_apart() -> None:
    lines = [Line(("A",), ("B", "C"), "C"), Line(("A",), ("D", "E"), "D")]
    facts = {"A": [("has genre", "war")], "C": [("has genre", "war")]}
    graded = {"trained head": [{"B": 0, "C": 1}, {"D": 1, "E": 0}], "other": [{"B": 1, "C": 0}, {"D": 1, "E": 0}]}
    ours, other = rows_of(lines, graded, facts)
    assert (ours["right"], other["right"]) == (Rate(2, 2), Rate(1, 2))
    assert (ours["told apart"], ours["counted"]) == (Rate(1, 1), Rate(1, 1)) and other["counted"] == Rate(0, 1)
    assert other["lead"].first == 1 and ours["lead"].difference == 0
    rows = sheet_of([ours, other]).rows
    assert rows[0][2] == "–" and rows[1][2].startswith("+50")


def test_films_that_the_learning_part_never_has_are_counted() -> None:
    found = unknown([Line(("A", "N"), ("C", "M"), "C")], Liking(LINES), {"C": ["war"]})
    assert list(found.values()) == [Rate(0, 1), Rate(1, 2), Rate(1, 2), Rate(1, 2)]


class Counting:
    """Rivals that grade by the facts shown: the trained head by how many, another by how few."""

    names = ("trained head", "no head")
    told = {"trained head": "counts", "no head": "counts the other way round"}

    def __init__(self, team: Any) -> None:
        self.team = team

    def values(self, rival: str, agent: str, examples: Sequence[Example]) -> list[dict[str, Any]]:
        assert agent == "recommender"
        sign = 1 if rival == "trained head" else -1
        fields = [places_of(one) for one in examples]
        return [{"places": {name: sign * (shown.count("+") + (": " in shown)) for name, shown in
                            zip(field.options, field.shown, strict=True)}} for field in fields]  # fmt: skip


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(recommendation, "Rivals", Counting)
    monkeypatch.setattr(sys, "argv", ["recommendation", *arguments])
    recommendation.main()


def test_one_json_object_has_everyones_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recommendation, "write_part", lambda *_: pytest.fail("it was not to be written"))
    run(monkeypatch, "--data", str(written(tmp_path, CLUSTERS)), "--n", "40", "--json", "--no-write")
    found = json.loads(capsys.readouterr().out)
    rows = {row["who"]: row["right"] for row in found["rows"]}
    assert list(rows) == ["trained head", "no head", "trained head, genres alone", COUNTED, POPULAR, NEAREST, RANDOM]
    assert rows["trained head"]["share"] == rows[NEAREST]["share"] == 1.0 and rows["no head"]["share"] == 0.0
    assert 0.2 < rows["trained head, genres alone"]["share"] < 0.8  # every film has the same
    assert set(found["neighbours"]) == set(map(str, TRIED)) and rows["trained head"]["total"] <= 40


def test_what_is_written_names_the_command_and_who_took_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written_parts: list[tuple[Any, ...]] = []
    monkeypatch.setattr(recommendation, "write_part", lambda *part: written_parts.append(part))
    run(monkeypatch, "--data", str(written(tmp_path, CLUSTERS)), "--n", "7")
    (_, _, command, words, sheets), = written_parts
    assert command == "python -m benchmarks.recommendation --data DIR --n 7"
    assert all(f"- *{row[0]}*: " in words for row in sheets[0].rows) and "lines to learn from" in words
    assert [row[0] for row in sheets[1].rows if "chosen" in row[0]] == [f"{NEIGHBOURS}, chosen"]


@pytest.mark.parametrize("arguments", [("--data", "nowhere"), ("--data", ".", "--n", "0")])
def test_a_bad_call_ends_with_two(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, *arguments)
    assert caught.value.code == 2 and ("nowhere" in (said := capsys.readouterr().err) or "--n" in said)
