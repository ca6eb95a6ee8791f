"""A session: what one run needs around it, opened and closed in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from ..agents.bus import MessageBus
from .cast import cast_of
from .child_runs import teams
from .drain import Drain
from .events import Event
from .graph import WorkflowError
from .journal import Journal, JournalError
from .outcome import Result
from .questions import OpenQuestion
from .runner import Runner
from .runtime import AsyncioRuntime

if TYPE_CHECKING:
    from .flow import Workflow


@contextmanager
def opened(journal: Journal | str | Path, *, kept: bool = False) -> Iterator[Journal]:
    """The journal; one that is opened here is closed here. Raises JournalError for one that is ``kept`` and missing."""
    if isinstance(journal, Journal):
        yield journal
        return
    if kept and str(journal) != ":memory:" and not Path(journal).exists():
        raise JournalError("there is no journal", where=str(journal), mend="name the file that the run is kept in")
    with Journal(journal) as book:
        yield book


class RunOptions(TypedDict, total=False):
    """What a run may be given beside its message.

    Keys:
        agents: those that steps name, beside those given as objects.
        journal: where it is kept: a :class:`Journal`, or the path of one; nowhere if it is missing.
        on_event: told of every event.
        on_question: asks a person while the run waits in this process; without it the run is suspended.
        drain: ends the run in good order when it is asked to.
        bus: reaches the agents; one is made where it is missing.
    """

    agents: Mapping[str, Any] | None
    journal: Journal | str | Path | None
    on_event: Callable[[Event], None] | None
    on_question: Callable[[OpenQuestion], Awaitable[Any]] | None
    drain: Drain | None
    bus: MessageBus | None


@asynccontextmanager
async def session(flow: Workflow, options: RunOptions, *, kept: bool = False) -> AsyncIterator[tuple[Runner, Any]]:
    """A runner for a workflow that has been checked, and the cast; ``kept``: the run is in the journal already.

    Raises WorkflowError for the first mistake, and JournalError where a journal is needed and is not there.
    """
    unknown = [name for name in options if name not in RunOptions.__annotations__]
    if unknown:
        mend = f"there is: {', '.join(RunOptions.__annotations__)}"
        if unknown == ["limits"]:
            mend = "limits belong to the workflow: Workflow(…, limits=Limits(…))"
        raise WorkflowError(f"a run has no option {unknown[0]!r}", where=flow.name, mend=mend)
    graph = flow.graph()
    bus, journal = options.get("bus"), options.get("journal")
    known = {**flow.agents, **(options.get("agents") or {})}
    found = flow.check(None if bus is not None else options.get("agents") or {})
    if found:
        first = found[0]
        raise WorkflowError(first.what, where=f"{graph.name}.{first.path}", mend=first.suggestion or None)
    for team in teams(graph):
        team.require_heads()
    with nullcontext() if journal is None else opened(journal, kept=kept) as book:
        runner = Runner(
            graph, AsyncioRuntime(known, bus), book, on_event=options.get("on_event"),
            on_question=options.get("on_question"), drain=options.get("drain"),
        )  # fmt: skip
        yield runner, cast_of(known)


async def streamed(start: Callable[[Callable[[Event], None]], Awaitable[Result]]) -> AsyncIterator[Event | Result]:
    """Events while a run goes on, then its result. When the reader stops, so does the run."""
    queue: asyncio.Queue[Event | None] = asyncio.Queue()

    async def work() -> Result:
        try:
            return await start(queue.put_nowait)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(work())
    try:
        while (event := await queue.get()) is not None:
            yield event
        yield await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
