"""Whether an answer of a role, or of the whole team, is right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.questions import Question, right_finding, right_rows, same_set, within
from understudy.agents.messages import Plan, Query, Ranking


@dataclass(frozen=True)
class Judged:
    """One answer: whether it is right, what it was in words, and for a team whether the plan was."""

    id: str
    right: bool
    answer: str
    abstained: bool = False
    planned: bool = False
    failed: bool = False
    places: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"id": self.id, "answer": self.answer, "abstained": self.abstained, "planned": self.planned,
                "failed": self.failed}  # fmt: skip


def same(found: Any, wanted: Any) -> bool:
    """Equal values; spans are equal when their text is, wherever it stands."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(same(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list | tuple):
        alike = isinstance(found, list | tuple) and len(found) == len(wanted)
        return alike and all(same(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(getattr(found, "text", found) == getattr(wanted, "text", wanted))


def judge_role(question: Question, given: Any) -> Judged:
    """Judge what one role answered: a plan by its agents, a query by its rows, a ranking by what it took as liked."""
    if isinstance(given, Plan):
        agents = tuple(step.agent for step in given.steps)
        shown = "; ".join(f"{step.agent}: {step.request} {list(step.needs) or ''}".strip() for step in given.steps)
        return Judged(question.id, agents in question.plans, shown, planned=agents in question.plans)
    if isinstance(given, Query):
        right = not given.abstained and right_rows(question, given.rows)
        return Judged(question.id, right, f"{given.answer[:120]} [{given.sql}]", given.abstained)
    if isinstance(given, Ranking):
        places = tuple(place.name for place in given.places)
        right = bool(places) and same_set(given.liked, question.liked)
        shown = f"liked {', '.join(given.liked)}; suggests {', '.join(places)}"
        return Judged(question.id, right, shown, given.abstained, places=places)
    right = right_finding(question, given.answer, given.values, given.abstained)
    return Judged(question.id, right, f"{given.answer} {list(given.values)}", given.abstained)


def judge_team(question: Question, result: Any, known: Collection[str]) -> Judged:
    """Judge a run: its plan by the agents; its answer by its values, and by the places where some were asked for.

    Where places were asked for, they must be known and not among those liked, and what else was asked must be there;
    what was taken as liked is judged by the role's own questions.
    """
    steps = {step.name: step.output for step in result.steps if step.output is not None}
    plan = steps.get("plan")
    agents = tuple(_field(step, "agent") for step in _field(plan, "steps") or ()) if plan is not None else ()
    output: Mapping[str, Any] = result.output or {}
    values: Sequence[str] = tuple(output.get("values") or ())
    abstained = bool(output.get("abstained", True))
    answer = str(output.get("answer", result.error or result.status))
    if question.liked:
        places = [value for value in values if value in known]
        fresh = bool(places) and not set(places) & set(question.liked)
        right = fresh and not abstained and within(question.values, values)
    elif question.unanswerable:
        right = result.status == "completed" and abstained
    else:
        right = right_finding(question, answer, values, abstained)
    shown = f"{' > '.join(agents)}: {answer[:160]}"
    return Judged(question.id, right, shown, abstained, agents in question.plans, result.status != "completed")


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)

