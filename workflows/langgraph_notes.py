"""What LangGraph's checkpoints are in a journal: the file with its threads, and what a thread's notes come to."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .journal import Journal, JournalError

PREFIX = "langgraph:"
"""Of the run ids; the rest of one is the thread's id."""

Key = tuple[str, str]
"""Namespace and checkpoint id."""

Blob = list[str]
"""The serializer's type, and its bytes in base64."""

Note = tuple[str, dict[str, Any]]
"""Subject and body, before it has a number and a life."""


class NoteStore(Journal):
    """A journal that can name its threads, and overwrites what is deleted."""

    def __init__(self, path: str | Path, synchronous: str) -> None:
        super().__init__(path, synchronous=synchronous)
        self._ask("PRAGMA secure_delete = ON")

    def threads(self) -> list[str]:
        """The ids of all threads."""
        end = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)
        rows = self._ask("SELECT DISTINCT run FROM events WHERE run >= ? AND run < ?", PREFIX, end)
        return [run.removeprefix(PREFIX) for (run,) in rows]

    def scrub(self) -> None:
        """Empty SQLite's log, where deleted rows are still to be found, unless another process is reading it."""
        self._ask("PRAGMA wal_checkpoint(TRUNCATE)")

    def _ask(self, statement: str, *values: str) -> list[Any]:
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"cannot read or write: {error}", where=self.path) from error


@dataclass
class Thread:
    """What the notes of a thread come to, as far as they were read."""

    life: str = ""
    seen: int = 0  # the number of the next note
    last: tuple[int, str] | None = None  # number and life of the note that was read last
    checkpoints: dict[Key, dict[str, Any]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)  # by namespace: a checkpoint id
    writes: dict[Key, dict[tuple[str, int], list[Any]]] = field(default_factory=dict)  # by task and index
    blobs: dict[tuple[int, str], Blob] = field(default_factory=dict)  # by the number of a note, and channel
    places: dict[tuple[str, str, Any], int | None] = field(default_factory=dict)
    """By namespace, channel and version: the number of the note with the value; None for a channel without one."""

    def take(self, subject: str, body: dict[str, Any]) -> None:
        """Fold one more note in."""
        number, life = self.last = body["number"], body["life"]
        self.seen = number + 1
        if life != self.life:  # of a process that had not noticed that the thread was deleted; it has tried again
            return
        key = namespace, checkpoint_id = body["ns"], body["id"]
        if subject == "checkpoint":
            self.checkpoints[key] = body
            self.latest[namespace] = max(checkpoint_id, self.latest.get(namespace, ""))
            self.blobs |= {(number, channel): blob for channel, blob in body["blobs"].items()}
            for channel, (version, place) in body["channels"].items():
                self.places[namespace, channel, version] = place
        else:
            self.writes.setdefault(key, {}).update({(one[0], one[1]): one for one in self.news(key, body["writes"])})

    def news(self, key: Key, writes: Sequence[list[Any]]) -> list[list[Any]]:
        """Those of ``writes`` that count: the first of a task and index, but the last where the index is negative."""
        known = self.writes.get(key, {})
        return [one for one in writes if (one[0], one[1]) not in known or (one[1] < 0 and known[one[0], one[1]] != one)]

    def notes(self, number: int, without: Collection[Key] = ()) -> list[Note]:
        """All of it as notes from ``number`` on, each value in the first that has it, ``without`` some checkpoints."""
        found: list[Note] = []
        moved: dict[tuple[int, str], int] = {}
        for key, body in self.checkpoints.items():
            if key in without:
                continue
            blobs, channels = {}, {}
            for channel, (version, place) in body["channels"].items():
                if place is not None and (place, channel) not in moved:
                    moved[place, channel] = number + len(found)
                    blobs[channel] = self.blobs[place, channel]
                channels[channel] = [version, None if place is None else moved[place, channel]]
            found.append(("checkpoint", {**body, "channels": channels, "blobs": blobs}))
        for key, writes in self.writes.items():
            if key not in without:
                found.append(("writes", {"ns": key[0], "id": key[1], "writes": list(writes.values())}))
        return found
