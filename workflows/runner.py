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
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..agents.letters import DeadLetter
from ..agents.messages import Message, MessageError, pack
from .arguments import agent_name
from .engine import decide, fold
from .events import (
    Event,
    LetterDied,
    LimitReached,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    StepStarted,
)
from .graph import Graph, WorkflowError, difference
from .journal import Journal
from .outcome import Result, result_of
from .runtime import AsyncioRuntime, Runtime
from .state import Command, Finish, Start, State

OnEvent = Callable[[Event], None]
"""Sees every event once it is durable (a StepStarted: at once)."""

__all__ = ["OnEvent", "Result", "Runner", "cast_of", "check_same", "replay"]

_log = logging.getLogger("understudy.runner")


class Runner:
    """Drives one run of a workflow.

    Args:
        graph: the workflow.
        journal: where the events go; one in memory where it is None.
        runtime: where effects happen.
        on_event: told of every event, for a live view.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        graph: Graph,
        runtime: Runtime,
        journal: Journal | None = None,
        *,
        on_event: OnEvent | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.graph = graph
        self.journal = journal or Journal()
        self._runtime = runtime
        self._on_event = on_event
        self._clock = clock
        self._state = State(graph)
        self._number = 0
        self._unwritten: list[Event] = []
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, message: Any, *, team: Any = None, run_id: str | None = None) -> Result:
        """Accept ``message`` as a new run and drive it to its end.

        Raises:
            WorkflowError: the message is not of the type that the workflow takes.
            JournalError: the run's id is taken, or the journal cannot be written.
        """
        takes = self.graph.takes
        if takes is not None and not isinstance(message, takes):
            mend = f"give it {', '.join(takes.model_fields)}"
            raise WorkflowError(f"it takes {takes.message_name}", where=self.graph.name, mend=mend)
        run = run_id or uuid.uuid4().hex[:12]
        document = self.graph.document()
        return await self._drive(
            RunAccepted(self._clock(), run, self.graph.name, document, message, team), run
        )

    async def resume(self, run: str, *, changed: bool = False) -> Result:
        """Go on with a run that was not finished; a finished one only gives its result.

        ``changed`` allows a workflow that is not the one that the run began with.

        Raises:
            WorkflowError: the workflow was changed; the first difference is named.
            JournalError: there is no such run.
        """
        events = self.journal.events(run)
        check_same(self.graph, events, changed)
        self._state = fold(self.graph, events)
        self._number = len(events)
        if self._state.finished:
            return result_of(self._state)
        return await self._drive(RunResumed(self._clock()), run)

    async def _drive(self, first: Event, run: str) -> Result:
        timer: asyncio.TimerHandle | None = None
        listener = self._listen(run)
        try:
            self._record(run, first)
            limit = self.graph.limits.seconds
            if limit is not None:
                left = max(0.0, limit - self._state.seconds)
                timer = asyncio.get_running_loop().call_later(left, self._time_is_up, limit)
            while not self._state.finished:
                self._record(run, await self._inbox.get())
        finally:
            # Reached by Ctrl-C and cancellation too. What was recorded stays; the rest is done again by resume.
            if timer is not None:
                timer.cancel()
            await self._stop()
            listener()
        return result_of(self._state)

    def _time_is_up(self, limit: float) -> None:
        self._inbox.put_nowait(LimitReached(self._clock(), f"{limit:g} seconds"))

    def _record(self, run: str, event: Event) -> None:
        """Make ``event`` durable, then let the engine see it; and so on with what follows from it at once."""
        following: Event | None = event
        while following is not None:
            following = self._recorded(run, following)

    def _recorded(self, run: str, event: Event) -> Event | None:
        # One commit for the event and the starts before it.
        batch = [*self._unwritten, event]
        try:
            self.journal.append(run, self._number, batch)
        except MessageError as error:
            if not isinstance(event, StepFinished):
                raise
            # What the step gave cannot be kept, so no later step may see it: the step failed.
            return StepFailed(
                event.at, event.step, event.visit, event.index, event.agent, str(error), event.seconds,
                event.attempts, event.usage,
            )  # fmt: skip
        self._number += len(batch)
        self._unwritten.clear()
        self._tell(event)
        self._state, commands = decide(self._state, event)
        return self._obey(run, commands)

    def _obey(self, run: str, commands: tuple[Command, ...]) -> Event | None:
        for command in commands:
            if isinstance(command, Finish):
                return self._finished(command)
            if isinstance(command, Start):
                self._begin(run, command)
        return None

    def _finished(self, command: Finish) -> RunFinished:
        event = RunFinished(self._clock(), command.status, command.output, command.error)
        try:
            pack(command.output)
        except MessageError as error:
            event = replace(event, status="failed", output={}, error=f"output: {error}")
        return event

    def _begin(self, run: str, start: Start) -> None:
        step = self.graph.steps[start.step]
        agent = None if step.call is not None else agent_name(start)
        event = StepStarted(self._clock(), start.step, start.visit, start.index, agent, start.key)
        # Written with the next result: that an effect began is of no use to a later process, which starts it anyway.
        self._state, _ = decide(self._state, event)
        self._unwritten.append(event)
        self._tell(event)
        self._tasks[start.key] = asyncio.create_task(self._perform(run, start), name=start.key)

    async def _perform(self, run: str, start: Start) -> None:
        began = time.perf_counter()
        done = await self._runtime.perform(run, self.graph.steps[start.step], start)
        seconds = time.perf_counter() - began
        common = (self._clock(), start.step, start.visit, start.index, done.agent)
        event: Event
        if done.error is None:
            event = StepFinished(*common, done.output, seconds, done.attempts, done.usage)
        else:
            event = StepFailed(*common, done.error, seconds, done.attempts, done.usage)
        self._tasks.pop(start.key, None)
        self._inbox.put_nowait(event)

    def _listen(self, run: str) -> Callable[[], None]:
        """Keep the dead letters of this run in its journal."""
        bus = self._runtime.bus if isinstance(self._runtime, AsyncioRuntime) else None

        def died(letter: DeadLetter) -> None:
            if letter.envelope.run == run and not self._state.finished:
                event = LetterDied(self._clock(), letter.envelope, letter.reason, letter.cause)
                self._state, _ = decide(self._state, event)
                self._unwritten.append(event)
                self._tell(event)

        if bus is None:
            return lambda: None
        bus.on_dead.append(died)
        return lambda: bus.on_dead.remove(died)

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runtime.close()

    def _tell(self, event: Event) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            # A view that breaks must not take the run with it.
            _log.exception("on_event failed at %s", type(event).__name__)


def check_same(graph: Graph, events: list[Event], changed: bool) -> None:
    """Refuse a workflow that is not the one that the run began with. Raises WorkflowError."""
    first = events[0]
    if not isinstance(first, RunAccepted):
        raise WorkflowError("the run does not begin with its acceptance")
    found = None if changed else difference(first.document, graph.document())
    if found is not None:
        raise WorkflowError(
            f"the workflow was changed since this run began: {found}",
            where=first.run,
            mend="resume it with the workflow as it was, or start a new run",
        )


def replay(graph: Graph, journal: Journal, run: str) -> Result:
    """The result of a run from its record alone: nothing is computed again. Raises as ``resume`` does."""
    events = journal.events(run)
    check_same(graph, events, changed=False)
    return result_of(fold(graph, events))


def cast_of(agents: Mapping[str, Any]) -> tuple[Message, ...]:
    """The members that a plan may give steps to: the agents that take a Task, under their names."""
    from ..agents.messages import CastMember, Task

    return tuple(
        CastMember(name=name, does=getattr(agent, "does", ""))
        for name, agent in agents.items()
        if isinstance(takes := getattr(agent, "takes", None), type) and issubclass(takes, Task)
    )
