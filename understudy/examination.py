"""Questions put to a team, to its roles alone and to all of it; as the trained heads play them, and as rivals do."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .agents.letters import described
from .agents.messages import Message, PlanRequest
from .agents.recommender import history
from .agents.requests import message_from
from .core.errors import UnderstudyError
from .evaluation import Rate
from .judging import Judged, judge_role, judge_team, require_judgeable
from .questions import WHOLE, Question
from .workflows.values import hint

if TYPE_CHECKING:
    from .knowledge import KnowledgeStore
    from .rivals import Rivals
    from .workflows.team import Team

TWO = "team: two roles or more"
"""The part of the team's requests whose first right plan has two agents or more."""
Told = Callable[[str, str], None]
"""Called after each answer, with the rival and the part."""


@dataclass(frozen=True)
class Outcome:
    """What one rival made of one part of the questions: those to a role, or the team's.

    Attributes:
        judged: its answers, in the order of ``questions``.
        seconds: of each; those that are asked together have their mean.
        together: whether they were, so that only the mean is known.
        visited: suggested places that were liked or stand in the history.
        unknown: suggested places that the graph does not know.
        calls: how many a prompted model answered, ``valid`` of them at once; None where there is none.
    """

    part: str
    rival: str
    questions: tuple[Question, ...]
    judged: tuple[Judged, ...]
    seconds: tuple[float, ...]
    together: bool
    visited: int = 0
    unknown: int = 0
    calls: Rate | None = None
    call_seconds: float = 0.0

    def where(self, wanted: Callable[[Question], bool], part: str) -> Outcome:
        """The same of some of the questions only, as a part of another name; what is counted by call is left out."""
        kept = [at for at, one in enumerate(self.questions) if wanted(one)]

        def some(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(values[at] for at in kept)

        return replace(self, part=part, questions=some(self.questions), judged=some(self.judged),
                       seconds=some(self.seconds), calls=None)  # fmt: skip

    @property
    def right(self) -> tuple[bool, ...]:
        """Which were right: answered so, or abstained from where there is no answer."""
        return tuple(one.right for one in self.judged)

    @property
    def rates(self) -> dict[str, Rate]:
        """The shares: see docs/commands.md."""
        pairs = list(zip(self.questions, self.judged, strict=True))
        able = [judged for question, judged in pairs if not question.unanswerable]
        planned = [judged.planned for question, judged in pairs if question.plans and question.role == WHOLE]
        return {
            "right": Rate.of(self.right),
            "right_of_answerable": Rate.of(one.right for one in able),
            "answered": Rate.of(one.answered for one in able),
            "right_of_answered": Rate.of(one.right for one in able if one.answered),
            "false_answers": Rate.of(judged.answered for question, judged in pairs if question.unanswerable),
            "plan_right": Rate.of(planned),
        }

    @property
    def typical(self) -> float:
        """Seconds a request: the median, or the mean of those that were asked together."""
        return statistics.median(self.seconds) if self.seconds else 0.0

    @property
    def confident_errors(self) -> list[tuple[Question, Judged]]:
        """What was answered, and wrong."""
        return [(q, one) for q, one in zip(self.questions, self.judged, strict=True) if one.answered and not one.right]

    def as_json(self) -> dict[str, Any]:
        """All figures, and every wrong answer."""
        figures: dict[str, Any] = {name: rate.as_json() for name, rate in self.rates.items()}
        figures["seconds"] = {"value": round(self.typical, 4), "of": "mean" if self.together else "median"}
        figures["failed"] = sum(one.failed for one in self.judged)
        if any(one.liked for one in self.questions) and self.part not in (WHOLE, TWO):
            suggested = sum(len(one.places) for one in self.judged)
            figures["suggested"] = {"places": suggested, "visited": self.visited, "unknown": self.unknown}
        if self.calls is not None:
            figures["calls"] = {"valid_first": self.calls.as_json(), "seconds": round(self.call_seconds, 4)}
        figures["wrong"] = [
            {"id": q.id, "where": q.where, "request": q.request, "wanted": q.wanted(), "given": one.given,
             "answered": one.answered, "failed": one.failed}
            for q, one in zip(self.questions, self.judged, strict=True) if not one.right
        ]  # fmt: skip
        return figures


def parts_of(team: Team, questions: Sequence[Question]) -> dict[str, list[Question]]:
    """The questions by whom they are put to, the roles in the order of the team and the whole of it last.

    Raises UnderstudyError, with the line, for an unknown role, a request that does not fit, or a question that lacks
    what its role is judged by.
    """
    parts: dict[str, list[Question]] = {name: [] for name in (*team.agents, WHOLE)}
    for one in questions:
        if one.role not in parts:
            what = f"the team has no agent {one.role!r}"
            raise UnderstudyError(what, where=one.where, mend=hint(one.role, [*team.agents, WHOLE]))
        require_judgeable(one, None if one.role == WHOLE else team[one.role].gives)
        _message(team, one)
        parts[one.role].append(one)
    return {name: some for name, some in parts.items() if some}


def _message(team: Team, one: Question) -> Message:
    """What is asked. Raises UnderstudyError, with the line, where the request does not fit."""
    if one.role == WHOLE:
        return message_from(team.takes, one.request, one.where)
    takes = team[one.role].takes
    if issubclass(takes, PlanRequest) and isinstance(one.request, str):
        return PlanRequest(request=one.request, cast=team.cast)
    return message_from(takes, one.request, one.where)


def examine(
    rivals: Rivals, parts: Mapping[str, Sequence[Question]], told: Told = lambda rival, part: None
) -> list[Outcome]:
    """Every part put to every rival, the trained heads first; a rival that has nobody for a part is left out of it.

    The questions to a role are asked together, in batches, but one by one until a prompted model has answered its first
    call; the team's one after the other. Of the team's requests those that need two roles are a part by themselves too.

    Raises UnderstudyError where a prompted model cannot be reached, a history cannot be read, or ``expect`` names a
    field that is not there.
    """
    outcomes = []
    for part, questions in parts.items():
        for rival in rivals.names:
            served = rivals.served(rival)
            before = served.taken if served else None
            if part == WHOLE:
                outcome = _of_team(rivals, rival, questions, told)
            else:
                outcome = asyncio.run(_of_role(rivals, rival, part, questions, told))
            if outcome is None:
                continue
            if served and before:
                served.require_working()
                valid, calls, seconds = (now - then for now, then in zip(served.taken, before, strict=True))
                each = seconds / calls if calls else 0.0
                outcome = replace(outcome, calls=Rate(int(valid), int(calls)), call_seconds=each)
            outcomes.append(outcome)
    whole = [one.where(lambda q: q.needs_two, TWO) for one in outcomes if one.part == WHOLE]
    return outcomes + [one for one in whole if one.questions]


async def _of_role(
    rivals: Rivals, rival: str, name: str, questions: Sequence[Question], told: Told
) -> Outcome | None:
    agent, team, served = rivals.agent(rival, name), rivals.team, rivals.served(rival)
    if agent is None:
        return None
    liked = {one.liked for one in questions}
    seen = history(team[name].member.options.get("history")) if any(liked) else []

    async def answer(one: Question) -> Judged:
        message = _message(team, one)
        try:
            given = await agent.handle(message)
        except Exception as error:  # a rival may give what its role cannot use; a run, too, fails of whatever is raised
            return Judged(False, str(error) if isinstance(error, UnderstudyError) else described(error), failed=True)
        finally:
            told(rival, name)
        return judge_role(one, given)

    began, judged = time.perf_counter(), list[Judged]()
    while served and not served.taken[1] and len(judged) < len(questions):  # one by one, until a call was answered
        judged.append(await answer(questions[len(judged)]))
        served.require_working()
    judged += await asyncio.gather(*map(answer, questions[len(judged) :]))
    each = (time.perf_counter() - began) / len(questions)
    visited, unknown = 0, 0
    for one, given in zip(questions, judged, strict=True):
        visited += sum(place in one.liked or place in seen for place in given.places)
        unknown += sum(not is_place(team.resources.store, one.liked, place) for place in given.places)
    return Outcome(name, rival, tuple(questions), tuple(judged), (each,) * len(questions), True, visited, unknown)


def _of_team(rivals: Rivals, rival: str, questions: Sequence[Question], told: Told) -> Outcome | None:
    team = rivals.team
    agents = {name: rivals.agent(rival, name) for name in team.agents}
    if None in agents.values():
        return None
    served = rivals.served(rival)
    judged, seconds = [], []
    for one in questions:
        began = time.perf_counter()
        result = team.run_sync(one.request, agents=agents)
        seconds.append(time.perf_counter() - began)
        if served:
            served.require_working()
        judged.append(judge_team(one, result, partial(is_place, team.resources.store, one.liked)))
        told(rival, WHOLE)
    return Outcome(WHOLE, rival, tuple(questions), tuple(judged), tuple(seconds), False)


def is_place(store: KnowledgeStore | None, liked: Collection[str], name: str) -> bool:
    """Whether ``name`` is something that could be suggested to who liked ``liked``: the graph knows it, and as such.

    Under its own name, and of a kind of theirs (``is_a``); where they have none, with a fact of its own. Without a
    graph everything is.
    """
    if store is None:
        return True
    if store.resolve(name) != name:
        return False
    kinds = {kind for other in liked for kind in store.kinds(other)}
    return bool(kinds & set(store.kinds(name))) if kinds else any(fact.subject == name for fact in store.facts(name))
