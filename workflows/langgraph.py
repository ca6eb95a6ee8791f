"""LangGraph's checkpoints in a journal: :class:`JournalSaver`, for graphs that run beside understudy's workflows.

A thread of LangGraph is one run of the journal, of :class:`NoteKept` events. A ``checkpoint`` note holds a checkpoint
and the values of the channels that changed; for every other channel it gives the number of the note that holds the
value. A ``writes`` note holds what one task wrote. Every note also has its own number and the thread's ``life``: a
name drawn when the thread begins, and again when notes are taken out of it. By them a process notices that another
has deleted or shortened the thread that it remembers.

Values pass through the saver's serializer; its bytes are kept as base64. This module needs the extra ``langgraph``.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import uuid4

from langchain_core.runnables import RunnableConfig as Config
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.base import ChannelVersions as Versions
from langgraph.checkpoint.base import CheckpointMetadata as Metadata
from langgraph.checkpoint.serde.base import SerializerProtocol

from .events import NoteKept
from .journal import JournalConflict, JournalError
from .langgraph_notes import PREFIX, Blob, Key, Note, NoteStore, Thread

ATTEMPTS = 200
"""How often a change is tried because another process was faster."""

REMEMBERED = 64
"""How many threads a saver keeps in memory; of these, only new notes are read."""

_Filter = dict[str, Any] | None
_P = ParamSpec("_P")
_R = TypeVar("_R")


def _aside(method: Callable[Concatenate[Any, _P], _R]) -> Callable[Concatenate[Any, _P], Coroutine[Any, Any, _R]]:
    """A method for asyncio that runs ``method`` in another thread."""

    async def aside(self: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await asyncio.to_thread(method, self, *args, **kwargs)

    aside.__doc__ = f"As :meth:`{method.__name__}`."
    return aside


class JournalSaver(BaseCheckpointSaver[str]):
    """A checkpointer of LangGraph whose checkpoints lie in a journal file, beside the runs that are there.

    Several processes may use one file and one thread of it. In a process it may be used from several threads and from
    asyncio. What was put is durable when the method returns. What was deleted is gone from the tables, and its bytes
    are overwritten. Methods raise JournalError where the file cannot be read or written, and JournalConflict, which is
    one, where other processes changed the thread first :data:`ATTEMPTS` times in a row.

    Args:
        path: of the journal file; made where there is none. ``":memory:"`` is one that dies with the saver.
        serde: LangGraph's serializer, for values, checkpoints and metadata.
        synchronous: as :class:`Journal` takes it.
    """

    def __init__(
        self, path: str | Path = ":memory:", *, serde: SerializerProtocol | None = None, synchronous: str = "full"
    ) -> None:
        super().__init__(serde=serde)
        self._store = NoteStore(path, synchronous)
        self._lock = threading.RLock()
        self._threads: dict[str, Thread] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._store.close()

    def get_next_version(self, current: str | None, channel: None) -> str:
        """A version after ``current``: two processes that go on from the same one get different ones."""
        before = int(str(current).split(".")[0]) if current is not None else 0
        return f"{before + 1:032}.{random.random():016}"

    def get_tuple(self, config: Config) -> CheckpointTuple | None:
        """The checkpoint that ``config`` names, or the newest of its thread and namespace; None where there is none."""
        thread_id, namespace = _address(config)
        with self._lock:
            thread = self._thread(thread_id)
            checkpoint_id = get_checkpoint_id(config) or thread.latest.get(namespace, "")
            return self._tuple(thread_id, thread, (namespace, checkpoint_id))

    def list(
        self, config: Config | None, *, filter: _Filter = None, before: Config | None = None, limit: int | None = None
    ) -> Iterator[CheckpointTuple]:
        """The checkpoints of a thread, the newest first; without ``config`` those of all threads, which reads them all.

        Args:
            config: names the thread, and may name a namespace and a checkpoint.
            filter: what the metadata must have.
            before: only checkpoints older than the one that it names.
            limit: at most so many.
        """
        where: Mapping[str, Any] = config["configurable"] if config else {}
        wanted, end = where.get("checkpoint_id"), get_checkpoint_id(before) if before else None
        with self._lock:
            names = [_address(config)[0]] if config else self._store.threads()
            threads = {name: self._thread(name) for name in names}
            found = [
                (checkpoint_id, namespace, thread_id)
                for thread_id, thread in threads.items()
                for namespace, checkpoint_id in thread.checkpoints
                if where.get("checkpoint_ns") in (None, namespace)
                and (not wanted or checkpoint_id == wanted)
                and (not end or checkpoint_id < end)
            ]
        for checkpoint_id, namespace, thread_id in sorted(found, reverse=True):
            if limit is not None and limit <= 0:
                return
            with self._lock:
                one = self._tuple(thread_id, threads[thread_id], (namespace, checkpoint_id), filter)
            if one:
                limit = None if limit is None else limit - 1
                yield one

    def put(self, config: Config, checkpoint: Checkpoint, metadata: Metadata, new_versions: Versions) -> Config:
        """Keep a checkpoint and return its config; a channel's value is written once for each of its versions."""
        thread_id, namespace = _address(config)
        values = checkpoint["channel_values"]
        rest = {name: value for name, value in checkpoint.items() if name not in ("channel_values", "channel_versions")}
        body = {
            "ns": namespace,
            "id": checkpoint["id"],
            "parent": get_checkpoint_id(config),
            "checkpoint": self._dump(rest),
            "metadata": self._dump(get_checkpoint_metadata(config, metadata)),
        }
        dump = cache(lambda channel: self._dump(values[channel]))  # once, however often the change is tried

        def notes(thread: Thread) -> Sequence[Note]:
            channels, blobs = {}, {}
            for channel, version in checkpoint["channel_versions"].items():
                place = thread.places.get((namespace, channel, version))
                if channel in values and (place is None or channel in new_versions):
                    if place is None or thread.blobs[place, channel] != dump(channel):
                        place, blobs[channel] = thread.seen, dump(channel)
                elif channel in new_versions:
                    place = None
                channels[channel] = [version, place]
            return [("checkpoint", {**body, "channels": channels, "blobs": blobs})]

        self._change(thread_id, notes)
        return _config(thread_id, namespace, checkpoint["id"])

    def put_writes(self, config: Config, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Keep what a task wrote after a checkpoint, which may come later; what is known is not written again."""
        thread_id, namespace = _address(config)
        key = namespace, config["configurable"]["checkpoint_id"]
        found = [
            [task_id, WRITES_IDX_MAP.get(channel, index), channel, task_path, self._dump(value)]
            for index, (channel, value) in enumerate(writes)
        ]

        def notes(thread: Thread) -> Sequence[Note] | None:
            news = thread.news(key, found)
            return [("writes", {"ns": key[0], "id": key[1], "writes": news})] if news else None

        self._change(thread_id, notes)

    def delete_thread(self, thread_id: str) -> None:
        """Delete all that a thread has; one that is unknown is no error."""
        with self._lock:
            self._threads.pop(str(thread_id), None)
            self._store.forget(PREFIX + str(thread_id))
            self._store.scrub()

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata name one of these runs, and their writes. This reads every thread."""

        def of_runs(thread: Thread) -> set[Key]:
            kept = thread.checkpoints.items()
            return {key for key, body in kept if self._load(body["metadata"]).get("run_id") in run_ids}

        with self._lock:
            threads = self._store.threads() if run_ids else []
        for thread_id in threads:
            self._shorten(thread_id, of_runs)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all that a thread has into another, beside what that has already."""
        if str(source_thread_id) != str(target_thread_id):
            with self._lock:
                source = self._thread(str(source_thread_id))
                self._change(str(target_thread_id), lambda target: source.notes(target.seen) or None)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Shorten threads; what stays of one is written again. Raises ValueError for an unknown strategy.

        ``keep_latest`` leaves the newest checkpoint of each namespace and its writes; where a channel of it is kept as
        changes, also the ancestors with these changes. ``delete`` leaves nothing.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"there is no strategy {strategy!r}; use 'keep_latest' or 'delete'")
        for thread_id in thread_ids:
            if strategy == "delete":
                self.delete_thread(thread_id)
            else:
                self._shorten(str(thread_id), self._outdated)

    async def alist(
        self, config: Config | None, *, filter: _Filter = None, before: Config | None = None, limit: int | None = None
    ) -> AsyncIterator[CheckpointTuple]:
        """As :meth:`list`."""
        found = self.list(config, filter=filter, before=before, limit=limit)
        while (one := await asyncio.to_thread(next, found, None)) is not None:
            yield one

    aget_tuple = _aside(get_tuple)
    aput = _aside(put)
    aput_writes = _aside(put_writes)
    adelete_thread = _aside(delete_thread)
    adelete_for_runs = _aside(delete_for_runs)
    acopy_thread = _aside(copy_thread)
    aprune = _aside(prune)

    def _thread(self, thread_id: str) -> Thread:
        """The fold of a thread: read on from where it was left, or anew if the thread was deleted or shortened."""
        thread = self._threads.pop(thread_id, None) or Thread()
        bodies = self._read(thread_id, thread.seen - 1)
        if thread.last and (not bodies or (bodies[0][1]["number"], bodies[0][1]["life"]) != thread.last):
            thread, bodies = Thread(), self._read(thread_id, 0)
        for subject, body in bodies:
            if body["number"] >= thread.seen:
                if body["begins"]:
                    thread = Thread(body["life"])
                thread.take(subject, body)
        self._threads[thread_id] = thread
        if len(self._threads) > REMEMBERED:
            del self._threads[next(iter(self._threads))]
        return thread

    def _read(self, thread_id: str, since: int) -> Sequence[Note]:
        run = PREFIX + thread_id
        events = self._store.events(run, since=since or -1)  # of an unknown run, 0 is an error and -1 gives none
        notes = [(event.subject, event.body) for event in events if isinstance(event, NoteKept)]
        if len(notes) < len(events):
            raise JournalError(f"the run {run} is no thread of LangGraph", where=self._store.path)
        return notes

    def _change(self, thread_id: str, make: Callable[[Thread], Sequence[Note] | None], *, anew: bool = False) -> bool:
        """Append what ``make`` gives for the thread, or put it in place of all it has; false if that is None."""
        run, write = PREFIX + thread_id, self._store.rewrite if anew else self._store.append
        with self._lock:
            for attempt in range(ATTEMPTS):
                thread = self._thread(thread_id)
                if (notes := make(thread)) is None:
                    return False
                begins = anew or not thread.life
                life = uuid4().hex if begins else thread.life
                events = []
                for index, (subject, body) in enumerate(notes):
                    marks = {"number": thread.seen + index, "life": life, "begins": begins and index == 0}
                    events.append(NoteKept(time.time(), subject, body | marks))
                try:
                    write(run, thread.seen, events)
                except JournalConflict:
                    time.sleep(random.random() * min(0.0005 * 2**attempt, 0.05))
                    continue
                # Had the thread been deleted before, an append would not be refused; but now it has another life.
                if anew or self._thread(thread_id).life == life:
                    return True
        raise JournalConflict(f"other processes change the run {run} all the time", where=self._store.path)

    def _shorten(self, thread_id: str, choose: Callable[[Thread], set[Key]]) -> None:
        """Take what ``choose`` names out of the thread."""

        def rest(thread: Thread) -> Sequence[Note] | None:
            gone = choose(thread)
            return thread.notes(thread.seen, gone) if gone else None

        with self._lock:
            if self._change(thread_id, rest, anew=True):
                self._store.scrub()

    def _outdated(self, thread: Thread) -> set[Key]:
        needed: set[Key] = set()
        for key in thread.latest.items():
            body = thread.checkpoints[key]
            # A delta channel has no value at most checkpoints: it is made from the writes since the last that has one.
            lacking = set(self._load(body["metadata"]).get("counters_since_delta_snapshot", ()))
            while True:
                needed.add(key)
                lacking -= {channel for channel, (_, place) in body["channels"].items() if place is not None}
                key = key[0], body["parent"]
                if not lacking or key in needed or key not in thread.checkpoints:
                    break
                body = thread.checkpoints[key]
        known = {*thread.checkpoints, *thread.writes}
        return {key for key in known - needed if key[1] < thread.latest.get(key[0], "")}

    def _tuple(self, thread_id: str, thread: Thread, key: Key, filter: _Filter = None) -> CheckpointTuple | None:
        """A checkpoint as LangGraph wants it; None where there is none or its metadata do not pass the filter."""
        body = thread.checkpoints.get(key)
        metadata: Metadata = self._load(body["metadata"]) if body else {}
        if not body or any(metadata.get(name) != value for name, value in (filter or {}).items()):
            return None
        channels = body["channels"].items()
        checkpoint: Checkpoint = self._load(body["checkpoint"])
        checkpoint["channel_versions"] = {channel: version for channel, (version, _) in channels}
        checkpoint["channel_values"] = {
            channel: self._load(thread.blobs[place, channel]) for channel, (_, place) in channels if place is not None
        }
        writes = sorted(thread.writes.get(key, {}).values(), key=lambda one: (one[3], one[0], one[1]))
        return CheckpointTuple(
            config=_config(thread_id, *key),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=_config(thread_id, key[0], body["parent"]) if body["parent"] else None,
            pending_writes=[(task, channel, self._load(blob)) for task, _, channel, _, blob in writes],
        )

    def _dump(self, value: Any) -> Blob:
        kind, data = self.serde.dumps_typed(value)
        return [kind, b64encode(data).decode()]

    def _load(self, blob: Blob) -> Any:
        return self.serde.loads_typed((blob[0], b64decode(blob[1])))


def _address(config: Config) -> tuple[str, str]:
    """The thread's id, and the namespace."""
    where = config["configurable"]
    return str(where["thread_id"]), where.get("checkpoint_ns", "")


def _config(thread_id: str, namespace: str, checkpoint_id: str) -> Config:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}}
