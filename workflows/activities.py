"""What a run has under way in this process: effects, timers, and questions that somebody here is asked."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from ..agents.clock import ticks
from ..agents.letters import described
from ..agents.messages import MessageError
from ..agents.usage import Usage
from .arguments import agent_name
from .children import Children
from .events import Event, QuestionAnswered, StepEmitted, StepFailed, StepFinished, StepStarted, TimerFired
from .graph import Graph
from .journal import JournalError
from .lease import LeaseTaken
from .questions import OpenQuestion, checked, opened
from .runtime import Outcome, Runtime
from .state import Ask, Cancel, Command, Sleep, Start
from .values import UNSET
from .vector import as_tuples

OnQuestion = Callable[[OpenQuestion], Awaitable[Any]]
"""Asks a person while the run waits in this process, and gives the answer."""

_log = logging.getLogger("understudy.runner")


class Activities:
    """The tasks of one run.

    Args:
        graph: the workflow.
        runtime: where effects happen.
        put: takes what came of them; None where a task ended with nothing to tell. Raises MessageError for an event
            that cannot be kept.
        tell: told of events that are not kept; None: nobody watches.
        clock: seconds since the epoch.
        on_question: asks a person; None: questions are left open.
        children: drives the runs that are steps of this one.
        broken: told of an error that no event can tell of: the journal cannot be written.
    """

    def __init__(
        self, graph: Graph, runtime: Runtime, put: Callable[[Event | None], None], tell: Callable[[Event], None] | None,
        clock: Callable[[], float], on_question: OnQuestion | None, children: Children,
        broken: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self._graph = graph
        self._runtime = runtime
        self._put = put
        self._tell = tell
        self._clock = clock
        self._on_question = on_question
        self._children = children
        self._broken = broken
        # Steps must not see what the context variables of another step hold, whichever led to them.
        self._context = copy_context()
        self._effects: dict[str, asyncio.Task[None]] = {}
        self._aside: dict[str, asyncio.Task[None]] = {}
        self._left: list[asyncio.Task[None]] = []

    def __bool__(self) -> bool:
        return bool(self._effects or self._aside)

    def begin(self, run: str, command: Command) -> None:
        """Do what the engine commanded; what is under way already goes on."""
        if isinstance(command, Start):
            if command.key in self._effects:
                return
            if self._tell is not None:
                step = self._graph.steps[command.step]
                agent = None if step.call is not None or step.workflow is not None else agent_name(command)
                self._tell(StepStarted(self._clock(), command.step, command.visit, command.index, agent, command.key))
            self._effects[command.key] = self._task(self._perform(run, command), command.key)
        elif isinstance(command, Cancel):
            self._children.give_up(command.keys)
            for key in command.keys:
                self._leave(self._effects.pop(key, None) or self._aside.pop(key, None))
        elif not isinstance(command, Sleep | Ask) or command.key in self._aside:
            return
        elif isinstance(command, Sleep):
            self._aside[command.key] = self._task(self._sleep(command), command.key)
        elif self._on_question is not None:
            self._aside[command.key] = self._task(self._ask(run, command, self._on_question), command.key)

    def leave_aside(self) -> None:
        """Wait for no timer and ask nobody any more: the process that resumes the run does that."""
        while self._aside:
            self._leave(self._aside.popitem()[1])

    def _leave(self, task: asyncio.Task[None] | None) -> None:
        if task is not None:
            task.cancel()
            self._left.append(task)

    async def stop(self) -> None:
        """Cancel all of it, and wait until it has ended."""
        tasks = [*self._effects.values(), *self._aside.values(), *self._left]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._effects.clear()
        self._aside.clear()

    async def _perform(self, run: str, start: Start) -> None:
        began = ticks()
        seconds: float | None = None
        try:
            step = self._graph.steps[start.step]
            if step.workflow is None:
                done = await self._runtime.perform(run, step, start, self._shower(start))
            elif (ended := await self._children.perform(step, start)) is None:
                self._effects.pop(start.key, None)
                self._put(None)
                return
            else:
                done, seconds = ended, ended.usage.seconds  # at work, over all the processes that drove it
        except (JournalError, LeaseTaken) as error:  # of a child
            self._broken(error)
            return
        except Exception as error:  # of the runtime itself
            done = Outcome(None, None, described(error), 1, Usage())
        if seconds is None:
            seconds = ticks() - began
        common = (self._clock(), start.step, start.visit, start.index, done.agent)
        self._effects.pop(start.key, None)
        if done.error is None:
            output = as_tuples(done.output) if self._graph.lists else done.output
            try:
                self._put(StepFinished(*common, output, seconds, done.attempts, done.usage))
                return
            except Exception as error:
                # What the step gave cannot be kept, so no later step may see it: the step failed.
                done = replace(done, error=str(error) if isinstance(error, MessageError) else described(error))
        self._put(StepFailed(*common, done.error or "", seconds, done.attempts, done.usage))

    def _shower(self, start: Start) -> Callable[[Any], None] | None:
        tell = self._tell
        if tell is None:
            return None
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def told(event: StepEmitted) -> None:
            if start.key in self._effects:  # not what a thread says after its step has ended
                tell(event)

        def show(part: Any) -> None:
            event = StepEmitted(self._clock(), start.step, start.visit, start.index, part)
            if threading.get_ident() == here:
                told(event)
                return
            with suppress(RuntimeError):  # the loop is closed, and nobody watches any more
                loop.call_soon_threadsafe(told, event)

        return show

    async def _sleep(self, sleep: Sleep) -> None:
        while (left := sleep.until - self._clock()) > 0:
            await asyncio.sleep(left)
        self._aside.pop(sleep.key, None)
        self._put(TimerFired(self._clock(), sleep.step, sleep.visit, sleep.index))

    async def _ask(self, run: str, ask: Ask, on_question: OnQuestion) -> None:
        answered: Event | None = None
        try:
            answer = await on_question(opened(ask, run))
            if answer is not UNSET:  # otherwise nobody answers now, and the question stays open
                answered = QuestionAnswered(self._clock(), ask.key, checked(ask, answer))
        except Exception:
            # The question stays open: the run is suspended once nothing else is under way.
            _log.exception("on_question failed at %s", ask.key)
        self._aside.pop(ask.key, None)
        self._put(answered)

    def _task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work, name=name, context=self._context.copy())
