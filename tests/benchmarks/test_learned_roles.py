"""The rivals that need no backbone, and the figures made of answers."""

from __future__ import annotations

import pytest

from benchmarks.learned_roles import nearest, sheet_of, summary, tfidf
from understudy.comparison import Outcome
from understudy.evaluation import Rate
from understudy.word_rules import Answer

TEXTS = ["charged twice", "invoice please", "app crashes", "how do I export"]
GIVEN = [{"queue": "billing"}, {"queue": "billing"}, {"queue": "bug"}, {"queue": "howto"}]


def test_nearest_is_a_cosine_of_words() -> None:
    crash, none = nearest(TEXTS, GIVEN, ["It CRASHES!", "zzz"])
    assert crash.values == {"queue": "bug"} and 0 < crash.confidence < 1
    assert none.confidence == 0
    assert nearest(TEXTS, GIVEN, TEXTS)[3].confidence == pytest.approx(1)


def test_rare_words_weigh_more() -> None:
    weights = tfidf(["the crash"], ["the one", "the other", "crash"])[0]
    assert weights["crash"] > weights["the"]


def test_the_summary_counts_fields_the_whole_and_confident_errors() -> None:
    wanted = [{"a": 1, "b": True}, {"a": 1, "b": True}, {"a": 2, "b": False}]
    given = ({"a": 1, "b": True}, {"a": 1, "b": False}, {"a": 1, "b": False})
    answers = tuple(Answer(values, sure, sure >= 0.5) for values, sure in zip(given, (0.99, 0.95, 0.2), strict=True))
    found = summary(Outcome(answers), wanted)
    assert (found["a"], found["b"], found["whole"]) == (Rate(2, 3), Rate(2, 3), Rate(1, 3))
    assert (found["answered"], found["wrong of those"], found["confident errors"]) == (Rate(2, 3), 1, 1)
    row = sheet_of("t", {"me": found}, ["a", "b"]).rows[0]
    assert row[:6] == ("me", "67 % (21–94)", "67 % (21–94)", "33 % (6–79)", "67 % (21–94)", "1")
