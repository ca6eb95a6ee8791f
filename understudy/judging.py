"""Whether an answer of one role, or of the whole team, is right; abstaining is told apart from being wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from .agents.messages import Finding, Message, Plan, Query, Ranking
from .core.errors import UnderstudyError
from .evaluation import meets
from .questions import Question, holds, right_finding, right_rows, same_set


@dataclass(frozen=True)
class Judged:
    """One answer.

    Attributes:
        right: whether it is what was wanted: an answer, not abstained from; abstaining where there is none.
        given: the answer in words.
        abstained: it says that it would rather not say.
        failed: there is none, but an error.
        planned: the plan is one of those that are right.
        places: what a recommender suggested.
    """

    right: bool
    given: str
    abstained: bool = False
    failed: bool = False
    planned: bool = False
    places: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether something was said at all."""
        return not (self.abstained or self.failed)


def require_judgeable(question: Question, gives: type[Message] | None) -> None:
    """Raise UnderstudyError, with the line, where a question lacks what its role is judged by; None: the whole team.

    So it is where ``liked`` is said of what recommends nothing.
    """
    ranks = gives is None or issubclass(gives, Ranking)
    kind, names = "an answer", ["values", *(["liked"] if ranks else []), "unanswerable"]
    if gives is not None and issubclass(gives, Plan):
        kind, names = "a plan", ["plans"]
    elif gives is not None and not issubclass(gives, Finding):
        kind, names = gives.message_name, []
    if question.liked and not ranks:
        raise UnderstudyError(
            f"'liked' is for a recommender or the team, and {question.role} gives {kind}", where=question.where,
            mend=f"give it {', '.join([*names, 'expect'])} in its place",
        )  # fmt: skip
    if question.expect is not None:
        return
    if not any(getattr(question, name) for name in names):
        raise UnderstudyError(
            f"nothing says what would be right, for {question.role} gives {kind}", where=question.where,
            mend=f"give it {', '.join([*names, 'expect'])}",
        )  # fmt: skip


def judge_role(question: Question, given: Message) -> Judged:
    """What one role answered: a plan by its agents, a query by its rows, a ranking by what it took as liked.

    Raises UnderstudyError where ``expect`` names a field that the answer does not have.
    """
    abstained = bool(getattr(given, "abstained", False))
    if question.expect is not None:
        output = given.model_dump(mode="json")
        right = meets(question.expect, output, question.where) and abstained == question.unanswerable
        return Judged(right, str(output), abstained)
    if isinstance(given, Plan):
        agents = tuple(step.agent for step in given.steps)
        shown = "; ".join(f"{step.agent}: {step.request} {list(step.needs) or ''}".strip() for step in given.steps)
        return Judged(agents in question.plans, shown, planned=agents in question.plans)
    assert isinstance(given, Finding)
    shown = f"{given.answer} {list(given.values)}"
    right = right_finding(question, given.answer, given.values, abstained)
    places: tuple[str, ...] = ()
    if isinstance(given, Query):
        shown = f"{given.answer[:120]} [{given.sql}]"
        if not question.unanswerable:
            right = not abstained and right_rows(question, given.rows)
    elif isinstance(given, Ranking):
        places = tuple(place.name for place in given.places)
        shown = f"liked {', '.join(given.liked)}; suggests {', '.join(places)}"
        if question.liked:
            right = bool(places) and not abstained and same_set(given.liked, question.liked)
    return Judged(right, shown, abstained, places=places)


def judge_team(question: Question, result: Any, is_place: Callable[[str], bool]) -> Judged:
    """A run: its plan by the agents; its answer by its values, the rows of a query, and places that were asked for.

    Where places were asked for, the answer must have some (``is_place``) that are not among those liked, and what else
    was asked must be there; what was taken as liked is judged by the role's own questions. A run that did not complete
    is wrong, and no answer.

    Raises UnderstudyError where ``expect`` names a field that the output does not have.
    """
    agents = _planned(result)
    planned = agents in question.plans
    said = f"{' > '.join(agents)}: " if agents else ""
    if result.status != "completed":
        return Judged(False, f"{said}{result.error or result.status}", failed=True, planned=planned)
    output = to_jsonable_python(result.output, fallback=str)
    abstained = _abstained(output) or bool(getattr(result.value, "abstained", False))
    if question.expect is not None:
        right = meets(question.expect, output, question.where) and abstained == question.unanswerable
        return Judged(right, f"{said}{output}", abstained, planned=planned)
    values = [value for value in output.get("values") or () if isinstance(value, str | int | float)]
    answer = str(output["answer"]) if "answer" in output else "; ".join(_texts(output))
    if question.unanswerable:
        right = abstained
    elif question.liked:
        places = [value for value in values if isinstance(value, str) and is_place(value)]
        fresh = bool(places) and not set(places) & set(question.liked)
        right = fresh and not abstained and holds(values, question.values)
    else:
        right = right_finding(question, answer, values, abstained)
        right = right or not abstained and right_rows(question, _rows(output))
    return Judged(right, f"{said}{answer[:160]}", abstained, planned=planned)


def _planned(result: Any) -> tuple[str, ...]:
    """The agents of the first plan that a run made."""
    plans = (step.output for step in result.steps if isinstance(step.output, Plan))
    plan = next(plans, None)
    return () if plan is None else tuple(step.agent for step in plan.steps)


def _rows(output: Mapping[str, Any]) -> list[list[Any]]:
    """The rows of an output that is the result of a query; none where what is called so is no table of values."""
    rows = output.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        return []
    plain = all(cell is None or isinstance(cell, str | int | float) for row in rows for cell in row)
    return [] if not plain or any(isinstance(cell, bool) for row in rows for cell in row) else rows


def _abstained(output: Any) -> bool:
    """Whether the output itself, or a message in it, says that it abstains."""
    if isinstance(output, Mapping):
        return output.get("abstained") is True or any(map(_abstained, output.values()))
    return False


def _texts(output: Any) -> Iterator[str]:
    """All texts in an output."""
    if isinstance(output, Mapping):
        for value in output.values():
            yield from _texts(value)
    elif isinstance(output, list):
        for value in output:
            yield from _texts(value)
    elif isinstance(output, str):
        yield output
