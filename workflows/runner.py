"""The runner: drives a run by doing what the engine commands and recording what came of it.

Everything that happens is appended to the journal before the engine sees it; so a run that dies anywhere goes on from
its record. An effect that was under way when the process died runs again, with the same key: it happens exactly
once where its receiver honours the key, and at least once elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from ..agents.letters import DeadLetter
from ..agents.messages import MessageError, pack
from ..agents.usage import Usage
from .arguments import agent_name
from .drain import Drain
from .engine import busy, decide, fold
from .events import (
    Event,
    LetterDied,
    LimitReached,
    QuestionAnswered,
    RunAccepted,
    RunFinished,
    RunResumed,
    RunSuspended,
    StepEmitted,
    StepFailed,
    StepFinished,
    StepStarted,
    TimerFired,
)
from .fork import Fork, forked
from .graph import Graph, WorkflowError
from .journal import Journal, JournalError, Row
from .lease import Lease
from .outcome import Result, result_of
from .questions import OpenQuestion, brief, checked, found, opened
from .record import cast_of, check_same, replay
from .runtime import AsyncioRuntime, Outcome, Runtime
from .state import Ask, Command, Finish, Sleep, Start, State
from .unkept import Unkept
from .vector import Vector

OnEvent = Callable[[Event], None]
"""Sees every event once it is durable (a StepStarted or StepEmitted, which are not kept: at once)."""

OnQuestion = Callable[[OpenQuestion], Awaitable[Any]]
"""Asks a person while the run waits in this process, and gives the answer."""

__all__ = ["OnEvent", "OnQuestion", "Result", "Runner", "cast_of", "check_same", "replay"]

_log = logging.getLogger("understudy.runner")


class Runner:
    """Drives one run of a workflow.

    Args:
        graph: the workflow.
        runtime: where effects happen.
        journal: where the events go; nowhere if it is None.
        on_event: told of every event, for a live view.
        on_question: asks a person; without it a run in which only questions are left is suspended.
        drain: ends the run in good order when it is asked to: what is under way is finished, nothing begins.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        graph: Graph,
        runtime: Runtime,
        journal: Journal | Unkept | None = None,
        *,
        on_event: OnEvent | None = None,
        on_question: OnQuestion | None = None,
        drain: Drain | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.graph = graph
        self.journal = journal or Unkept()
        self._runtime = runtime
        self._on_event = on_event
        self._on_question = on_question
        self._drain = drain or Drain()
        self._clock = clock
        self._state = State(graph)
        self._number = 0
        self._unwritten: list[Row] = []
        self._inbox: deque[tuple[Event, Row]] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed = -1

    async def run(self, message: Any, *, team: Any = None, run_id: str | None = None) -> Result:
        """Accept ``message`` as a new run and drive it to its end, or until it waits for a person.

        Raises:
            WorkflowError: the message is not of the type that the workflow takes.
            JournalError: the run's id is taken, or the journal cannot be written.
        """
        takes = self.graph.takes
        if takes is not None and not isinstance(message, takes):
            mend = f"give it {', '.join(takes.model_fields)}"
            raise WorkflowError(f"it takes {takes.message_name}", where=self.graph.name, mend=mend)
        run = run_id or uuid.uuid4().hex[:12]
        document = self.graph.document
        with self._leased(run):
            return await self._drive([RunAccepted(self._clock(), run, self.graph.name, document, message, team)], run)

    async def resume(
        self, run: str, *, changed: bool = False, answers: Mapping[str, Any] | None = None
    ) -> Result:
        """Go on with a run that was not finished; a finished one only gives its result.

        ``changed`` allows a workflow that is not the one that the run began with. ``answers`` are for questions that
        the run waits for, by their key or by the step that asks.

        Raises:
            WorkflowError: the workflow was changed (the first difference is named), or an answer fits no question.
            JournalError: there is no such run.
            LeaseTaken: another process drives it.
        """
        with self._leased(run):
            events = self.journal.events(run)
            check_same(self.graph, events, changed)
            self._state = fold(self.graph, events)
            self._number = self.journal.next_number(run)
            if self._state.finished:
                return result_of(self._state)
            first: list[Event] = [RunResumed(self._clock())]
            for key, answer in (answers or {}).items():
                ask = found(self._state.questions, key)
                first.append(QuestionAnswered(self._clock(), ask.key, checked(ask, answer)))
            return await self._drive(first, run)

    async def fork(self, run: str, fork: Fork, *, run_id: str | None = None) -> Result:
        """A new run that shares the events of ``run`` before the step of ``fork``, and goes its own way from there.

        Raises as ``resume`` does, and WorkflowError where the run has no such step.
        """
        new = run_id or uuid.uuid4().hex[:12]
        with self._leased(new):
            events = self.journal.events(run)
            check_same(self.graph, events, False)
            first = forked(self.graph, events, fork, new, self._clock())
            return await self._drive(first, new)

    def _leased(self, run: str) -> AbstractContextManager[object]:
        return nullcontext() if self.journal.path == ":memory:" else Lease(self.journal.path, run)

    async def _drive(self, first: list[Event], run: str) -> Result:
        listener = self._listen(run)
        self._drain.attach(self._wake)
        suspended: str | None = None
        left_well = False
        try:
            self._record(run, [(event, self.journal.prepare(event)) for event in first])
            while not self._state.finished:
                if not self._inbox:
                    if self._drain.requested:
                        self._wake_nobody()
                    if (suspended := self._suspended()) is not None:
                        break
                    await self._arrival()
                events = list(self._inbox)
                self._inbox.clear()
                self._record(run, events)
            left_well = True
        finally:
            # Reached by Ctrl-C and cancellation too. What was recorded stays; the rest is done again by resume.
            self._drain.detach(self._wake)
            if self._timer is not None:
                self._timer.cancel()
            await self._stop()
            listener()
            try:
                self._flush(run, suspended)
            except JournalError:
                if left_well:
                    raise
        return result_of(self._state, opened(self._state.questions), suspended)

    # What is under way.

    def _suspended(self) -> str | None:
        """Why nothing can happen any more in this process; None while something can."""
        if self._tasks:
            return None
        return "interrupted" if self._drain.requested else "waiting"

    def _wake_nobody(self) -> None:
        """While it drains, nobody is asked and no timer is waited for: the next process does that."""
        for key in [key for key in self._tasks if key.startswith(_ASIDE)]:
            self._tasks.pop(key).cancel()

    async def _arrival(self) -> None:
        self._arrived = asyncio.get_running_loop().create_future()
        await self._arrived

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    def _put(self, event: Event) -> None:
        self._inbox.append((event, self.journal.prepare(event)))
        self._wake()

    def _record(self, run: str, entries: Iterable[tuple[Event, Row]]) -> None:
        """Make events durable, in one commit, then let the engine see them; and so on with what follows at once."""
        while entries := list(entries):
            rows = [*self._unwritten, *(row for _, row in entries)]
            self.journal.append_rows(run, self._number, rows)
            self._number += len(rows)
            self._unwritten.clear()
            following: list[tuple[Event, Row]] = []
            for event, _ in entries:
                self._tell(event)
                self._state, commands = decide(self._state, event)
                for command in commands:
                    if (after := self._obey(run, command)) is not None:
                        following.append((after, self.journal.prepare(after)))
            entries = following
        if self._armed != self._state.granted:
            self._arm()

    def _arm(self) -> None:
        """Set the timer for the run's seconds, of which a person may have granted more."""
        self._armed = self._state.granted
        if self._timer is not None:
            self._timer.cancel()
        limit = self.graph.limits.seconds
        if limit is not None:
            limit *= 1 + self._state.granted
            left = max(0.0, limit - self._state.seconds)
            self._timer = asyncio.get_running_loop().call_later(left, self._time_is_up, limit)

    def _time_is_up(self, limit: float) -> None:
        if not busy(self._state):
            self._armed = -1  # all waits for a person, which does not count: set again at the next event
            return
        self._put(LimitReached(self._clock(), f"{limit:g} seconds"))

    def _obey(self, run: str, command: Command) -> Event | None:
        if isinstance(command, Finish):
            return self._finished(command)
        if self._drain.requested:
            return None
        if isinstance(command, Start):
            agent = None if self.graph.steps[command.step].call is not None else agent_name(command)
            self._tell(StepStarted(self._clock(), command.step, command.visit, command.index, agent, command.key))
            self._begin(command.key, self._perform(run, command))
        elif isinstance(command, Sleep):
            self._begin(_ASIDE + command.key, self._sleep(command))
        elif isinstance(command, Ask) and self._on_question is not None:
            self._begin(_ASIDE + command.key, self._ask(command, self._on_question))
        return None

    def _begin(self, key: str, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work, name=key)
        self._tasks[key] = task

    def _finished(self, command: Finish) -> RunFinished:
        event = RunFinished(self._clock(), command.status, command.output, command.error)
        try:
            pack(command.output)
        except MessageError as error:
            event = replace(event, status="failed", output={}, error=f"output: {error}")
        return event

    async def _perform(self, run: str, start: Start) -> None:
        began = time.perf_counter()
        show = None if self._on_event is None else self._show(start)
        try:
            done = await self._runtime.perform(run, self.graph.steps[start.step], start, show)
        except Exception as error:  # of the runtime itself
            done = Outcome(None, None, f"{type(error).__name__}: {error}", 1, Usage())
        seconds = time.perf_counter() - began
        common = (self._clock(), start.step, start.visit, start.index, done.agent)
        self._tasks.pop(start.key, None)
        if done.error is None:
            output = tuple(done.output) if isinstance(done.output, Vector) else done.output
            event = StepFinished(*common, output, seconds, done.attempts, done.usage)
            try:
                self._put(event)
                return
            except MessageError as error:
                # What the step gave cannot be kept, so no later step may see it: the step failed.
                done = replace(done, error=str(error))
        self._put(StepFailed(*common, done.error or "", seconds, done.attempts, done.usage))

    def _show(self, start: Start) -> Callable[[Any], None]:
        return lambda part: self._tell(StepEmitted(self._clock(), start.step, start.visit, start.index, part))

    async def _sleep(self, sleep: Sleep) -> None:
        while (left := sleep.until - self._clock()) > 0:
            await asyncio.sleep(left)
        self._tasks.pop(_ASIDE + sleep.key, None)
        self._put(TimerFired(self._clock(), sleep.step, sleep.visit, sleep.index))

    async def _ask(self, ask: Ask, on_question: OnQuestion) -> None:
        (question,) = opened((ask,))
        try:
            answer = checked(ask, await on_question(question))
        except Exception:
            # The question stays open: the run is suspended once nothing else is under way.
            _log.exception("on_question failed at %s", ask.key)
            self._tasks.pop(_ASIDE + ask.key, None)
            self._wake()
            return
        self._tasks.pop(_ASIDE + ask.key, None)
        self._put(QuestionAnswered(self._clock(), ask.key, answer))

    def _listen(self, run: str) -> Callable[[], None]:
        """Keep the dead letters of this run in its journal, and hold it to its depth."""
        bus = self._runtime.bus if isinstance(self._runtime, AsyncioRuntime) else None
        if bus is None:
            return lambda: None

        def died(letter: DeadLetter) -> None:
            if letter.envelope.run == run and not self._state.finished:
                event = LetterDied(self._clock(), letter.envelope, letter.reason, letter.cause)
                try:
                    row = self.journal.prepare(event)
                except MessageError as error:
                    row = self.journal.prepare(replace(event, envelope=repr(letter.envelope), cause=str(error)))
                self._unwritten.append(row)
                self._tell(event)

        def end() -> None:
            bus.on_dead.remove(died)
            bus.limit_depth(run, None)

        bus.on_dead.append(died)
        bus.limit_depth(run, self.graph.limits.depth)
        return end

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runtime.close()

    def _flush(self, run: str, suspended: str | None) -> None:
        """Record how the run was left, and the dead letters of which no later event tells."""
        rows = self._unwritten
        if suspended is not None:
            reason = "drained" if suspended == "interrupted" else suspended
            event = RunSuspended(self._clock(), reason, brief(self._state.questions))
            rows = [*rows, self.journal.prepare(event)]
            self._tell(event)
        if rows and not self._state.finished and self._number:
            self.journal.append_rows(run, self._number, rows)
            self._number += len(rows)

    def _tell(self, event: Event) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            # A view that breaks must not take the run with it.
            _log.exception("on_event failed at %s", type(event).__name__)


_ASIDE = "aside "
