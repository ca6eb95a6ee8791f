"""How values of generated examples are compared, and suggestions with what could be suggested."""

from __future__ import annotations

from benchmarks import desk
from benchmarks.questions import closest, facts_of, popular
from benchmarks.roles import first_is_best, same, same_ranking
from understudy.core.fields import SpanValue
from understudy.examination import Outcome
from understudy.judging import Judged
from understudy.questions import Question
from understudy.rivals import NO_HEAD, TRAINED


def test_spans_are_the_same_by_their_text() -> None:
    here, there = SpanValue(0, 1, 5, "Lima"), SpanValue(3, 9, 13, "Lima")
    assert same({"answer": here}, {"answer": there})
    assert not same({"answer": None}, {"answer": there})
    assert same({"steps": [{"needs": []}]}, {"steps": [{"needs": []}]})
    assert not same({"steps": [{"needs": [1]}]}, {"steps": [{"needs": []}]})
    assert not same({"steps": []}, {"steps": [{"needs": []}]})


def test_a_ranking_is_the_same_by_the_grades_of_its_best() -> None:
    wanted = {"liked": ["a"], "places": {"x": "1", "y": "9", "z": "5", "w": "0"}}
    best = {"liked": ["a"], "places": {"x": 1.0, "y": 8.0, "z": 4.0, "w": 0.1}}
    assert same_ranking(best, wanted) and first_is_best(best["places"], wanted["places"])
    worse = {"liked": ["a"], "places": {"x": 4.5, "y": 8.0, "z": 4.0, "w": 0.1}}
    assert not same_ranking(worse, wanted) and first_is_best(worse["places"], wanted["places"])


def test_suggestions_stand_beside_popularity_and_the_best_there_is() -> None:
    question, facts = Question("r", "recommender", "?", liked=("Peru",)), facts_of()
    best = Judged(True, "", places=tuple(closest(["Peru"], facts)))
    worst = Judged(True, "", places=tuple(popular(["Peru"], facts)))
    outcomes = [Outcome("recommender", rival, (question,), (judged,), (0.1,), True)
                for rival, judged in ((TRAINED, best), (NO_HEAD, worst))]  # fmt: skip
    mine, none, popularity, ceiling = (row[1:] for row in desk.recommended(outcomes).rows)
    assert mine == ceiling and none == popularity and float(mine[1]) > float(none[1])
