"""The drive of a run: what the engine commands is done, and what came of it is recorded before the engine sees it.

So a run that dies anywhere goes on from its record. An effect that was under way when the process died runs again, with
the same key: it happens exactly once where its receiver honours the key, and at least once elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from ..agents.clock import now
from ..agents.letters import DeadLetter
from ..agents.messages import MessageError
from ..agents.packing import pack
from .activities import Activities, OnQuestion
from .alarm import Alarm
from .children import Children
from .drain import Drain
from .engine import decide
from .events import (
    Event,
    LetterDied,
    QuestionAnswered,
    RunFinished,
    RunSuspended,
    StepFailed,
    StepFinished,
    TimerFired,
)
from .graph import Graph
from .journal import Journal, JournalError, Row
from .null_journal import NullJournal
from .outcome import Result, result_of
from .questions import OpenQuestion, all_open, brief
from .runtime import AsyncioRuntime, Runtime
from .state import Cancel, Command, Finish, State

_RESULTS = (StepFinished, StepFailed, TimerFired, QuestionAnswered)

OnEvent = Callable[[Event], None]
"""Sees every event once it is durable (a StepStarted or StepEmitted, which are not kept: at once)."""

_log = logging.getLogger("understudy.runner")


class Drive:
    """What drives one run, from its first events or from where it was left; see :class:`.runner.Runner`."""

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
        self._ending: Finish | None = None
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
                self._children.end(over=self._ending is not None)
                if self._ending is not None:
                    over = self._finished(self._ending)
                    self._record(run, [(over, self.journal.prepare(over))])
                self._flush(run, self._suspended)
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
            if self._state.finished or self._ending is not None:
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
            if self._children.kept:
                self._ending = command  # its children are ended first: a run that has an end has none that is open
                return None
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
