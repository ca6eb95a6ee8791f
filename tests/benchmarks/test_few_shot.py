"""The few-shot table on a made-up task: what is drawn, what is kept, and how figures become a table."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("zstandard")

from understudy.core.backbone import Backbone  # noqa: E402
from understudy.core.corpora import Corpus  # noqa: E402
from understudy.core.errors import UnderstudyError  # noqa: E402
from understudy.core.fields import Choice  # noqa: E402
from understudy.core.meta.start import Start  # noqa: E402
from understudy.few_shot import Arm, Bench, Outcome, arms, draw_task  # noqa: E402
from understudy.few_shot_rivals import RIVALS, Rivals  # noqa: E402
from understudy.few_shot_table import bootstrap, compared, family_means, markdown  # noqa: E402
from understudy.few_shot_tagger import tagged  # noqa: E402

WORDS = {"fruit": "apple pear plum cherry", "tool": "hammer saw drill wrench file", "river": "Rhine Nile Po Tiber"}


def corpus(name: str = "sort", lines: int = 240) -> Corpus:
    rng = random.Random(0)
    made = []
    for number in range(lines):
        label = rng.choice(sorted(WORDS))
        made.append((f"number {number} is about the {rng.choice(WORDS[label].split())}", label))
    return Corpus(name, "sorting", "Sort messages", tuple(WORDS), tuple(made), "here", "MIT", "0", "cross-source")


SPANS = Corpus("find", "finding", "Find the town", (), tuple((f"I live in town{i} now", f"town{i}") for i in range(90)),
               "here", "MIT", "0", "near")  # fmt: skip


def test_a_task_is_the_same_whenever_it_is_drawn_and_asks_nothing_that_it_has_shown() -> None:
    task, again = draw_task(corpus(), 16, 1, 40), draw_task(corpus(), 16, 1, 40)
    assert task is not None and task == again and task != draw_task(corpus(), 16, 2, 40)
    assert len(task.demonstrations) == 16 and len(task.questions) == 40 and task.kind == "choice"
    shown = {example.prompt.part("text") for example in task.demonstrations}
    assert not shown & {example.prompt.part("text") for example in task.questions}
    counts = [list(task.answers[0]).count(label) for label in WORDS]
    assert max(counts) - min(counts) <= 1


LINES = tuple((f"{label} {i}", label) for label in "abcdefghijklmn" for i in range(30))
MANY = Corpus("many", "m", "d", tuple("abcdefghijklmn"), LINES, "", "", "")


def test_smaller_tasks_are_parts_of_larger_ones() -> None:
    sizes = (4, 16, 32)
    tasks = [draw_task(MANY, size, 0, 40, sizes) for size in sizes]
    small, middle, large = (task for task in tasks if task is not None)
    assert small.demonstrations == large.demonstrations[:4] and middle.demonstrations == large.demonstrations[:16]
    assert small.questions == middle.questions == large.questions
    assert small.questions[0].record == large.questions[0].record


def test_no_more_labels_than_demonstrations_can_show() -> None:
    many = MANY
    for size, most in ((4, 4), (16, 10)):
        task = draw_task(many, size, 0, 40)
        assert task is not None
        field = task.questions[0].record.fields[0][1]
        assert isinstance(field, Choice) and len(field.options) == most
        assert set(task.answers[0]) == set(field.options)


def test_spans_and_tasks_with_too_little() -> None:
    task = draw_task(SPANS, 8, 0, 40)
    assert task is not None and task.kind == "span" and task.answers[0][0].startswith("town")
    assert draw_task(corpus(lines=20), 16, 0, 40) is None
    odd = replace(SPANS, lines=tuple(line for pair in zip(SPANS.lines, LINES, strict=False) for line in pair))
    assert draw_task(odd, 16, 0, 40) is not None, "lines that are no spans are left out before any is picked"


SLOTS = Corpus("book", "booking", "List all slots", ("train", "bus"), tuple(
    (f"a {by} to town{i} on day {day}", f"{by}\ntown: town{i}; day: {day}")
    for i in range(40) for by in ("train", "bus") for day in ("one", "two")
), "here", "MIT", "0", "", ("town", "day"))  # fmt: skip


def test_a_task_of_several_fields_is_right_where_all_are() -> None:
    task = draw_task(SLOTS, 16, 0, 40)
    assert task is not None and task.kind == "fields"
    names = [name for name, _ in task.questions[0].record.fields]
    assert names == ["label", "town", "day"]
    text, answer = task.questions[0].prompt.part("text").split(), task.answers[1][0]
    assert answer == f"label: {text[1]}; town: {text[3]}; day: {text[6]}"
    found = Rivals(Backbone.load("default")).answer(RIVALS[-1], task)
    assert found is not None and found[0]["right"] > 0.9, "words tell what they are by where they stand"


def test_a_tagger_finds_what_stands_in_the_same_place() -> None:
    shown = [f"my name is {name} and that is all" for name in ("Ada", "Bob", "Cy", "Dee")]
    places = [(11, 11 + len(text.split()[3])) for text in shown]
    said = tagged([*shown, "that is all"], [*places, None], ["my name is Eva and that is all", "is that all", ""])
    assert said == ["Eva", None, None]
    assert tagged(["a b"], [None], ["a b"]) == [None]


def test_rivals_say_how_sure_they_are(bench: Bench) -> None:
    task = draw_task(corpus(), 16, 0, 40)
    assert task is not None
    for rival in RIVALS[2:4]:
        found = bench.rivals.answer(rival, task)
        assert found is not None
        figures = found[0]
        assert len(figures["confidences"]) == 40 and len(figures["left_out"]) == 16
        assert sum(c > 0 for c in figures["confidences"]) == round(40 * figures["right"])
        assert all(1 / 3 <= abs(c) <= 1 for c in figures["confidences"])


def test_hindsight_takes_as_many_as_the_error_allows() -> None:
    some = outcome("x", "x", "a", 0.5, confidences=(0.9, 0.8, 0.7, 0.6, -0.5, 0.4, -0.3, -0.2))
    assert some.in_hindsight(0.05) == 0.5 and some.in_hindsight(0.2) == 0.75 and some.in_hindsight(0.5) == 1.0
    assert outcome("x", "x", "a", 0.5).in_hindsight(0.05) is None
    assert outcome("x", "x", "a", 0.5, confidences=(0.9, -0.9)).in_hindsight(0.05) == 0, "no threshold parts them"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    backbone = Backbone.load("default")
    kept = tmp_path_factory.mktemp("tables") / "few-shot.jsonl"
    return Bench(backbone, {"random": Start.plain(backbone.sites)}, Rivals(backbone), kept)


CHOSEN = [Arm("random", None), Arm("random", None, readout=False, shown=True)]


def test_arms_and_rivals_are_asked_the_same_and_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int, str]] = []
    found = bench.run([corpus()], [8], 1, 40, CHOSEN, lambda *step: steps.append(step))
    by_arm = {outcome.arm: outcome for outcome in found}
    assert set(by_arm) == {*RIVALS[:4], *(arm.name for arm in CHOSEN)}, "without an encoder that rival is left out"
    assert by_arm["random start · readout"].right > by_arm[RIVALS[0]].right
    assert len(by_arm["random start · readout"].left_out) == 8 and not by_arm[RIVALS[0]].left_out
    assert sum(c > 0 for c in by_arm["random start · readout"].confidences) == round(
        40 * by_arm["random start · readout"].right
    )
    assert steps == [(0, 1, "sort"), (1, 1, "done")]

    lines = bench.kept.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(found)
    bench.kept.write_text("\n".join(lines)[:-20], encoding="utf-8")  # as a kill may leave it
    again = Bench(bench.backbone, bench.starts, bench.rivals, bench.kept)
    assert len(again._known) == len(found) - 1
    assert again._known[json.loads(lines[0])["key"]].right == found[0].right

    other = Bench(bench.backbone, {"random": Start.plain(bench.backbone.sites, seed=5)}, bench.rivals, bench.kept)
    measured: list[str] = []
    learned = Bench._learned

    def noted(self: Bench, arm: Arm, task: Any) -> Any:
        measured.append(arm.name)
        return learned(self, arm, task)

    monkeypatch.setattr(Bench, "_learned", noted)
    other.run([corpus()], [8], 1, 40, CHOSEN[:1])
    assert measured == [CHOSEN[0].name], "another start of the same name is measured for itself"
    with pytest.raises(UnderstudyError, match="no task has lines enough"):
        other.run([corpus(lines=30)], [64], 1, 40, CHOSEN)


def outcome(family: str, task: str, arm: str, right: float, **more: Any) -> Outcome:
    fixed: dict[str, Any] = {"transfer": "cross-source", "kind": "choice", "size": 8, "draw": 0, "questions": 50}
    fixed |= {"learning": 1.0, "answering": 1.0, **more}
    return Outcome(task=task, family=family, arm=arm, right=right, **fixed)


def test_families_count_once_whatever_their_tasks() -> None:
    some = [outcome("big", f"b{i}", "a", 1.0) for i in range(9)] + [outcome("small", "s", "a", 0.0)]
    assert family_means(some, lambda o: o.right) == {"big": 1.0, "small": 0.0}


def test_the_interval_is_of_the_mean() -> None:
    low, high = bootstrap([0.0, 1.0] * 50)
    assert 0.38 < low < 0.45 < 0.55 < high < 0.62, "0.5 ± 1.96 · 0.05"
    assert bootstrap([0.3] * 4) == pytest.approx((0.3, 0.3))


def test_arms_are_compared_family_by_family() -> None:
    some = [outcome(f, f, "one", r) for f, r in (("x", 0.9), ("y", 0.5), ("only", 0.0))]
    some += [outcome(f, f, "two", r) for f, r in (("x", 0.7), ("y", 0.4))]
    gain = compared(some, "one", "two", 8)
    assert gain is not None and gain[0] == pytest.approx(0.15)
    assert gain[1] == pytest.approx(0.1) and gain[2] == pytest.approx(0.2)
    assert compared(some, "one", "nobody", 8) is None
    hard = [outcome("x", "hard", "one", 0.1), *some]
    assert compared(hard, "one", "two", 8) == gain, "a task that the other was not asked does not count"


def test_the_table_says_what_was_measured() -> None:
    ours = "meta-learned start · top third"
    left_out = (0.95, 0.9, 0.9, 0.9, 0.9, 0.9, -0.2, -0.2)
    some = [outcome("x", "x", ours, 0.75, questions=4, confidences=(0.99, 0.99, 0.1, -0.99), left_out=left_out)]
    some.append(outcome("x", "x", "majority", 0.5))
    assert some[0].answered(0.2) == [True, True, False] and some[1].answered(0.2) is None
    some += [outcome("z", "z", ours, 0.25, kind="span", transfer="near")]
    text = markdown(some, {"backbone": "nano"})
    assert "- backbone: nano" in text
    assert f"| {ours} | 1 | 75.0 [75.0, 75.0] | 75 %: 33 % | 75 %: 33 % | 0 % | 0 % | 1.0 |" in text
    assert "| majority | +25.0 [+25.0, +25.0] |" in text
    assert text.index("never seen") < text.index("near to what")


def test_the_grid_has_no_two_arms_of_one_name() -> None:
    names = [arm.name for arm in arms(["random", "meta-learned"])]
    assert len(names) == len(set(names)) == 14
