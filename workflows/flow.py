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
from dataclasses import replace
from keyword import iskeyword
from operator import is_not
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from ..agents.retry import Retry
from .expressions import WORDS, Expression, Ref
from .graph import END, Failure, Graph, Question, Route, Step, WorkflowError
from .limits import Limits
from .values import UNSET

if TYPE_CHECKING:
    from ..agents.messages import Message
    from .diagram import Diagram
    from .events import Event
    from .journal import Journal
    from .outcome import Result
    from .problems import Problem
    from .session import RunOptions
    from .team import Team

Given = TypeVar("Given")
Doer = Any
"""Who does a step: an agent, the name of one, a function, or another workflow or team."""


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
        self.error = Ref("error")
        self.limits = limits or Limits()
        self._output = dict(output or {})
        self._steps: dict[str, Step] = {}
        self._after: dict[str, tuple[str, ...] | None] = {}
        self._routes: dict[str, list[Route]] = {}
        self._agents: dict[str, Any] = {}
        self._wired: Graph | None = None
        self._checked: tuple[tuple[Graph | None, ...], Any, list[Problem]] | None = None

    @classmethod
    def of(cls, graph: Graph, agents: Mapping[str, Any] | None = None) -> Workflow:
        """The workflow of a graph that was made elsewhere, such as from YAML."""
        made = cls(graph.name, graph.takes, output=graph.output, limits=graph.limits)
        made._steps = dict(graph.steps)
        # What ends a branch is no route, so that steps may be added after it.
        made._routes = {name: list(step.routes) for name, step in graph.steps.items() if step.routes != (Route(END),)}
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
        into: Ref | str | None = None,
        on_error: Ref | str | None = None,
        merge: str | Callable[[Mapping[str, Any]], Any] | None = None,
    ) -> Ref:
        """Add a step done by ``doer``, an agent, a function, or another workflow or team: a run of its own.

        ``input`` gives its arguments as Refs, expressions or constants; without it, the step takes what the step
        before gave. ``after`` names the steps that it follows; with several it waits for all of them, and ``merge``
        makes one value of what they gave: a name of :data:`.merging.MERGES`, or a pure function of a mapping from
        step to output. ``into`` is a growing list, made by :meth:`growing`, to which the output is added.
        ``on_error`` is the step that is led to when this one has failed finally; it is given the ``step`` and the
        ``error``.
        """
        made = self._doing(doer, name)
        return self._add(replace(made, input=_expressions(input), failure=failure, seconds=seconds, retry=retry,
                                 into=_name(into), on_error=_name(on_error), merge=merge), after)

    def ask(
        self,
        question: Ref | Expression | str,
        *,
        choices: Sequence[Any] = (),
        gives: type[Message] | None = None,
        name: str = "ask",
        after: Sequence[Ref | str] | Ref | str | None = None,
        into: Ref | str | None = None,
    ) -> Ref:
        """Add a step that asks a person; it gives the answer.

        The run is suspended while it only waits for answers, for as long as it takes and over any restart;
        ``resume(run, answers={name: answer})`` goes on. ``choices`` are the answers allowed, ``gives`` is the type
        of message that the answer has to be.
        """
        asked = Question(Expression.of(question), tuple(choices), gives)
        return self._add(Step(self._free(name), ask=asked, into=_name(into)), after)

    def sleep(
        self,
        seconds: Ref | Expression | float,
        *,
        name: str = "sleep",
        after: Sequence[Ref | str] | Ref | str | None = None,
    ) -> Ref:
        """Add a step that waits for some seconds, over any restart, and gives what it was given."""
        return self._add(Step(self._free(name), sleep=Expression.of(seconds)), after)

    def growing(self, name: str) -> Ref:
        """A list that grows during the run, for ``into=`` and for inputs: a transcript, a scratchpad.

        A step that reads it is given an immutable sequence; what is added later does not change that.
        """
        return Ref(name)

    def each(
        self,
        items: Ref | Expression,
        *,
        agent: Doer = None,
        do: Callable[..., Any] | Workflow | Team | None = None,
        input: Mapping[str, Any] | None = None,
        name: str | None = None,
        after: Sequence[Ref | str] | Ref | str | None = None,
        at_once: int = 8,
        failure: Failure = "fail_fast",
        seconds: float | None = None,
        retry: Retry | None = None,
        into: Ref | str | None = None,
        on_error: Ref | str | None = None,
    ) -> Ref:
        """Add a step that is done once for each of ``items``, ``at_once`` at a time; it gives the list of outputs.

        ``agent`` is an agent, a name, a Ref to a name, or a function from the item to one of these; ``do`` is a
        function of the item instead, or a workflow or team that is run on each. Items with ``needs`` (positions,
        from 1) wait for those; ``item.needs`` is then what they gave.
        """
        if (agent is None) == (do is None):
            raise WorkflowError("an each needs an agent or a function", where=name, mend="give agent= or do=")
        made = self._doing(agent if do is None else do, name, choose=do is None)
        return self._add(replace(made, input=_expressions(input), each=Expression.of(items), at_once=at_once,
                                 failure=failure, seconds=seconds, retry=retry, into=_name(into),
                                 on_error=_name(on_error)), after)

    def route(
        self, step: Ref | str, to: Ref | str | Sequence[Ref | str], *, when: Any = None, at_most: int | None = None
    ) -> None:
        """Add a way on from ``step``; they are tried in this order, and the first that is open is taken.

        ``to`` may be ``"$end"``, or several steps that then run side by side. One without ``when`` is always open,
        until it was taken ``at_most`` times. Raises WorkflowError for a condition that is a text.
        """
        if isinstance(when, str):
            mend = "compare a Ref: when=step.confidence > 0.5"
            raise WorkflowError(f"a text is no condition: {when!r}", where=str(step), mend=mend)
        targets = tuple(map(str, to)) if isinstance(to, list | tuple) else str(to)
        route = Route(targets, None if when is None else Expression.of(when), at_most)
        self._routes.setdefault(str(step), []).append(route)
        self._wired = None

    def _doing(self, doer: Doer, name: str | None, choose: bool = False) -> Step:
        """A step done by ``doer``; ``choose``: a function chooses the agent of an item."""
        agent = agent_from = call = workflow = None
        if is_workflow(doer):
            workflow = doer
        elif isinstance(doer, str):
            agent = doer
        elif isinstance(doer, Ref | Expression):
            agent_from = Expression.of(doer)
        elif hasattr(doer, "handle"):
            agent = doer.name
            self._agents[agent] = doer
        elif callable(doer):
            agent_from, call = (doer, None) if choose else (None, doer)
        else:
            mend = "give an agent, its name, a function or a workflow"
            raise WorkflowError(f"{doer!r} cannot do a step", where=name, mend=mend)
        wish = agent or getattr(doer, "name" if workflow is not None else "__name__", "step")
        return Step(name or self._free(str(wish)), agent, agent_from, call, workflow=workflow)

    def _add(self, step: Step, after: Sequence[Ref | str] | Ref | str | None) -> Ref:
        name = step.name
        spoken = name.isidentifier() and not iskeyword(name) and name not in WORDS
        if name in self._steps or not spoken or name in ("input", "team", "item", "index"):
            words = ", ".join(("input", "team", "item", "index", *WORDS))
            mend = f"give it a name of its own, a Python identifier other than {words}"
            raise WorkflowError(f"a step cannot be called {name!r} here", where=self.name, mend=mend)
        before = [after] if isinstance(after, Ref | str) else after
        self._after[name] = None if before is None else tuple(map(str, before))
        self._steps[name] = step
        self._wired = None
        return Ref(name)

    def _free(self, wish: str) -> str:
        wish = wish if wish.isidentifier() and not iskeyword(wish) and wish not in WORDS else "step"
        names = [wish, *(f"{wish}{number}" for number in range(2, len(self._steps) + 3))]
        return next(name for name in names if name not in self._steps)

    def graph(self) -> Graph:
        """The workflow as a frozen graph. Raises WorkflowError for one without steps."""
        from .wiring import wired

        if self._wired is None:
            self._wired = wired(
                self.name, self.takes, self._steps, self._after, self._routes,
                {key: Expression.of(value) for key, value in self._output.items()}, self.limits, self._start,
            )  # fmt: skip
        return self._wired

    @property
    def agents(self) -> Mapping[str, Any]:
        """The agents that were given to steps as objects."""
        return dict(self._agents)

    def check(self, agents: Mapping[str, Any] | None = None, *, within: Sequence[Any] = ()) -> list[Problem]:
        """Every mistake that can be found before the run, also in workflows that are steps; [] when there is none.

        ``within``: the workflows that this one is a step of, from the outermost on.
        """
        from .child_runs import graphs, problems
        from .outputs import types_of

        try:
            graph = self.graph()
        except WorkflowError as error:
            from .problems import Problem

            return [Problem(self.name, 0, 0, error.where or self.name, error.what, "", error.mend or "")]
        known = None if agents is None else {**self._agents, **agents}
        typed = {**self._agents, **(agents or {})}
        asked = None if known is None else frozenset(known), types_of(typed)
        seen = (graph, *graphs(graph))
        old, before, found = self._checked or ((), None, [])
        if within or before != asked or len(old) != len(seen) or any(map(is_not, old, seen)):
            found = graph.check(known, typed) + problems(graph, known, within or (self,))
            if not within:
                self._checked = seen, asked, found
        return list(found)

    def diagram(self, inside: bool = False) -> Diagram:
        """A picture, as Mermaid and as SVG; ``inside``: with the steps of workflows that are steps."""
        return self.graph().diagram(inside)

    async def run(
        self,
        message: Any,
        *,
        run_id: str | None = None,
        team: Any = None,
        **options: Unpack[RunOptions],
    ) -> Result:
        """Run the workflow on ``message``.

        Args:
            run_id: a name for the run; made up where it is None.
            team: what expressions see as ``team``; the agents as a ``cast`` where it is None.
            options: see :class:`..session.RunOptions`.

        Raises:
            WorkflowError: the workflow has a mistake, or the message is of another type.
        """
        from .session import session

        async with session(self, options) as (runner, cast):
            return await runner.run(message, team={"cast": cast} if team is None else team, run_id=run_id)

    async def resume(
        self,
        run: str,
        *,
        changed: bool = False,
        answers: Mapping[str, Any] | None = None,
        **options: Unpack[RunOptions],
    ) -> Result:
        """Go on with a run that was cut off, or that waits for ``answers`` (by step, or by the key of a question).

        Raises WorkflowError where the workflow is not the one it began with, unless ``changed`` allows it.
        """
        from .session import session

        async with session(self, options, kept=True) as (runner, _):
            return await runner.resume(run, changed=changed, answers=answers)

    async def fork(
        self,
        run: str,
        step: str | None = None,
        *,
        visit: int | None = None,
        index: int | None = None,
        message: Any = UNSET,
        output: Any = UNSET,
        run_id: str | None = None,
        **options: Unpack[RunOptions],
    ) -> Result:
        """A new run that shares what ``run`` did before ``step``, and goes its own way from there.

        ``message`` is given to the step in place of what it was given, or ``output`` stands for what it gave; with
        neither it is done again. Without a step the whole run is done again, on ``message``. See
        :class:`..fork.Fork`.
        """
        from .fork import Fork
        from .session import session

        async with session(self, options, kept=True) as (runner, _):
            return await runner.fork(run, Fork(step, visit, index, message, output), run_id=run_id)

    def replay(self, run: str, *, journal: Journal | str | Path) -> Result:
        """The result of a run from its record; nothing is computed again."""
        from .record import replay
        from .session import opened

        with opened(journal, kept=True) as book:
            return replay(self.graph(), book, run)

    def run_sync(self, message: Any, **options: Any) -> Result:
        """As :meth:`run`, outside any event loop."""
        return run_alone(self.run(message, **options), "flow.run(…)")

    def resume_sync(self, run: str, **options: Any) -> Result:
        """As :meth:`resume`, outside any event loop."""
        return run_alone(self.resume(run, **options), "flow.resume(…)")

    def fork_sync(self, run: str, step: str | None = None, **options: Any) -> Result:
        """As :meth:`fork`, outside any event loop."""
        return run_alone(self.fork(run, step, **options), "flow.fork(…)")

    def stream(self, message: Any, **options: Any) -> AsyncIterator[Event | Result]:
        """The events of a run as they happen, and its result as the last."""
        from .session import streamed

        return streamed(lambda on_event: self.run(message, on_event=on_event, **options))


def _expressions(input: Mapping[str, Any] | None) -> dict[str, Expression]:
    return {key: Expression.of(value) for key, value in (input or {}).items()}


def _name(ref: Ref | str | None) -> str | None:
    return None if ref is None else str(ref)


def is_workflow(doer: Any) -> bool:
    """Whether ``doer`` is a workflow, or has one as a team has."""
    return isinstance(doer, Workflow) or isinstance(getattr(doer, "workflow", None), Workflow)


def run_alone(work: Coroutine[Any, Any, Given], awaited: str) -> Given:
    """Run ``work`` in an event loop of its own. Raises WorkflowError where one runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    raise WorkflowError("an event loop is running here already", mend=f"write: await {awaited}")


__all__ = ["END", "Limits", "Retry", "Workflow", "run_alone"]
