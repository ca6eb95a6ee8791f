"""The other sides of benchmarks/orchestration.py: bare asyncio, bare SQLite, autogen-core and langgraph.

Each peer is used as its documentation says, with what makes it fastest where there is a choice: autogen-core with
tracing off and agents that derive from ``BaseAgent``, which spares it the dispatch by type; langgraph with ``invoke``
and plain nodes, and with ``ainvoke`` and async ones. Nothing is imported from a peer before it is used.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import json
import operator
import os
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

from understudy.agents.messages import Message

os.environ.setdefault("AUTOGEN_DISABLE_RUNTIME_TRACING", "true")
os.environ.setdefault("LANGSMITH_TRACING", "false")

BUILD = Path(__file__).resolve().parent.parent / "build"
Handle = Callable[[Any], Awaitable[Any]]
Told = Callable[[int], None] | None
Measure = Callable[[], float]
"""One repeat; gives microseconds for one message or step."""

SHAPES = {"chain": 100, "map": 100, "loop": 1_000, "growing": 1_000}


def version(package: str) -> str | None:
    """The version of an installed package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


# What all sides send and do.


class Ping(Message):
    """What is sent."""

    text: str
    number: int


class Pong(Message):
    """What is answered."""

    number: int


def ping(number: int) -> Ping:
    return Ping(text="how are you", number=number)


async def ignore(message: Any) -> None:
    return None


async def pong(message: Any) -> Pong:
    return Pong(number=message.number)


async def more(number: int) -> int:
    return number + 1


async def nothing(value: Any) -> Any:
    return value


async def split(size: int) -> list[int]:
    return list(range(size))


def said(number: int) -> dict[str, str]:
    """A message of a talk."""
    return {"role": "assistant", "content": f"This is message {number} of a talk that goes on for a while."}


def each(seconds: float, count: int) -> float:
    """Microseconds for each of ``count``."""
    return seconds / count * 1e6


def in_loop(work: Callable[[], Any], count: int) -> Measure:
    """``work`` in an event loop of its own, for each of ``count``."""
    return lambda: each(asyncio.run(work()), count)


def steps(shape: str, size: int) -> int:
    """How many steps a run makes."""
    return size + 2 if shape == "map" else size


@contextmanager
def place(file: Path | None) -> Iterator[Path]:
    """``file``; for None one in a new folder on the checkout's disk, which is deleted afterwards."""
    if file is not None:
        yield file
        return
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        yield Path(folder) / "kept.sqlite"


def resident() -> float:
    """MiB that this process holds."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
    except OSError:
        import psutil

        return float(psutil.Process().memory_info().rss) / 2**20


async def grown(work: Callable[..., Awaitable[float]], count: int) -> float:
    """MiB by which this process grows at most while ``work`` publishes ``count`` messages to a slow handler."""
    most, handled = 0.0, 0

    def look(number: int) -> None:
        nonlocal most
        if number % 500 == 0:
            most = max(most, resident())

    async def slow(message: Any) -> None:
        nonlocal handled
        handled += 1
        look(handled)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    await work(slow, 1, 1_000, look)
    before, most = resident(), 0.0
    await work(slow, 1, count, look)
    return most - before


# Bare asyncio and bare SQLite.


async def queue_publish(consumers: int, count: int) -> float:
    """Seconds until ``count`` messages have gone through a bounded queue for each consumer."""
    queues: list[asyncio.Queue[Ping]] = [asyncio.Queue(64) for _ in range(consumers)]

    async def consume(queue: asyncio.Queue[Ping]) -> None:
        while True:
            await ignore(await queue.get())
            queue.task_done()

    tasks = [asyncio.create_task(consume(queue)) for queue in queues]
    began = time.perf_counter()
    for number in range(count):
        message = ping(number)
        for queue in queues:
            await queue.put(message)
    for queue in queues:
        await queue.join()
    taken = time.perf_counter() - began
    for task in tasks:
        task.cancel()
    return taken


async def future_request(count: int) -> float:
    """Seconds for ``count`` futures, each set by a callback and awaited."""
    loop = asyncio.get_running_loop()

    def answer(future: asyncio.Future[Pong], message: Ping) -> None:
        future.set_result(Pong(number=message.number))

    began = time.perf_counter()
    for number in range(count):
        future: asyncio.Future[Pong] = loop.create_future()
        loop.call_soon(answer, future, ping(number))
        await future
    return time.perf_counter() - began


async def bare(shape: str, size: int) -> float:
    """Seconds for the steps of a shape without anything around them."""
    began = time.perf_counter()
    value = 0
    messages: list[dict[str, str]] = []
    if shape == "map":
        await nothing(await asyncio.gather(*map(nothing, await split(size))))
    elif shape == "growing":
        while len(messages) < size:
            messages.append(await nothing(said(len(messages))))
    else:
        while value < size:
            value = await more(value)
    return time.perf_counter() - began


def commits(count: int, synchronous: str) -> float:
    """Microseconds for a small row and its commit: what the disk takes of a durable step."""
    text = json.dumps(said(0))
    with place(None) as path:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, body TEXT)")
        began = time.perf_counter()
        for number in range(count):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO kept VALUES (?, ?)", (number, text))
            db.execute("COMMIT")
        taken = time.perf_counter() - began
        db.close()
    return each(taken, count)


# autogen-core: its SingleThreadedAgentRuntime.


async def _runtime(handle: Handle, agents: int) -> Any:
    """A started runtime with agents ``a0``, ``a1``, … that subscribe to ``topic``."""
    from autogen_core import BaseAgent, SingleThreadedAgentRuntime, TypeSubscription

    class Peer(BaseAgent):
        async def on_message_impl(self, message: Any, ctx: Any) -> Any:
            return await handle(message)

    runtime = SingleThreadedAgentRuntime()
    for number in range(agents):
        await Peer.register(runtime, f"a{number}", lambda: Peer("a peer"))
        await runtime.add_subscription(TypeSubscription("topic", f"a{number}"))
    runtime.start()
    return runtime


async def autogen_publish(handle: Handle, subscribers: int, count: int, told: Told = None) -> float:
    """Seconds from the first of ``count`` publishes until all were handled; ``told`` hears of each publish."""
    from autogen_core import TopicId

    runtime, topic = await _runtime(handle, subscribers), TopicId("topic", "default")
    began = time.perf_counter()
    for number in range(count):
        await runtime.publish_message(ping(number), topic)
        if told is not None:
            told(number)
    await runtime.stop_when_idle()
    return time.perf_counter() - began


async def autogen_request(count: int) -> float:
    """Seconds for ``count`` requests, one after the other."""
    from autogen_core import AgentId

    runtime, agent = await _runtime(pong, 1), AgentId("a0", "default")
    began = time.perf_counter()
    for number in range(count):
        await runtime.send_message(ping(number), agent)
    taken = time.perf_counter() - began
    await runtime.stop_when_idle()
    return taken


# langgraph: its StateGraph.


def has_delta_channel() -> bool:
    """Whether this langgraph has the channel that keeps what was added to a list instead of the list."""
    return importlib.util.find_spec("langgraph.channels.delta") is not None


def _extended(messages: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    return [*messages, *(message for write in writes for message in write)]


def _graph(shape: str, size: int, asynchronous: bool, delta: bool) -> tuple[Any, dict[str, Any]]:
    """The graph before it is compiled, and its input."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    fields: dict[str, Any] = {"number": int}
    given: dict[str, Any] = {"number": 0}
    if shape in ("map", "growing"):
        adding: Any = operator.add
        if delta:
            from langgraph.channels import DeltaChannel

            adding = DeltaChannel(_extended)
        fields["messages"], given["messages"] = Annotated[list, adding], []
    builder: Any = StateGraph(TypedDict("State", fields))  # type: ignore[operator]

    def add(name: str, act: Callable[[Any], Any]) -> None:
        async def later(state: Any) -> Any:
            return act(state)

        builder.add_node(name, later if asynchronous else act)

    if shape == "chain":
        for number in range(size):
            add(f"s{number}", lambda state: {"number": state["number"] + 1})
            builder.add_edge(f"s{number - 1}" if number else START, f"s{number}")
    elif shape == "map":
        add("split", lambda state: {"number": size})
        add("one", lambda state: {"messages": [state["number"]]})
        add("join", lambda state: {"number": len(state["messages"])})
        builder.add_edge(START, "split")
        builder.add_conditional_edges(
            "split", lambda state: [Send("one", {"number": n}) for n in range(state["number"])], ["one"]
        )
        builder.add_edge("one", "join")
    else:
        if shape == "loop":
            add("turn", lambda state: {"number": state["number"] + 1})
        else:
            add("turn", lambda state: {"number": state["number"] + 1, "messages": [said(state["number"])]})
        builder.add_edge(START, "turn")
        builder.add_conditional_edges("turn", lambda state: "turn" if state["number"] < size else END, ["turn", END])
    return builder, given


def langgraph(
    shape: str, size: int, *, file: Path | None = None, way: str = "invoke", saver: str | None = None,
    delta: bool = False,
) -> float:  # fmt: skip
    """Microseconds a step.

    Args:
        way: ``invoke`` with plain nodes, or ``ainvoke`` with async ones.
        saver: None, ``memory``, or the PRAGMA synchronous of an SqliteSaver on ``file``: ``full`` or ``normal``.
        delta: keep the list in a DeltaChannel.
    """
    with place(file) as path:
        return each(_run(shape, size, path, way, saver, delta), steps(shape, size))


def _run(shape: str, size: int, file: Path, way: str, saver: str | None, delta: bool) -> float:
    builder, given = _graph(shape, size, way == "ainvoke", delta)
    config = {"recursion_limit": 10 * size + 100, "configurable": {"thread_id": "1"}}
    connection: sqlite3.Connection | None = None
    kept: Any = None
    options: dict[str, Any] = {}
    if saver == "memory":
        from langgraph.checkpoint.memory import InMemorySaver

        kept = InMemorySaver()
    elif saver is not None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        connection = sqlite3.connect(file, check_same_thread=False)
        kept, options = SqliteSaver(connection), {"durability": "sync"}
        kept.setup()  # puts the file into WAL mode, in which the journal is too
        connection.execute(f"PRAGMA synchronous = {saver}")
    graph = builder.compile(checkpointer=kept)

    async def awaited() -> tuple[float, Any]:
        began = time.perf_counter()
        state = await graph.ainvoke(given, config, **options)
        return time.perf_counter() - began, state

    if way == "ainvoke":
        taken, state = asyncio.run(awaited())
    else:
        began = time.perf_counter()
        state = graph.invoke(given, config, **options)
        taken = time.perf_counter() - began
    if connection is not None:
        connection.close()
    if state["number"] != size or len(state.get("messages", range(size))) != size:
        raise AssertionError(f"langgraph's {shape} ended otherwise: {state['number']}")
    return taken
