"""A session: what one run needs around it, opened and closed in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.bus import MessageBus
from .events import Event
from .graph import WorkflowError
from .journal import Journal
from .outcome import Result
from .runner import Runner, cast_of
from .runtime import AsyncioRuntime

if TYPE_CHECKING:
    from .flow import Workflow


@contextmanager
def opened(journal: Journal | str | Path | None) -> Iterator[Journal]:
    """The journal; one that is opened here is closed here."""
    if isinstance(journal, Journal):
        yield journal
        return
    with Journal(":memory:" if journal is None else journal) as book:
        yield book


@asynccontextmanager
async def session(
    flow: Workflow,
    agents: Mapping[str, Any] | None,
    journal: Journal | str | Path | None,
    on_event: Callable[[Event], None] | None,
    bus: MessageBus | None,
) -> AsyncIterator[tuple[Runner, Any]]:
    """A runner for a workflow that has been checked, and the cast. Raises WorkflowError for the first mistake."""
    graph = flow.graph()
    known = {**flow.agents, **(agents or {})}
    problems = graph.check(None if bus is not None else known)
    if problems:
        first = problems[0]
        raise WorkflowError(first.what, where=f"{graph.name}.{first.path}", mend=first.suggestion or None)
    with opened(journal) as book:
        yield Runner(graph, AsyncioRuntime(known, bus), book, on_event=on_event), cast_of(known)


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
