"""The comparison of a learned role with a plain start and with words alone: its figures, and that it is fair."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from understudy.agents.role import Demonstration, Role, role_from_document
from understudy.comparison import (
    FOLDS,
    LEARNED,
    PLAIN,
    Comparison,
    Figures,
    Outcome,
    compare,
    cross_validate,
    dealt,
    plain_as,
    require_enough,
    timed,
)
from understudy.comparison_table import comparison_view
from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.meta.start import Start
from understudy.evaluation import Rate
from understudy.word_rules import WORDS, Answer, majority, regression, require_words
from understudy.workflows.learning import learn

TEXTS = ["charged twice", "invoice please", "app crashes", "how do I export"]
GIVEN = [{"queue": "billing"}, {"queue": "billing"}, {"queue": "bug"}, {"queue": "howto"}]
SHOWN = [
    ("charged twice this month", "billing", True), ("an invoice for May please", "billing", False),
    ("the app crashes at start", "bug", True), ("it froze when I print", "bug", False),
    ("my card was charged again", "billing", True), ("nothing happens on save", "bug", False),
]  # fmt: skip


@pytest.fixture(scope="module")
def role(tmp_path_factory: pytest.TempPathFactory) -> Role:
    document = {
        "role": "mail", "does": "sorts", "takes": {"text": "text"},
        "gives": {"queue": ["billing", "bug"], "urgent": "boolean"},
        "demonstrations": [
            {"takes": {"text": text}, "gives": {"queue": queue, "urgent": urgent}} for text, queue, urgent in SHOWN
        ],
    }  # fmt: skip
    return role_from_document(document, tmp_path_factory.mktemp("role"))


@pytest.fixture(scope="module")
def backbone(tiny_backbone: Path) -> Backbone:
    return Backbone.load(str(tiny_backbone))


def test_regression_learns_the_demonstrations() -> None:
    answers = regression(TEXTS, [{**one, "fixed": True} for one in GIVEN], TEXTS)
    assert [answer.values["queue"] for answer in answers] == [one["queue"] for one in GIVEN]
    assert all(answer.values["fixed"] is True and 0 < answer.confidence <= 1 for answer in answers)


def test_without_words_the_commonest_is_said() -> None:
    assert [answer.values for answer in majority(TEXTS, GIVEN, ["x", "y"])] == [{"queue": "billing"}] * 2
    assert regression(["!", "?", "…", "-"], GIVEN, ["!"]) == [Answer({"queue": "billing"}, 0.5)]


def test_words_learn_values_of_the_roles_types() -> None:
    texts = [{"takes": {"text": text}, "gives": {"count": count}} for text, count in (("one chair", "1"), ("two", "2"))]
    document = {"role": "n", "does": "counts", "takes": {"text": "text"}, "gives": {"count": "integer"}}
    counting = role_from_document({**document, "demonstrations": texts}, Path())
    answers = timed(regression, counting, [{"text": "a chair"}]).answers
    assert answers[0].values == {"count": 1}, "a CSV file of a role.yaml has texts"


def test_figures_count_fields_the_whole_and_confident_errors() -> None:
    wanted = [{"a": 1, "b": True}, {"a": 1, "b": True}, {"a": 2, "b": False}, {"a": 1}]
    given = [{"a": 1, "b": True}, {"a": 1, "b": False}, {"a": 1, "b": False}, {"a": 1, "b": False}]
    sure = [(0.99, True), (0.95, True), (0.2, False), (0.8, True)]
    answers = tuple(Answer(values, *one) for values, one in zip(given, sure, strict=True))
    found = Figures.of(Outcome(answers, learning=2, asking=8, bytes=5), wanted)
    assert found.fields == {"a": Rate(3, 4), "b": Rate(2, 3)}
    assert (found.whole, found.answered, found.wrong, found.confident_errors) == (Rate(2, 4), Rate(3, 4), 1, 1)
    assert (found.learning, found.asking, found.bytes) == (2, 2, 5)


def test_parts_have_every_answer_as_often(role: Role) -> None:
    parts = dealt(role.demonstrations)
    assert sorted(at for part in parts for at in part) == list(range(len(SHOWN)))
    assert len(parts) == FOLDS
    for part in parts:
        assert sorted(SHOWN[at][1] for at in part) == ["billing", "bug"]
    assert dealt(role.demonstrations) == parts, "the same every time"


def test_a_message_that_stands_there_twice_is_dealt_once(role: Role) -> None:
    again = replace(role.demonstrations[0], takes={"text": f"{SHOWN[0][0]} \n"})
    for repeated in (role.demonstrations[0], again):
        shown = (*role.demonstrations, repeated, repeated, role.demonstrations[3])
        parts = dealt(shown)
        assert sorted(at for part in parts for at in part) == list(range(len(shown)))
        for together in ((0, 6, 7), (3, 8)):
            assert sum(bool(set(part) & set(together)) for part in parts) == 1, parts
    with pytest.raises(UnderstudyError, match="3 different demonstrations are too few .*--on"):
        require_enough(replace(role, demonstrations=role.demonstrations[:3] * 2))
    require_enough(replace(role, demonstrations=role.demonstrations[:4]))


def test_the_plain_start_is_as_large_as_the_learned_one(
    role: Role, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from understudy import comparison

    for rank in (2, 5):
        plain = plain_as(Start.plain(backbone.sites, rank, seed=3), backbone)
        assert {up.shape[1] for up in plain.stack().up.values()} == {rank} and plain.rates is None
    ranks: list[int] = []
    adapt = comparison.adapt

    def noting(backbone: Backbone, examples: Any, start: Start, *more: Any, **options: Any) -> Any:
        ranks.append(next(iter(start.stack().up.values())).shape[1])
        return adapt(backbone, examples, start, *more, **options)

    monkeypatch.setattr(comparison, "adapt", noting)
    monkeypatch.setattr(comparison, "start_of", lambda *_: Start.plain(backbone.sites, 3))
    head, _ = adapt(backbone, role.examples(), Start.plain(backbone.sites, 3), role.name)
    unseen = [Demonstration({"text": "charged twice"}, {"queue": "billing", "urgent": True})]
    found = compare(role, head, backbone, unseen, words=False)
    assert list(found.figures) == [LEARNED, PLAIN], "and words may be left out"
    cross_validate(role, backbone)
    assert set(ranks) == {3} and len(ranks) == 1 + 2 * FOLDS


def test_all_answer_the_same_unseen_messages(role: Role, backbone: Backbone) -> None:
    unseen = [Demonstration({"text": "charged twice"}, {"queue": "billing", "urgent": True})] * 3
    head, report = learn(role, backbone)
    told: list[float] = []
    found = compare(role, head, backbone, unseen, on_progress=lambda share, what: told.append(share))
    assert list(found.figures) == [LEARNED, PLAIN, WORDS]
    assert found.folds == 0 and not found.learned_start, "the fixture's start is a plain one"
    for figures in found.figures.values():
        assert figures.whole.total == figures.fields["queue"].total == figures.answered.total == found.messages == 3
    assert found.figures[LEARNED].learning == report.seconds > 0
    assert found.figures[WORDS].bytes is None and (found.figures[PLAIN].bytes or 0) > 1000
    assert found.figures[WORDS].fields["queue"] == Rate(3, 3)
    never = compare(role, replace(head, threshold=1.1), backbone, unseen).figures
    assert (never[LEARNED].answered, never[LEARNED].wrong) == (Rate(0, 3), 0)
    assert told and told == sorted(told) and told[-1] <= 1
    document = found.as_json()
    assert document["who"][LEARNED]["whole"]["total"] == 3 and document["messages"] == 3


def test_in_cross_validation_nobody_has_seen_what_it_answers(
    role: Role, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that knows its texts by heart is right of none that it was not shown."""
    from understudy import comparison

    def by_heart(texts: Any, given: Any, asked: Any) -> list[Answer]:
        known = dict(zip(texts, given, strict=True))
        return [Answer(known.get(one, {"queue": "?", "urgent": None}), 1.0) for one in asked]

    monkeypatch.setattr(comparison, "regression", by_heart)
    learned_from: list[int] = []
    adapt = comparison.adapt

    def counting(backbone: Backbone, examples: Any, *more: Any, **options: Any) -> Any:
        learned_from.append(len(examples))
        return adapt(backbone, examples, *more, **options)

    monkeypatch.setattr(comparison, "adapt", counting)
    found = cross_validate(role, backbone)
    assert found.folds == FOLDS and found.messages == len(SHOWN)
    assert found.figures[WORDS].whole == Rate(0, len(SHOWN))
    assert learned_from == [4] * 2 * FOLDS
    assert found.figures[PLAIN].whole.total == len(SHOWN) and found.figures[PLAIN].learning > 0


def test_too_few_to_leave_some_out(role: Role, backbone: Backbone) -> None:
    with pytest.raises(UnderstudyError, match="3 demonstrations are too few .*--on"):
        cross_validate(replace(role, demonstrations=role.demonstrations[:3]), backbone)


def test_without_scikit_learn_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(UnderstudyError, match=r"needs scikit-learn; pip install 'understudy\[train\]'"):
        require_words()


def test_a_person_reads_them_side_by_side() -> None:
    one = Figures({"queue": Rate(3, 4), "urgent": Rate(2, 4)}, Rate(2, 4), Rate(1, 4), 1, 0, 3.21, 0.01, 350_000, None)
    other = Figures({"queue": Rate(1, 4), "urgent": Rate(2, 4)}, Rate(1, 4), Rate(4, 4), 3, 0, 0.01, 0.0, None, None)

    def shown(comparison: Comparison) -> str:
        console = Console(width=100)
        with console.capture() as captured:
            console.print(comparison_view(comparison))
        return captured.get()

    text = shown(Comparison({LEARNED: one, WORDS: other}, 4, 0, True))
    for words in ("of 4 messages", LEARNED, "75 % (30–95)", "all right", "1 of 1", "3 of 4", "3.2", "< 0.1", "0.35 MB"):
        assert words in text
    assert "cross-validation" not in text and "no learned start" not in text
    text = " ".join(shown(Comparison({LEARNED: one, WORDS: other}, 4, 3, False)).split())
    assert "dealt into 3 parts" in text and "no learned start" in text
