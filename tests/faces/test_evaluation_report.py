"""What an evaluation found in words and as JSON: the verdict on all questions, and on those that can be answered."""

from __future__ import annotations

from understudy.evaluation_report import LEGEND, losers, markdown, report_of, verdicts_of
from understudy.examination import Outcome
from understudy.judging import Judged
from understudy.questions import Question
from understudy.rivals import NO_HEAD, RULES, TRAINED

ABLE, NONE = 12, 20
RIVALS = {TRAINED: "the role's own head", RULES: "rules", NO_HEAD: "the bare backbone"}


def outcome(rival: str, right: int, silent: int, able: int = ABLE, none: int = NONE) -> Outcome:
    """Of the answerable questions the first ``right`` are right, of the others the first ``silent``."""
    asked = [Question(str(at), "qa", "?", values=("a",)) for at in range(able)]
    asked += [Question(str(at), "qa", "?", unanswerable=True) for at in range(none)]
    judged = [Judged(at < right, "a") for at in range(able)]
    judged += [Judged(at < silent, "", abstained=at < silent) for at in range(none)]
    return Outcome("qa", rival, tuple(asked), tuple(judged), (0.1,) * len(asked), True)


def test_the_answerable_questions_have_a_verdict_of_their_own() -> None:
    """By abstaining alone the trained head wins, and loses where something can be answered."""
    (verdict,) = verdicts_of([outcome(TRAINED, 2, 20), outcome(RULES, 10, 0), outcome(NO_HEAD, 0, 12)])
    assert verdict.paired.wins and verdict.rival == NO_HEAD and verdict.mine.right == 22
    able = verdict.answerable
    assert able and not able.paired.wins and able.rival == RULES, "another is the best of the others there"
    assert (able.mine.right, able.theirs.right, able.mine.total) == (2, 10, ABLE) and able.answerable is None
    assert (able.paired.first, able.paired.second) == (0, 8)
    all_of, rest = verdict.sentence.split(". Of the answerable it ")
    assert all_of.startswith("qa wins: 69 % ") and rest.startswith("does not win: 17 % ") and "(rules)" in rest
    assert losers([verdict]) == "All beyond the best of the others"


def test_the_verdict_on_the_answerable_is_in_the_report() -> None:
    outcomes = [outcome(TRAINED, 2, 20), outcome(RULES, 10, 0)]
    found = report_of({"subject": "team.yaml"}, RIVALS, outcomes)["parts"]["qa"]["verdict"]
    assert found["wins"] and found["answerable"]["best_rival"] == RULES and not found["answerable"]["wins"]
    text = markdown({"subject": "team.yaml"}, RIVALS, outcomes)
    assert "Of the answerable it does not win" in text and "has no such threshold" in text and LEGEND in text


def test_where_all_or_none_can_be_answered_one_verdict_says_it() -> None:
    for able, none in ((ABLE, 0), (0, NONE)):
        some = [outcome(rival, 2, 3, able, none) for rival in (TRAINED, RULES)]
        (verdict,) = verdicts_of(some)
        assert verdict.answerable is None and "answerable" not in verdict.as_json()
        assert "answerable" not in verdict.sentence
    assert not verdicts_of([outcome(TRAINED, 2, 20)])
