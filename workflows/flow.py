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
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from operator import is_not
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from ..agents.retry import Retry
from .composition import Composition, Doer, is_workflow
from .graph import END, Graph, Route, WorkflowError
from .limits import Limits
from .values import UNSET

if TYPE_CHECKING:
    from .diagram import Diagram
    from .events import Event
    from .journal import Journal
    from .outcome import Result
    from .problems import Problem
    from .session import RunOptions

Given = TypeVar("Given")


class Workflow(Composition):
    """Steps and the routes between them.

    A step follows the one declared before it, unless ``after`` or :meth:`route` says otherwise. Each step gives a
    :class:`.refs.Ref`, which stands for its output in later steps.

    Args:
        name: of the workflow.
        takes: the type of its input; None for any value.
        output: name → Ref, expression or constant; when empty, what the last step gave.
        limits: seconds and effects that a run may use.
    """

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


def run_alone(work: Coroutine[Any, Any, Given], awaited: str) -> Given:
    """Run ``work`` in an event loop of its own. Raises WorkflowError where one runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    work.close()
    raise WorkflowError("an event loop is running here already", mend=f"write: await {awaited}")


__all__ = ["END", "Doer", "Limits", "Retry", "Workflow", "is_workflow", "run_alone"]
