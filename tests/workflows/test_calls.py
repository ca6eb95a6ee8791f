"""Functions that YAML may name."""

from __future__ import annotations

from understudy.agents.messages import Finding, PlannedStep, Source
from understudy.workflows.calls import combine

A, B = (Source(title=name, text=name, source="graph") for name in "AB")


def step(*needs: int) -> PlannedStep:
    return PlannedStep(agent="qa", request="?", needs=needs)


def test_the_steps_that_others_read_are_sources_and_no_answers() -> None:
    first = Finding(answer="Spain, Italy", values=("Spain", "Italy"), sources=(A,), confidence=0.5)
    second = Finding(answer="Italy", values=("Italy",), sources=(B, A), confidence=0.9)
    found = combine([step(), step(1)], [first, second])
    assert found == Finding(answer="Italy", values=("Italy",), sources=(A, B), confidence=0.5)


def test_independent_parts_are_all_answered() -> None:
    parts = [Finding(answer="Lima", values=("Lima",)), Finding(answer="yen", values=("yen", "Lima"), abstained=True)]
    found = combine([step(), step()], parts)
    assert found.answer == "Lima; yen" and found.values == ("Lima", "yen") and found.abstained


def test_what_rests_on_a_doubtful_step_is_doubtful() -> None:
    sure = Finding(answer="7", values=("7",), confidence=0.9)
    unsure = Finding(answer="Spain", values=("Spain",), abstained=True, confidence=0.4)
    assert combine([step(), step(1)], [unsure, sure]).abstained
    assert combine([step(), step(1)], [None, sure]).abstained
    assert not combine([step(), step(1)], [sure, sure]).abstained


def test_a_step_that_failed_is_left_out() -> None:
    assert combine([step(), step()], [None, Finding(answer="yen")]).answer == "yen"
    assert combine([step()], [None]).abstained
