"""The runtime: where the effects of a run take place. Here, in this process, with agents behind a message bus."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..agents.bus import MessageBus
from ..agents.cancellation import Cancellation, begin_work
from ..agents.clock import now
from ..agents.letters import DeliveryError, described
from ..agents.messages import Envelope, Message
from ..agents.retry import attempt
from ..agents.usage import Usage, begin_metering
from ..core.errors import UnderstudyError
from .arguments import call_arguments, message_for
from .effects import begin_effect, effect_key
from .function_names import called
from .graph import Step
from .state import Start

_log = logging.getLogger("understudy.runtime")


@dataclass(frozen=True)
class Outcome:
    """What an effect gave: its output, or the error that ended it, with what it took."""

    agent: str | None
    output: Any
    error: str | None
    attempts: int
    usage: Usage


class Runtime(Protocol):
    """What the runner asks of a place where effects happen."""

    async def perform(
        self, run: str, step: Step, start: Start, show: Callable[[Any], None] | None = None
    ) -> Outcome:
        """Do one effect, in a task of its own; ``show`` is told of parts of the result.

        It raises nothing but cancellation: what goes wrong is in the outcome.
        """
        ...

    async def close(self) -> None:
        """End what is still under way."""
        ...

    @property
    def agents(self) -> Mapping[str, Any]:
        """Whom steps may name."""
        ...

    def inner(self, agents: Mapping[str, Any], *, alone: bool = False) -> Runtime:
        """A runtime for a run that is a step of one here, with ``agents`` of its own.

        It knows those here as well, unless it is ``alone``.
        """
        ...


class Agentlike(Protocol):
    """What may stand where an agent is wanted: a name, and an async ``handle``."""

    @property
    def name(self) -> str: ...
    async def handle(self, message: Any) -> Message: ...


# By the key of the effect: an agent may be on a bus by another run's doing.
_shows: dict[str, Callable[[Any], None]] = {}


class AsyncioRuntime:
    """Runs functions in this event loop (plain ones in a thread), and reaches agents through the bus.

    Args:
        agents: by the names that steps use.
        bus: one is made, and closed at the end, where none is given. An agent that has no mailbox on it gets one.
        at_once: messages that one agent may have under way, so that they can share a batch.
    """

    def __init__(self, agents: Mapping[str, Agentlike], bus: MessageBus | None = None, at_once: int = 32) -> None:
        self._agents = dict(agents)
        self.bus = bus or MessageBus()
        self._own_bus = bus is None
        self._at_once = at_once
        self._joined: list[str] = []

    @property
    def agents(self) -> Mapping[str, Agentlike]:
        """Whom steps may name."""
        return self._agents

    def inner(self, agents: Mapping[str, Agentlike], *, alone: bool = False) -> AsyncioRuntime:
        """A runtime for a run that is a step of one here, with ``agents`` of its own, and those here unless ``alone``.

        It has a bus of its own, on which no name of an agent is taken; one that was given here is shared instead.
        """
        if alone:
            return AsyncioRuntime(agents, None, self._at_once)
        return AsyncioRuntime({**self._agents, **agents}, None if self._own_bus else self.bus, self._at_once)

    async def perform(
        self, run: str, step: Step, start: Start, show: Callable[[Any], None] | None = None
    ) -> Outcome:
        """Do one effect, with the step's retries, within its seconds."""
        name = None if step.call is not None else str(getattr(start.agent, "name", start.agent))
        work = Cancellation()
        begin_work(work)
        begin_effect(start.key, show)
        meter = begin_metering()
        if show is not None:
            _shows[start.key] = show
        count = [1]
        output, error = None, None
        doing = self._call if step.call is not None else self._ask
        limit: asyncio.Timeout | None = None
        try:
            if step.seconds is None:
                output = await doing(run, step, start, count)
            else:
                limit = asyncio.timeout(step.seconds)
                async with limit:
                    output = await doing(run, step, start, count)
        except asyncio.CancelledError:
            work.cancel()
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            error = "it cancelled itself"
        except (KeyboardInterrupt, SystemExit):
            work.cancel()
            raise
        except BaseException as mistake:
            work.cancel()
            late = limit is not None and limit.expired()
            error = f"it took longer than {step.seconds} s" if late else _in_words(mistake)
            if step.call is not None and not late:
                _log.info("step %s: the function %s failed", step.name, called(step.call), exc_info=mistake)
        finally:
            _shows.pop(start.key, None)
        return Outcome(name, output, error, count[0], meter.usage)

    async def close(self) -> None:
        """Close the bus that was made here, or leave the one that was given as it was."""
        if self._own_bus:
            await self.bus.close()
            return
        for name in self._joined:
            await self.bus.leave(name)

    async def _call(self, run: str, step: Step, start: Start, count: list[int]) -> Any:
        function = step.call
        assert function is not None
        args, kwargs = call_arguments(function, start, step.parameters)
        woven = step.parameters.woven
        if woven and step.retry is None:
            return await function(*args, **kwargs)

        async def once(number: int) -> Any:
            count[0] = number
            if woven:
                return await function(*args, **kwargs)
            # A plain function may block; in a thread it blocks nobody else.
            given = await asyncio.to_thread(function, *args, **kwargs)
            return await given if inspect.isawaitable(given) else given

        return await attempt(once, step.retry)

    async def _ask(self, run: str, step: Step, start: Start, count: list[int]) -> Message:
        name = self.reachable(start.agent)
        agent = self.agents.get(name)
        message = message_for(agent, start) if agent is not None else message_for(None, start)
        deadline = None if step.seconds is None else now() + step.seconds
        envelope = Envelope(
            id=start.key, run=run, sender=f"{run}/{step.name}", recipient=name, cause=run, deadline=deadline,
            trace=run, body=message,
        )  # fmt: skip
        try:
            reply = await self.bus.call(envelope, retry=step.retry)
        except DeliveryError as error:
            count[0] = max(error.letter.attempts, 1)
            raise
        count[0] = reply.attempt
        return reply.body

    def reachable(self, agent: Any) -> str:
        """The name under which the agent is on the bus; it gets its mailbox when it is first needed."""
        if not isinstance(agent, str):
            name = getattr(agent, "name", None)
            if not isinstance(name, str) or not hasattr(agent, "handle"):
                raise UnderstudyError(f"{agent!r} is no agent", mend="give an agent or its name")
            self._agents.setdefault(name, agent)
            agent = name
        if agent in self._joined:
            return str(agent)
        if agent in self.agents:
            if self.bus.join(agent, self._handler(self.agents[agent]), at_once=self._at_once):
                self._joined.append(agent)
        elif agent not in self.bus:
            known = ", ".join(self.agents) or "there is none"
            raise UnderstudyError(f"there is no agent {agent!r}", mend=f"name one of the cast: {known}")
        return str(agent)

    def _handler(self, agent: Agentlike) -> Callable[[Envelope], Awaitable[Message]]:
        async def handle(envelope: Envelope) -> Message:
            begin_effect(envelope.id, _shows.get(envelope.id))
            return await agent.handle(envelope.body)

        return handle


__all__ = ["Agentlike", "AsyncioRuntime", "Outcome", "Runtime", "effect_key"]


def _in_words(error: BaseException) -> str:
    if isinstance(error, DeliveryError):
        cause = error.__cause__
        return _in_words(cause) if cause is not None else str(error)
    return str(error) if isinstance(error, UnderstudyError) else described(error)
