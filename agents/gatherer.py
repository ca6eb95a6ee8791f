"""The gatherer: calls that wait for one decoder are decoded together, whoever made them.

While a batch is being decoded in its thread, new calls queue; when it is done they form the next batch. So agents
that work at the same time share forward passes without knowing of each other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, finalize, ref

from ..core.errors import UnderstudyError

if TYPE_CHECKING:
    from ..core.fields import Record
    from ..core.prompts import Prompt


@dataclass(frozen=True)
class Call:
    """What a decoder is asked: what to read, what to fill, and with whose head (``""``: the bare backbone).

    ``listen``: called with each field and piece of text of the answer as it is written, from the decoder's thread;
    again from the beginning, where the call is decoded again.
    """

    prompt: Prompt
    record: Record
    head: str = ""
    listen: Callable[[str, str], None] | None = field(default=None, compare=False, repr=False)


class Reply(Protocol):
    """What a decoder answers: the record's values, confidence in [0, 1], tokens read and written, seconds."""

    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def tokens(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class Decoder(Protocol):
    """Answers calls in the order given; it blocks, and is never entered by two threads at once."""

    def decode(self, calls: Sequence[Any], /) -> Sequence[Reply]: ...


class Gatherer:
    """Hands the calls that wait to one ``decode``, at most ``most`` of them, in a thread."""

    def __init__(self, decoder: Decoder, most: int = 64) -> None:
        # Weak, so that the registry below does not keep a backbone in memory; whoever asks holds the decoder.
        self._decoder = ref(decoder)
        self._most = most
        self._one_at_a_time = threading.Lock()
        # Futures belong to their event loop, and a program may run several, one after the other or in threads.
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    async def ask(self, call: Call) -> Reply:
        """The reply to ``call``. Raises what the decoder raises for this call."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines.setdefault(loop, _Line([]))
        future: asyncio.Future[Reply] = loop.create_future()
        line.waiting.append((call, future))
        if line.task is None or line.task.done():
            line.task = loop.create_task(self._drain(line), name="gatherer")
        return await future

    async def _drain(self, line: _Line) -> None:
        batch: list[tuple[Call, asyncio.Future[Reply]]] = []
        try:
            # One turn of the loop, so that those who are ready to ask now are in the first batch.
            await asyncio.sleep(0)
            while line.waiting:
                taken, line.waiting = line.waiting[: self._most], line.waiting[self._most :]
                batch = [(call, future) for call, future in taken if not future.done()]
                if batch:
                    answers = await asyncio.to_thread(self._decode, [call for call, _ in batch])
                    _hand_out(batch, answers)
        except asyncio.CancelledError:
            for _, future in (*batch, *line.waiting):
                future.cancel()
            raise

    def _decode(self, calls: Sequence[Call]) -> Sequence[Reply | Exception]:
        with self._one_at_a_time:
            try:
                decoder = self._decoder()
                if decoder is None:
                    raise UnderstudyError("the decoder is gone", mend="keep it as long as its agents")
                replies = decoder.decode(calls)
                if len(replies) != len(calls):
                    raise UnderstudyError(f"the decoder gave {len(replies)} replies to {len(calls)} calls")
                return replies
            except Exception as error:
                if len(calls) == 1:
                    return [error]
        # One bad call must not fail the others in its batch: each is tried alone.
        return [self._decode([call])[0] for call in calls]


@dataclass
class _Line:
    waiting: list[tuple[Call, asyncio.Future[Reply]]]
    task: asyncio.Task[None] | None = None


def _hand_out(
    batch: Sequence[tuple[Call, asyncio.Future[Reply]]], answers: Sequence[Reply | Exception]
) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


# Asking may load a backbone or wait for a place; tools that run in the loop's own threads must not wait with it.
_askers = ThreadPoolExecutor(4, thread_name_prefix="asking")


async def ask(decoder: Decoder, call: Call, owner: str = "") -> Reply:
    """The reply to ``call``: by a decoder that batches continuously (``submit``), or else through its gatherer.

    When the caller is cancelled, the call leaves its batch before its next token.
    """
    submit = getattr(decoder, "submit", None)
    if submit is None:
        return await gatherer(decoder).ask(call)
    submitted = asyncio.get_running_loop().run_in_executor(_askers, submit, call, owner)
    try:
        future = await asyncio.shield(submitted)
    except asyncio.CancelledError:
        submitted.add_done_callback(lambda done: done.cancelled() or done.exception() or done.result().cancel())
        raise
    reply: Reply = await asyncio.wrap_future(future)
    return reply


# By identity: a decoder need not be hashable.
_gatherers: dict[int, Gatherer] = {}


def gatherer(decoder: Decoder) -> Gatherer:
    """The one gatherer of ``decoder``: all agents that share a decoder share its batches."""
    key = id(decoder)
    if key not in _gatherers:
        _gatherers[key] = Gatherer(decoder)
        finalize(decoder, _gatherers.pop, key, None)
    return _gatherers[key]
