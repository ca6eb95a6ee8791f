"""The bus and the workflows beside autogen-core, langgraph and bare asyncio: ratios of one run.

    python -m benchmarks.orchestration [--quick] [--only NAME] [--json]
    python -m benchmarks.orchestration --profile NAME

Peers that are not installed are skipped: ``pip install "understudy[peers]"`` in an environment of its own (from a
checkout: ``pip install ".[peers]"``). What is measured, each as the median of repeats in which the sides take turns;
the setting up of a bus, the compiling of a peer's graph and our check of a workflow are left out:

- ``publish-1``, ``publish-4``: from a publish until one or four subscribers have handled it, beside an asyncio.Queue
  of 64 places and one consumer for each subscriber, and beside autogen-core's SingleThreadedAgentRuntime;
- ``request``: from a request to its reply, beside a future that is set by ``call_soon``, and autogen-core;
- ``memory``: how much a process grows while it publishes as fast as it may to a consumer that is slower;
- ``chain``, ``map``, ``loop``, ``growing``: a step of 100 in a row; of 100 side by side between a split and a join; of
  1,000 turns; of 1,000 turns that each add a message to a list. The steps do nothing: all of it is overhead. Beside
  langgraph without a checkpointer and with InMemorySaver, by the faster of ``invoke`` and ``ainvoke``;
- ``chain-full``, ``chain-normal`` and so on: the same kept on disk, each step committed before a later one starts,
  beside langgraph's SqliteSaver with ``durability="sync"`` and the same PRAGMA synchronous, and beside one bare INSERT
  and COMMIT a step;
- ``journal``: bytes on disk and time for a step, at 1,000 and at 10,000 steps.

It rests on agents/bus.py, agents/mailbox.py, workflows/engine.py, workflows/runner.py and workflows/journal.py; the
other sides are in benchmarks/orchestration_peers.py.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import platform
import pstats
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import orchestration_peers as peers
from benchmarks.orchestration_peers import SHAPES, Measure, each, in_loop, more, nothing, ping, place, said, steps
from understudy.agents.bus import MessageBus
from understudy.agents.messages import Envelope
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.refs import Ref, length

Goal = tuple[str, float | None]
"""``("at most", 5)``: ours is at most five times theirs; ``("at least", 5)``: theirs is at least five times ours."""

CHECKOUT = Path(__file__).resolve().parent.parent
MESSAGES = 2_000
PACKAGES = {name: peers.version(name) for name in ("autogen-core", "langgraph", "langgraph-checkpoint-sqlite")}
AUTOGEN, LANGGRAPH = PACKAGES["autogen-core"] is not None, PACKAGES["langgraph"] is not None
SQLITE = LANGGRAPH and PACKAGES["langgraph-checkpoint-sqlite"] is not None


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    ratio: float | None = None
    goal: str = ""
    reached: bool | None = None

    def __str__(self) -> str:
        theirs = "" if self.theirs is None else f"{self.theirs:,.2f}"
        ratio = "" if self.ratio is None else f"{self.ratio:,.2f} x"
        reached = "" if self.reached is None else "yes" if self.reached else "NO"
        return (
            f"{self.name:27}{self.unit:6}{self.ours:10,.2f}  {self.peer:34}{theirs:>11}{ratio:>11}  "
            f"{self.goal:14}{reached}"
        ).rstrip()


def compared(name: str, unit: str, ours: float, peer: str, theirs: float, goal: Goal) -> Row:
    """The row of two sides."""
    sign, bound = goal
    ratio = ours / theirs if sign == "at most" else theirs / ours
    if bound is None:
        return Row(name, unit, ours, peer, theirs, ratio)
    reached = ratio <= bound if sign == "at most" else ratio >= bound
    return Row(name, unit, ours, peer, theirs, ratio, f"{sign} {bound:g} x", reached)


@dataclass(frozen=True)
class Case:
    """Our side of one thing that is measured, and the others by name: their ways, the fastest of which counts."""

    name: str
    ours: Measure
    others: Mapping[str, tuple[Goal, Mapping[str, Measure]]]

    def rows(self, repeats: int) -> list[Row]:
        """Measure all sides."""
        sides = {("", ""): self.ours}
        sides |= {(peer, way): one for peer, (_, ways) in self.others.items() for way, one in ways.items()}
        taken = turns(sides, repeats)
        rows = []
        for peer, (goal, ways) in self.others.items():
            theirs, way = min((taken[peer, way], way) for way in ways)
            label = f"{peer}, {way}" if way else peer
            rows.append(compared(self.name, "µs", taken["", ""], label, theirs, goal))
        return rows


def turns(sides: Mapping[Any, Measure], repeats: int) -> dict[Any, float]:
    """Medians; the sides take turns, so that a slow moment falls on all of them. The first turn does not count."""
    taken: dict[Any, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        for name, side in sides.items():
            gc.collect()
            value = side()
            if turn:
                taken[name].append(value)
    return {name: median(values) for name, values in taken.items()}


async def publish(handle: peers.Handle, subscribers: int, count: int, told: peers.Told = None) -> float:
    """Seconds from the first of ``count`` publishes until all were handled; ``told`` hears of each publish."""
    async with MessageBus() as bus:
        for number in range(subscribers):
            bus.register(f"a{number}", handle)
            bus.subscribe(f"a{number}", peers.Ping)
        began = time.perf_counter()
        for number in range(count):
            await bus.publish(ping(number))
            if told is not None:
                told(number)
        await bus.drain()
        return time.perf_counter() - began


async def request(count: int) -> float:
    """Seconds for ``count`` requests, one after the other."""

    async def answer(envelope: Envelope) -> peers.Pong:
        return await peers.pong(envelope.body)

    async with MessageBus() as bus:
        bus.register("a", answer)
        began = time.perf_counter()
        for number in range(count):
            await bus.request(ping(number), "a")
        return time.perf_counter() - began


async def another(messages: Sequence[dict[str, str]]) -> dict[str, str]:
    return said(len(messages))


def growing(size: int) -> Workflow:
    """A list with one message more each turn; every turn is given the whole list."""
    flow = Workflow("growing", output={"value": Ref("messages")})
    messages = flow.growing("messages")
    turn = flow.step(another, name="turn", input={"messages": messages}, into=messages)
    flow.route(turn, turn, when=length(messages) < size, at_most=size)
    flow.route(turn, "$end")
    return flow


def workflow(shape: str, size: int) -> tuple[Workflow, Any]:
    """The workflow and its input."""
    if shape == "growing":
        return growing(size), []
    flow = Workflow(shape)
    if shape == "chain":
        for number in range(size):
            flow.step(more, name=f"s{number}")
    elif shape == "map":
        items = flow.step(peers.split, name="split")
        flow.each(items, do=nothing, name="one", at_once=size)
        flow.step(nothing, name="join")
    else:
        turn = flow.step(more, name="turn")
        flow.route(turn, turn, when=turn < size, at_most=size)
        flow.route(turn, "$end")
    return flow, size if shape == "map" else 0


def run(shape: str, size: int, synchronous: str | None = None, file: Path | None = None) -> float:
    """Microseconds a step; with ``synchronous`` in a journal on disk, elsewhere without one."""
    flow, given = workflow(shape, size)
    flow.check({})  # what compiling is to a peer

    async def timed(journal: Journal | None) -> float:
        began = time.perf_counter()
        result = await flow.run(given, journal=journal)
        taken = time.perf_counter() - began
        found = result.output["value"]
        if result.status != "completed" or (found if isinstance(found, int) else len(found)) != size:
            raise AssertionError(f"our {shape} ended as {result.status}")
        return taken

    if synchronous is None:
        return each(asyncio.run(timed(None)), steps(shape, size))
    with place(file) as path, Journal(path, synchronous=synchronous) as journal:
        return each(asyncio.run(timed(journal)), steps(shape, size))


def cases() -> Iterator[Case]:
    """All that compare times, in the order of the table."""
    faster: Goal = ("at least", 10.0)
    leaner: Goal = ("at least", 5.0)
    others: dict[str, tuple[Goal, Mapping[str, Measure]]]
    for count in (1, 4):
        others = {"asyncio.Queue": (("at most", 5.0), _one(peers.queue_publish, count, MESSAGES))}
        if AUTOGEN:
            others["autogen-core"] = faster, _one(peers.autogen_publish, peers.ignore, count, MESSAGES)
        yield Case(f"publish-{count}", in_loop(partial(publish, peers.ignore, count, MESSAGES), MESSAGES), others)
    others = {"a bare future": (("at most", 3.0), _one(peers.future_request, MESSAGES))}
    if AUTOGEN:
        others["autogen-core"] = ("at least", None), _one(peers.autogen_request, MESSAGES)
    yield Case("request", in_loop(partial(request, MESSAGES), MESSAGES), others)
    for shape, size in SHAPES.items():
        bare = in_loop(partial(peers.bare, shape, size), steps(shape, size))
        others = {"bare asyncio": (("at most", None), {"": bare})}
        for name, saver in (("langgraph", None), ("langgraph InMemorySaver", "memory")) if LANGGRAPH else ():
            ways = {way: partial(peers.langgraph, shape, size, way=way, saver=saver) for way in ("invoke", "ainvoke")}
            others[name] = leaner, ways
        yield Case(shape, partial(run, shape, size), others)
    for shape, size in SHAPES.items():
        for synchronous in ("full", "normal"):
            bare = partial(peers.commits, steps(shape, size), synchronous)
            others = {"INSERT and COMMIT": (("at most", None), {"": bare})}
            for name, delta in _savers(shape):
                others[name] = leaner, {"": partial(peers.langgraph, shape, size, saver=synchronous, delta=delta)}
            yield Case(f"{shape}-{synchronous}", partial(run, shape, size, synchronous), others)


def _one(work: Callable[..., Any], *arguments: Any) -> dict[str, Measure]:
    return {"": in_loop(partial(work, *arguments), MESSAGES)}


def _savers(shape: str) -> list[tuple[str, bool]]:
    """The ways of langgraph to keep a shape on disk, and whether each uses a DeltaChannel."""
    ways = [("langgraph SqliteSaver", False)] if SQLITE else []
    if SQLITE and shape == "growing" and peers.has_delta_channel():
        ways.append(("SqliteSaver, DeltaChannel (beta)", True))
    return ways


def memory(quick: bool) -> list[Row]:
    """Each side in a process of its own."""

    def one(side: str, count: int) -> float:
        command = [sys.executable, "-m", "benchmarks.orchestration", "--grown", side, "--count", str(count)]
        return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=CHECKOUT).stdout)

    ours, count = one("ours", 200_000), 50_000 if quick else 200_000
    name = "memory, 200,000 publishes"
    if not AUTOGEN:
        return [Row(name, "MiB", ours)]
    return [Row(name, "MiB", ours, f"autogen-core, {count:,} publishes", one("autogen-core", count))]


def journal(repeats: int) -> list[Row]:
    """Bytes and time for a step at two lengths; PRAGMA synchronous is ``normal``, so that the disk is not the clock."""
    sizes: dict[tuple[str, str, int], float] = {}

    def kept(peer: str, shape: str, size: int, work: Callable[..., float]) -> float:
        with place(None) as path:
            taken = work(shape, size, file=path)
            sizes[peer, shape, size] = sum(file.stat().st_size for file in path.parent.iterdir()) / size
        return taken

    sides: dict[tuple[str, str, int], Measure] = {}
    shapes = [("loop", 1_000), ("loop", 10_000), ("growing", 1_000)]
    for shape, size in shapes:
        sides["", shape, size] = partial(kept, "", shape, size, partial(run, synchronous="normal"))
        for peer, delta in _savers(shape) if size == 1_000 else ():
            work = partial(peers.langgraph, saver="normal", delta=delta)
            sides[peer, shape, size] = partial(kept, peer, shape, size, work)
    rows = []
    for values, unit in ((turns(sides, repeats), "µs"), (sizes, "bytes")):
        for shape, size in shapes:
            name, ours = f"journal, {shape} of {size:,}", values["", shape, size]
            found = [(peer, values[peer, shape, size]) for peer, _ in _savers(shape) if size == 1_000]
            rows += [compared(name, unit, ours, *one, ("at least", None)) for one in found] or [Row(name, unit, ours)]
    return rows


def profile(name: str) -> None:
    """Our side of one case under cProfile: the 25 functions with the most time of their own."""
    found = next((one for one in cases() if one.name.startswith(name)), None)
    if found is None:
        raise SystemExit(f"there is no case {name!r}; there are {', '.join(one.name for one in cases())}")
    found.ours()
    with cProfile.Profile() as profiler:
        found.ours()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--only", metavar="NAME", default="", help="the cases whose names begin so")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", metavar="NAME", help="profile our side of the first case whose name begins so")
    parser.add_argument("--grown", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grown:
        work = publish if options.grown == "ours" else peers.autogen_publish
        print(asyncio.run(peers.grown(work, options.count)))
        return
    if options.profile:
        profile(options.profile)
        return
    parts: list[tuple[str, Callable[[], list[Row]]]] = [
        (one.name, partial(one.rows, 3 if options.quick else 9)) for one in cases()
    ]
    parts.insert(3, ("memory", partial(memory, options.quick)))
    parts.append(("journal", partial(journal, 1 if options.quick else 3)))
    if not options.json:
        for name, found in PACKAGES.items():
            print(f"{name} {found}" if found else f"{name} is not installed: skipped")
        print("Ratios: ours to what is bare, the peers' to ours; medians of one run.\n")
        print(f"{'':33}{'ours':>10}  {'':34}{'theirs':>11}{'ratio':>11}  goal")
    rows: list[Row] = []
    for name, measure in parts:
        if name.startswith(options.only):
            rows += (new := measure())
            if not options.json:
                print(*new, sep="\n", flush=True)
    if options.json:
        versions = {"python": platform.python_version(), **PACKAGES}
        print(json.dumps({"versions": versions, "rows": [asdict(one) for one in rows]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
