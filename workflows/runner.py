"""The runner: drives a run by doing what the engine commands and recording what came of it.

Everything that happens is appended to the journal before the engine sees it; so a run that dies anywhere goes on from
its record. An effect that was under way when the process died runs again, with the same key: it happens exactly
once where its receiver honours the key, and at least once elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..agents.clock import now
from ..agents.letters import DeadLetter
from ..agents.messages import MessageError, pack
from ..agents.requests import message_from
from .activities import Activities, OnQuestion
from .alarm import Alarm
from .child_runs import asked, children_of, record_answers
from .children import Children
from .drain import Drain
from .engine import decide, fold
from .events import (
    Event,
    LetterDied,
    QuestionAnswered,
    RunAccepted,
    RunFinished,
    RunResumed,
    RunSuspended,
    StepFailed,
    StepFinished,
    TimerFired,
)
from .fork import Fork, forked
from .graph import Graph, WorkflowError
from .journal import Journal, JournalConflict, JournalError, Row
from .lease import leased
from .null_journal import NullJournal
from .outcome import Result, result_of
from .questions import OpenQuestion, all_open, brief, checked, found
from .record import check_same
from .runtime import AsyncioRuntime, Runtime
from .state import Cancel, Command, Finish, State

_RESULTS = (StepFinished, StepFailed, TimerFired, QuestionAnswered)

OnEvent = Callable[[Event], None]
"""Sees every event once it is durable (a StepStarted or StepEmitted, which are not kept: at once)."""

__all__ = ["OnEvent", "OnQuestion", "Result", "Runner"]

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
        depth: how far a chain of agents may go, beside what the workflow says.
    """

    def __init__(
        self,
        graph: Graph,
        runtime: Runtime,
        journal: Journal | NullJournal | None = None,
        *,
        on_event: OnEvent | None = None,
        on_question: OnQuestion | None = None,
        drain: Drain | None = None,
        clock: Callable[[], float] = now,
        depth: int | None = None,
    ) -> None:
        self.graph = graph
        self.journal = journal or NullJournal()
        self.runtime = runtime
        self.on_event = on_event
        self.on_question = on_question
        self.drain = drain or Drain()
        self.clock = clock
        self.depth = min((one for one in (depth, graph.limits.depth) if one is not None), default=None)
        self._state = State(graph)
        self._number = 0
        self._unwritten: list[Row] = []
        self._inbox: deque[tuple[Event, Row]] = deque()
        self._run = ""
        self._suspended: str | None = None
        self._over: asyncio.Future[None] | None = None
        # Results that come together go into one commit; where nothing is committed each is taken in at once.
        self._together = isinstance(self.journal, Journal)
        self._pumping = False
        told = None if on_event is None else self.tell
        self._children = Children(self)
        self._activities = Activities(
            graph, runtime, self.put, told, clock, on_question, self._children, self._break_off
        )
        self._alarm = Alarm(graph.limits.seconds, clock, lambda: self._state, self.put)

    @property
    def state(self) -> State:
        """The run as far as it is recorded."""
        return self._state

    @property
    def tokens(self) -> int:
        """What the run has used, with the children that are under way."""
        return self._state.usage.tokens + self._children.tokens

    async def run(self, message: Any, *, team: Any = None, run_id: str | None = None) -> Result:
        """Accept ``message`` as a new run and drive it to its end, or until it waits for a person.

        Raises:
            WorkflowError: the message is not of the type that the workflow takes, nor the fields of one.
            JournalError: the run's id is taken, or the journal cannot be written.
        """
        takes = self.graph.takes
        if takes is not None and isinstance(message, Mapping):
            message = message_from(takes, message, self.graph.name)
        if takes is not None and not isinstance(message, takes):
            what = f"it takes {takes.message_name}, not {type(message).__name__}"
            raise WorkflowError(what, where=self.graph.name, mend=f"give it {', '.join(takes.model_fields)}")
        run = run_id or uuid.uuid4().hex[:12]
        document = self.graph.document
        with leased(self.journal.path, run):
            self._require_new(run_id)
            return await self._drive([RunAccepted(self.clock(), run, self.graph.name, document, message, team)], run)

    async def resume(
        self, run: str, *, changed: bool = False, answers: Mapping[str, Any] | None = None
    ) -> Result:
        """Go on with a run that was not finished; a finished one only gives its result.

        ``changed`` allows a workflow that is not the one that the run began with. ``answers`` are for questions that
        the run, or a child of it, waits for, by their key or by the step that asks.

        Raises:
            WorkflowError: the workflow was changed (the first difference is named), or an answer fits no question.
            JournalError: there is no such run.
            LeaseTaken: another process drives it.
        """
        with leased(self.journal.path, run):
            events = self.journal.events(run)
            check_same(self.graph, events, changed)
            self._state = fold(self.graph, events)
            self._number = self.journal.next_number(run)
            if self._state.finished:
                return result_of(self._state)
            self._children.changed = changed
            self._children.expect(children_of(self._state), asked(self._state, self.journal, changed))
            first: list[Event] = [RunResumed(self.clock())]
            of_children: list[tuple[str, QuestionAnswered]] = []
            for key, answer in (answers or {}).items():
                question = found(self._open(), key)
                given = QuestionAnswered(self.clock(), question.key, checked(question, answer))
                if question.run == run:
                    first.append(given)
                else:
                    of_children.append((question.run, given))
            record_answers(self.journal, of_children)
            return await self._drive(first, run)

    async def fork(self, run: str, fork: Fork, *, run_id: str | None = None) -> Result:
        """A new run that shares the events of ``run`` before the step of ``fork``, and goes its own way from there.

        Raises as ``resume`` does, and WorkflowError where the run has no such step.
        """
        new = run_id or uuid.uuid4().hex[:12]
        with leased(self.journal.path, new):
            self._require_new(run_id)
            events = self.journal.events(run)
            check_same(self.graph, events, False)
            first = forked(self.graph, events, fork, new, self.clock())
            return await self._drive(first, new)

    def _require_new(self, run: str | None) -> None:
        if run is not None and self.journal.next_number(run):
            mend = "choose another id, or go on with it: resume"
            what = f"there is a run {run} already: its id is taken"
            raise JournalConflict(what, where=self.journal.path, mend=mend)

    async def _drive(self, first: list[Event], run: str) -> Result:
        self._run = run
        self._over = asyncio.get_running_loop().create_future()
        listener = self._listen(run)
        self.drain.attach(self._wake)
        left_well = False
        try:
            self._inbox.extend((event, self.journal.prepare(event)) for event in first)
            self._pump()
            await self._over
            left_well = True
        finally:
            # Reached by Ctrl-C and cancellation too. What was recorded stays; the rest is done again by resume.
            self.drain.detach(self._wake)
            self._alarm.stop()
            await self._activities.stop()
            await self.runtime.close()
            listener()
            try:
                self._flush(run, self._suspended)
                self._children.end(over=self._state.finished)
            except JournalError:
                if left_well:
                    raise
        return result_of(self._state, self._open(), self._suspended)

    def _open(self) -> tuple[OpenQuestion, ...]:
        return all_open(self._state, self._children.asked)

    def put(self, event: Event | None) -> None:
        """Take an event in; None: something ended without one. Raises MessageError for what cannot be kept."""
        if event is not None:
            self._inbox.append((event, self.journal.prepare(event)))
        if not self._together:
            self._pump()
        elif not self._pumping:
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _break_off(self, error: Exception) -> None:
        """A child cannot be recorded, so this run is left as it is, to be resumed."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def _wake(self) -> None:
        self.put(None)

    def _pump(self) -> None:
        """Record what came in, and see whether the run is over or can only be resumed."""
        self._pumping = False
        over = self._over
        if over is None or over.done():
            return
        try:
            if self._inbox:
                entries = list(self._inbox)
                self._inbox.clear()
                self._record(self._run, entries)
            if self._state.finished:
                over.set_result(None)
                return
            if self.drain.requested:
                self._activities.leave_aside()
            if not self._activities and not self._inbox:
                self._suspended = "interrupted" if self.drain.requested else "waiting"
                over.set_result(None)
        except Exception as error:
            over.set_exception(error)

    def _record(self, run: str, entries: list[tuple[Event, Row]]) -> None:
        """Make events durable, in one commit, then let the engine see them; and so on with what follows at once."""
        while entries:
            rows = [*self._unwritten, *(row for _, row in entries)]
            self.journal.append_rows(run, self._number, rows)
            self._number += len(rows)
            self._unwritten.clear()
            commands: list[Command] = []
            for event, _ in entries:
                self._state, followed = decide(self._state, event)
                commands.extend(followed)
                self.tell(event)  # who is told may look at the state, and have the run begin nothing more
            several = len(entries) > 1
            entries = []
            for command in commands:
                # Events that come together, as in a fork, may settle what an earlier one of them commanded.
                if several and not self._state.awaits(command):
                    continue
                if (after := self._obey(run, command)) is not None:
                    entries = [(after, self.journal.prepare(after))]
        self._alarm.set()

    def _obey(self, run: str, command: Command) -> Event | None:
        if isinstance(command, Finish):
            return self._finished(command)
        if isinstance(command, Cancel) or not self.drain.requested:
            self._activities.begin(run, command)
        return None

    def _finished(self, command: Finish) -> RunFinished:
        event = RunFinished(self.clock(), command.status, command.output, command.error)
        try:
            pack(command.output)
        except MessageError as error:
            event = replace(event, status="failed", output={}, error=f"output: {error}")
        return event

    def _listen(self, run: str) -> Callable[[], None]:
        """Keep the dead letters of this run in its journal, and hold it to its depth."""
        bus = self.runtime.bus if isinstance(self.runtime, AsyncioRuntime) else None
        if bus is None:
            return lambda: None

        def died(letter: DeadLetter) -> None:
            if letter.envelope.run == run:
                event = LetterDied(self.clock(), letter.envelope, letter.reason, letter.cause, letter.mailbox)
                try:
                    row = self.journal.prepare(event)
                except MessageError as error:
                    row = self.journal.prepare(replace(event, envelope=repr(letter.envelope), cause=str(error)))
                self._unwritten.append(row)
                self._state, _ = decide(self._state, event)
                self.tell(event)

        def end() -> None:
            bus.on_dead.remove(died)
            bus.limit_depth(run, None)

        bus.on_dead.append(died)
        bus.limit_depth(run, self.depth)
        return end

    def _flush(self, run: str, suspended: str | None) -> None:
        """Record how the run was left, what came in while it was, and dead letters of which no later event tells."""
        rows = self._unwritten
        if not self._state.finished:
            rows = [*rows, *(row for event, row in self._inbox if isinstance(event, _RESULTS))]
        if suspended is not None:
            event = RunSuspended(self.clock(), suspended, brief(self._open()))
            rows = [*rows, self.journal.prepare(event)]
            self._state, _ = decide(self._state, event)
            self.tell(event)
        if rows and self._number:
            self.journal.append_rows(run, self._number, rows)
            self._number += len(rows)

    def tell(self, event: Event) -> None:
        if self.on_event is None:
            return
        try:
            self.on_event(event)
        except Exception:
            # A view that breaks must not take the run with it.
            _log.exception("on_event failed at %s", type(event).__name__)

