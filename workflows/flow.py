"""Workflow: steps composed in Python, checked, and run.

    >>> from understudy.agents.messages import Message
    >>> from understudy.workflows.flow import Workflow
    >>> class Number(Message):
    ...     value: int
    >>> flow = Workflow("arithmetic", takes=Number)
    >>> double = flow.step(lambda number: number.value * 2, name="double")
    >>> more = flow.step(lambda value: value + 1, name="more")
    >>> flow.run_sync(Number(value=20)).output
    {'value': 41}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.bus import MessageBus
from ..agents.messages import Message
from ..agents.retry import Retry
from .events import Event
from .expressions import Expression, Ref
from .graph import END, Failure, Graph, Limits, Route, Step, WorkflowError

if TYPE_CHECKING:
    from .journal import Journal
    from .outcome import Result
    from .problems import Problem

Doer = Any
"""Who does a step: an agent, the name of one, or a function."""


class Workflow:
    """Steps and the routes between them.

    A step follows the one declared before it, unless ``after`` or :meth:`route` says otherwise. Each step gives a
    :class:`Ref`, which stands for its output in later steps.

    Args:
        name: of the workflow.
        takes: the type of its input; None for any value.
        output: name → Ref, expression or constant; when empty, what the last step gave.
        limits: seconds and effects that a run may use.
    """

    def __init__(
        self,
        name: str,
        takes: type[Message] | None = None,
        *,
        output: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.takes = takes
        self.input = Ref("input")
        self.team = Ref("team")
        self.item = Ref("item")
        self.limits = limits or Limits()
        self._output = dict(output or {})
        self._steps: dict[str, Step] = {}
        self._after: dict[str, tuple[str, ...] | None] = {}
        self._routes: dict[str, list[Route]] = {}
        self._agents: dict[str, Any] = {}

    @classmethod
    def of(cls, graph: Graph, agents: Mapping[str, Any] | None = None) -> Workflow:
        """The workflow of a graph that was made elsewhere, such as from YAML."""
        made = cls(graph.name, graph.takes, output=graph.output, limits=graph.limits)
        made._steps = dict(graph.steps)
        made._routes = {name: list(step.routes) for name, step in graph.steps.items()}
        made._after = dict.fromkeys(graph.steps, ())
        made._agents = dict(agents or {})
        made._start = graph.start
        return made

    _start: str | None = None

    def step(
        self,
        doer: Doer,
        *,
        input: Mapping[str, Any] | None = None,
        name: str | None = None,
        after: Sequence[Ref | str] | Ref | str | None = None,
        failure: Failure = "fail_fast",
        seconds: float | None = None,
        retry: Retry | None = None,
    ) -> Ref:
        """Add a step done by ``doer``, an agent or a function.

        ``input`` gives its arguments as Refs, expressions or constants; without it, the step takes what the step
        before gave. ``after`` names the steps that it follows; with several it waits for all of them.
        """
        return self._add(doer, None, input, name, after, 1, failure, seconds, retry)

    def each(
        self,
        items: Ref | Expression,
        *,
        agent: Doer = None,
        do: Callable[..., Any] | None = None,
        input: Mapping[str, Any] | None = None,
        name: str | None = None,
        after: Sequence[Ref | str] | Ref | str | None = None,
        at_once: int = 8,
        failure: Failure = "fail_fast",
        seconds: float | None = None,
        retry: Retry | None = None,
    ) -> Ref:
        """Add a step that is done once for each of ``items``, ``at_once`` at a time; it gives the list of outputs.

        ``agent`` is an agent, a name, a Ref to a name, or a function from the item to one of these; ``do`` is a
        function of the item instead. Items with ``needs`` (positions, from 1) wait for those; ``item.needs`` is
        then what they gave.
        """
        if (agent is None) == (do is None):
            raise WorkflowError("an each needs an agent or a function", where=name, mend="give agent= or do=")
        each = Expression.of(items)
        if do is not None:
            return self._add(do, each, input, name, after, at_once, failure, seconds, retry)
        return self._add(agent, each, input, name, after, at_once, failure, seconds, retry, choose=True)

    def route(
        self, step: Ref | str, to: Ref | str | Sequence[Ref | str], *, when: Any = None, at_most: int | None = None
    ) -> None:
        """Add a way on from ``step``; the first that is open is taken. ``to`` may be ``"$end"``, or several steps."""
        targets = tuple(map(str, to)) if isinstance(to, list | tuple) else str(to)
        route = Route(targets, None if when is None else Expression.of(when), at_most)
        self._routes.setdefault(str(step), []).append(route)

    def _add(
        self,
        doer: Doer,
        each: Expression | None,
        input: Mapping[str, Any] | None,
        name: str | None,
        after: Sequence[Ref | str] | Ref | str | None,
        at_once: int,
        failure: Failure,
        seconds: float | None,
        retry: Retry | None,
        choose: bool = False,
    ) -> Ref:
        agent = agent_from = call = None
        if isinstance(doer, str):
            agent = doer
        elif isinstance(doer, Ref | Expression):
            agent_from = Expression.of(doer)
        elif hasattr(doer, "handle"):
            agent = doer.name
            self._agents[agent] = doer
        elif callable(doer):
            agent_from, call = (doer, None) if choose else (None, doer)
        else:
            raise WorkflowError(f"{doer!r} cannot do a step", where=name, mend="give an agent, its name or a function")
        name = name or self._free(str(agent or getattr(doer, "__name__", "step")))
        if name in self._steps or not name.isidentifier() or name in ("input", "team", "item", "index"):
            mend = "give it a name of its own, a Python identifier other than input, team, item, index"
            raise WorkflowError(f"a step cannot be called {name!r} here", where=self.name, mend=mend)
        before = [after] if isinstance(after, Ref | str) else after
        self._after[name] = None if before is None else tuple(map(str, before))
        arguments = {key: Expression.of(value) for key, value in (input or {}).items()}
        self._steps[name] = Step(
            name, agent, agent_from, call, arguments, each, at_once, failure, seconds=seconds, retry=retry
        )
        return Ref(name)

    def _free(self, wish: str) -> str:
        wish = "step" if not wish.isidentifier() else wish
        names = [wish, *(f"{wish}{number}" for number in range(2, len(self._steps) + 3))]
        return next(name for name in names if name not in self._steps)

    def graph(self) -> Graph:
        """The workflow as a frozen graph. Raises WorkflowError for one without steps."""
        from .wiring import wired

        return wired(
            self.name, self.takes, self._steps, self._after, self._routes,
            {key: Expression.of(value) for key, value in self._output.items()}, self.limits, self._start,
        )  # fmt: skip

    @property
    def agents(self) -> Mapping[str, Any]:
        """The agents that were given to steps as objects."""
        return dict(self._agents)

    def check(self, agents: Mapping[str, Any] | None = None) -> list[Problem]:
        """Every mistake that can be found before the run; an empty list when there is none."""
        known = None if agents is None else {**self._agents, **agents}
        return self.graph().check(known)

    async def run(
        self,
        message: Any,
        *,
        agents: Mapping[str, Any] | None = None,
        journal: Journal | str | Path | None = None,
        run_id: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        bus: MessageBus | None = None,
        team: Any = None,
    ) -> Result:
        """Run the workflow on ``message``; ``agents`` are those that steps name, beside those given as objects.

        Raises:
            WorkflowError: the workflow has a mistake, or the message is of another type.
        """
        from .session import session

        async with session(self, agents, journal, on_event, bus) as (runner, cast):
            return await runner.run(message, team={"cast": cast} if team is None else team, run_id=run_id)

    async def resume(
        self,
        run: str,
        *,
        journal: Journal | str | Path,
        agents: Mapping[str, Any] | None = None,
        on_event: Callable[[Event], None] | None = None,
        bus: MessageBus | None = None,
        changed: bool = False,
    ) -> Result:
        """Go on with a run that was cut off. Raises WorkflowError where the workflow is not the one it began with."""
        from .session import session

        async with session(self, agents, journal, on_event, bus) as (runner, _):
            return await runner.resume(run, changed=changed)

    def replay(self, run: str, *, journal: Journal | str | Path) -> Result:
        """The result of a run from its record; nothing is computed again."""
        from .runner import replay
        from .session import opened

        with opened(journal) as book:
            return replay(self.graph(), book, run)

    def run_sync(self, message: Any, **options: Any) -> Result:
        """As :meth:`run`, outside any event loop."""
        return run_alone(self.run(message, **options), "flow.run(…)")

    def resume_sync(self, run: str, **options: Any) -> Result:
        """As :meth:`resume`, outside any event loop."""
        return run_alone(self.resume(run, **options), "flow.resume(…)")

    def stream(self, message: Any, **options: Any) -> AsyncIterator[Event | Result]:
        """The events of a run as they happen, and its result as the last."""
        from .session import streamed

        return streamed(lambda on_event: self.run(message, on_event=on_event, **options))


def run_alone(work: Coroutine[Any, Any, Result], awaited: str) -> Result:
    """Run ``work`` in an event loop of its own. Raises WorkflowError where one runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    raise WorkflowError("an event loop is running here already", mend=f"write: await {awaited}")


__all__ = ["END", "Limits", "Retry", "Workflow", "run_alone"]
