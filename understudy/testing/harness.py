"""A harness: runs a workflow or a team with scripted agents, on a clock of its own, and shows what happened."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..agents.messages import Message
from ..agents.requests import message_from
from ..core.errors import UnderstudyError
from ..workflows.child_runs import Inner
from ..workflows.events import Event
from ..workflows.flow import Workflow, run_alone
from ..workflows.outcome import Result
from ..workflows.team import Team
from ..workflows.values import hint
from .answers import Answers
from .clock import FakeClock, Standstill
from .crashing import Crash, CrashingJournal, CrashPoint
from .run import Run, run_of, under_way
from .scripted import ScriptedAgent, ScriptError, not_asked_for
from .staging import Staging, best, paths

_OVER = ("completed", "failed", "partial")


class Harness:
    """Runs a workflow, or a team (or the file of one), for a test.

    Nothing is loaded: an agent that has no script and would need a model is refused when it is asked. Time is that of a
    :class:`FakeClock`. Every run is kept in a journal, so that it can be resumed. After each run that is over it is
    checked that nothing was asked that is not scripted, and that the scripts are used up; within ``with Harness(…)``
    the latter is checked once, in the end.

    Args:
        flow: the workflow, the team, or the path of its ``team.yaml``.
        agents: by name: a list of replies or a function of the message (see :class:`ScriptedAgent`), or an agent:
            ``team["coder"]`` to have the real one.
        steps: functions by the name of the step that they do in place of its own doer. Names of agents and steps also
            stand for those in workflows that are steps; ``report/coder`` is the one in the step ``report``.
        clock: one that several harnesses share, or that begins at another time.
        journal: a file to keep the runs in; in memory without it.

    Raises UnderstudyError for a name that is not there, or a reply that is not of the type that the agent gives.
    """

    def __init__(
        self,
        flow: Workflow | Team | str | Path,
        agents: Mapping[str, Any] | None = None,
        *,
        steps: Mapping[str, Callable[..., Any]] | None = None,
        clock: FakeClock | None = None,
        journal: str | Path = ":memory:",
    ) -> None:
        whole = Team.load(flow) if isinstance(flow, str | Path) else flow
        self.clock = clock or FakeClock()
        staging = Staging(agents or {}, steps or {}, self.clock)
        inner = Inner.of(staging.staged(whole, whole.name))
        self.flow = inner.flow
        self.agents: Mapping[str, Any] = staging.cast
        self.journal = CrashingJournal(journal)
        self._team = inner.team
        self._told: dict[str, list[Event]] = {}
        self._latest = ""
        self._crash: CrashPoint | None = None
        self._several = False
        weakref.finalize(self, self.journal.close)

    async def run(
        self, message: Any, *, answers: Mapping[str, Any] | None = None, run_id: str | None = None
    ) -> Run:
        """Run on ``message``: a message, its fields, or the text of its one field.

        Args:
            answers: what persons say: see :class:`Answers`. A question without an answer leaves the run waiting.
            run_id: ``run-1`` and so on where it is None.

        Raises:
            ScriptError: what was asked and what is scripted are not the same.
            Standstill: the run waits for what cannot come.
            UnderstudyError: the workflow has a mistake, or the message does not fit.
        """
        takes = self.flow.takes
        if takes is not None and isinstance(message, str | Mapping | Message):
            message = message_from(takes, message, self.flow.name)
        run = run_id or f"run-{len(self._told) + 1}"
        return await self._drive(run, answers, lambda options: self.flow.run(
            message, run_id=run, team=self._team, **options))  # fmt: skip

    async def resume(self, run: str | None = None, *, answers: Mapping[str, Any] | None = None) -> Run:
        """Go on with the latest run, or with ``run``, that crashed or waits. Raises as :meth:`run` does."""
        chosen = run or self._latest
        if chosen not in self._told:
            mend = "run it first" if not chosen else f"there is: {', '.join(self._told)}"
            raise UnderstudyError(f"there is no run {chosen!r}" if chosen else "there is no run yet", mend=mend)
        return await self._drive(chosen, answers, lambda options: self.flow.resume(chosen, **options))

    def run_sync(self, message: Any, *, answers: Mapping[str, Any] | None = None, run_id: str | None = None) -> Run:
        """As :meth:`run`, outside any event loop."""
        return run_alone(self.run(message, answers=answers, run_id=run_id), "harness.run(…)")

    def resume_sync(self, run: str | None = None, *, answers: Mapping[str, Any] | None = None) -> Run:
        """As :meth:`resume`, outside any event loop."""
        return run_alone(self.resume(run, answers=answers), "harness.resume(…)")

    def crash_after(self, step: str, *, visit: int | None = None, index: int | None = None) -> None:
        """Cut the next run off as soon as the end of an effect of ``step`` is recorded: nothing is written after it.

        Of several visits or items it is the first, or that ``visit`` (from 1) or ``index`` (from 0).
        """
        self._crash = self._point(CrashPoint(step, True, visit, index))

    def crash_during(self, step: str, *, visit: int | None = None, index: int | None = None) -> None:
        """As :meth:`crash_after`, but before that end is recorded: the effect took place, and nobody knows."""
        self._crash = self._point(CrashPoint(step, False, visit, index))

    def verify(self) -> None:
        """Raise ScriptError where a script does not fit what was asked, or is not used up."""
        self._verify([], unused=True)

    def __enter__(self) -> Self:
        self._several = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._several = False
        self.journal.close()
        if error is None:
            self.verify()

    async def _drive(
        self, run: str, answers: Mapping[str, Any] | None, work: Callable[[Any], Coroutine[Any, Any, Result]]
    ) -> Run:
        persons = Answers(answers or {})
        asking = [*paths(self.flow.graph(), asking=True), "$limits"]
        for name in answers or {}:
            if not name.startswith(f"{run}/") and not any(best([name], path) for path in asking):
                raise UnderstudyError(f"no step '{name}' asks anybody", where=self.flow.name, mend=hint(name, asking))
        self._latest = run
        told = self._told.setdefault(run, [])
        options = {"journal": self.journal, "on_event": told.append, "on_question": persons}
        crash, self._crash = self._crash, None
        self.journal.crash_at(crash, run)
        result: Result | None
        crashed = False
        try:
            result = await self.clock.watch(work(options))
        except Crash:
            result, crashed = None, True
            self.journal.crash_at(None)
        except Standstill as error:
            steps = ", ".join(under_way(told)) or "no step"
            what, where = f"{error.what}; under way: {steps}", f"{self.flow.name}, {run}"
            raise Standstill(what, where=where, mend=error.mend) from None
        made = run_of(self.flow, run, self.journal, told, result, crashed)
        mistakes = list(persons.mistakes)
        if crash is not None and not crashed:
            mistakes.append(f"the run was to crash at '{crash.step}', and did not come to it")
        over = made.status in _OVER
        self._verify(mistakes + (persons.unused() if over else []), over and not self._several, made)
        return made

    def _verify(self, found: list[str], unused: bool, run: Run | None = None) -> None:
        for name, agent in self.agents.items():
            if isinstance(agent, ScriptedAgent):
                wrong = list(agent.mistakes())
                if not wrong and unused and (left := agent.unused()):
                    wrong = [not_asked_for(left, len(agent.asked) + len(left))]
                found += [f"{name}: {one}" for one in wrong]
        if found:
            text = "\n".join(found)
            said = [one.partition(": ")[2] for one in found]
            told = run is not None and any(one and one in (run.error or "") for one in said)
            if run is not None and run.error is not None and not told:
                text += f"\nthe run ended as {run.status}: {run.error}"
            text = text.replace("\n", "\n  ")
            raise ScriptError(f"the script and the run do not fit\n  {text}", where=self.flow.name)

    def _point(self, point: CrashPoint) -> CrashPoint:
        steps = list(paths(self.flow.graph()))
        if not any(best([point.step], path) for path in steps):
            raise UnderstudyError(
                f"there is no step '{point.step}'", where=self.flow.name, mend=hint(point.step, steps)
            )
        return point
