"""The journal: an append-only SQLite file with the events of every run.

One commit a step, in WAL mode with full synchronisation, so that what was appended survives the process and the
machine; JSON only. Many processes may read while one writes. The events of a run are numbered from 0: two processes
that drive the same run would write the same number, and the second is refused.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..core.errors import UnderstudyError

if TYPE_CHECKING:
    from .events import Event, RunAccepted

SCHEMA = 1
"""Of the file's tables, kept in its ``user_version``."""

_MARK = 0x756E6473  # "unds": tells our journals from other SQLite files

_PATIENCE = 30.0  # seconds to wait for another process that writes

_MILESTONES = "('RunAccepted', 'RunFinished', 'LetterDied')"

_TABLES = f"""
CREATE TABLE events (
    run TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE INDEX milestones ON events (kind, at) WHERE kind IN {_MILESTONES};
"""


_CHILD = re.compile(r"/[^/]+/[0-9]+(/[0-9]+)?")
"""What a child has in its id after that of its parent, without the number of the try."""

_REFUSED = (sqlite3.Error, UnicodeEncodeError)  # the second for the id of a run with half of a surrogate pair


class Row(NamedTuple):
    """An event as it is written: seconds since the epoch, kind, JSON."""

    at: float
    kind: str
    body: str


class JournalError(UnderstudyError):
    """A journal that cannot be read or written."""


class JournalConflict(JournalError):
    """These numbers of a run were written by somebody else."""


@dataclass(frozen=True)
class RunSummary:
    """A run as ``runs list`` shows it; times in seconds since the epoch, ``finished`` None while it is open."""

    run: str
    workflow: str
    status: str
    accepted: float
    finished: float | None
    events: int


class Journal:
    """A journal file, made where there is none; ``":memory:"`` is one that dies with the process.

    Args:
        path: of the file. Its folder is made if it is missing.
        synchronous: SQLite's setting: ``full`` survives a power cut, ``normal`` only the death of the process.
    """

    def __init__(self, path: str | Path = ":memory:", *, synchronous: str = "full") -> None:
        if synchronous not in ("full", "normal"):
            raise JournalError(f"synchronous is {synchronous!r}", mend="use 'full' or 'normal'")
        self.path = str(path)
        self._lock = threading.RLock()
        try:
            if self.path != ":memory:":
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=_PATIENCE, check_same_thread=False)
            try:
                self._prepare(synchronous)
            except BaseException:
                self._db.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"cannot open the journal: {error}", where=self.path) from error

    def _prepare(self, synchronous: str) -> None:
        if self._db.execute("PRAGMA application_id").fetchone() != (_MARK,):
            self._make()
        (schema,) = self._db.execute("PRAGMA user_version").fetchone()
        if schema > SCHEMA:
            mend = "use the understudy that wrote it, or a newer one"
            raise JournalError(f"a journal of version {schema}, newer than {SCHEMA}", where=self.path, mend=mend)
        self._into_wal()
        self._db.execute(f"PRAGMA synchronous = {synchronous}")

    def _make(self) -> None:
        # Several processes may make the file at the same time: who comes second waits, and finds what is there.
        with self._transaction():
            (mark,) = self._db.execute("PRAGMA application_id").fetchone()
            (tables,) = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if mark != _MARK and tables:
                raise JournalError("an SQLite file, but no journal", where=self.path, mend="name another file")
            if mark != _MARK:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_MARK}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One commit, of one thread at a time; rolled back where something is raised."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _into_wal(self) -> None:
        """The switch to WAL does not wait for others, as all else does."""
        patience = time.monotonic() + _PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > patience:
                    raise
                time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def append(self, run: str, number: int, events: Sequence[Event]) -> None:
        """Write ``events`` of ``run`` from ``number`` on, in one commit. When this returns they are durable.

        Raises:
            MessageError: a value that cannot be kept as JSON; nothing was written.
            JournalConflict: another process wrote these numbers; nothing was written.
            JournalError: the file cannot be written; nothing was written.
        """
        self.append_rows(run, number, [self.prepare(event) for event in events])

    def prepare(self, event: Event) -> Row:
        """The event as it is written. Raises MessageError for a value that cannot be kept as JSON."""
        return Row(event.at, type(event).__name__, _dump(event))

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        """As :meth:`append`, of events that were prepared."""
        written = self._written(run, number, rows)
        try:
            with self._transaction():
                self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", written)
        except sqlite3.IntegrityError as error:
            raise JournalConflict(
                f"the run {run} is being driven by another process, or its id is taken",
                where=self.path,
                mend="let the other finish, or choose another run id",
            ) from error
        except _REFUSED as error:
            raise JournalError(f"cannot write: {error}", where=self.path) from error

    def _written(self, run: str, number: int, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        from .events import VERSION

        return [(run, number + index, row.at, row.kind, VERSION, row.body) for index, row in enumerate(rows)]

    def events(self, run: str, *, since: int = 0, plain: bool = False) -> list[Event]:
        """The events of ``run`` from number ``since`` on, in order.

        ``plain``: with messages as dicts, which needs none of their types. Raises JournalError where there is no
        such run, or a row is broken.
        """
        return [event for _, event in self.numbered(run, since=since, plain=plain)]

    def numbered(self, run: str, *, since: int = 0, plain: bool = False) -> list[tuple[int, Event]]:
        """As :meth:`events`, each with its number."""
        found = list(self._rows(run, since, plain))
        if not found and not since:
            raise JournalError(f"there is no run {run!r}", where=self.path, mend="see: understudy runs list")
        return found

    def next_number(self, run: str) -> int:
        """The number that the next event of ``run`` gets."""
        query = "SELECT coalesce(max(number) + 1, 0) FROM events WHERE run = ?"
        try:
            (number,) = self._db.execute(query, (run,)).fetchone()
        except _REFUSED as error:
            raise JournalError(f"cannot read: {error}", where=self.path) from error
        return int(number)

    def forget(self, run: str) -> None:
        """Delete every event of ``run``; nothing is left of it. One that is unknown is no error."""
        try:
            self._db.execute("DELETE FROM events WHERE run = ?", (run,))
        except _REFUSED as error:
            raise JournalError(f"cannot write: {error}", where=self.path) from error

    def rewrite(self, run: str, number: int, events: Sequence[Event]) -> None:
        """Put ``events`` in the place of all that ``run`` has, in one commit; without any, nothing is left of it.

        ``number`` is the one that :meth:`append` would take next. The numbers go on from it and never begin again,
        so that another process that appends to what it has read is refused.

        Raises:
            MessageError: a value that cannot be kept as JSON; nothing was changed.
            JournalConflict: another process wrote to the run or deleted it; nothing was changed.
            JournalError: the file cannot be written; nothing was changed.
        """
        written = self._written(run, number, [self.prepare(event) for event in events])
        try:
            with self._transaction():
                (last,) = self._db.execute("SELECT max(number) FROM events WHERE run = ?", (run,)).fetchone()
                if number != (0 if last is None else last + 1):
                    mend = "read the run again"
                    raise JournalConflict(f"another process has changed the run {run}", where=self.path, mend=mend)
                self._db.execute("DELETE FROM events WHERE run = ?", (run,))
                self._db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", written)
        except _REFUSED as error:
            raise JournalError(f"cannot write: {error}", where=self.path) from error

    def compact(self, runs: Sequence[str]) -> int:
        """Take the steps of finished runs out of the file, and give the room back; how many events went.

        What is left of a run is its input, its result and its dead letters. One that is not finished is left as it is.
        """
        kept = ", ".join(f"'{kind}'" for kind in ("RunAccepted", "RunFinished", "LetterDied", "LetterSent"))
        statement = f"""
            DELETE FROM events WHERE run = ? AND kind NOT IN ({kept})
            AND EXISTS (SELECT 1 FROM events f WHERE f.run = events.run AND f.kind = 'RunFinished')
        """
        try:
            with self._transaction():
                gone = sum(self._db.execute(statement, (run,)).rowcount for run in runs)
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except _REFUSED as error:
            raise JournalError(f"cannot write: {error}", where=self.path) from error
        return gone

    def _rows(self, run: str, since: int, plain: bool) -> Iterator[tuple[int, Event]]:
        from .events import event_from_json

        query = "SELECT number, kind, version, body FROM events WHERE run = ? AND number >= ? ORDER BY number"
        try:
            for number, kind, version, body in self._db.execute(query, (run, since)):
                try:
                    yield number, event_from_json(kind, json.loads(body), version, plain=plain)
                except UnderstudyError as error:
                    what = f"event {number} of run {run} cannot be read: {error.what}"
                    raise JournalError(what, where=self.path, mend=error.mend) from error
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    raise JournalError(f"event {number} of run {run} is broken: {error}", where=self.path) from error
        except _REFUSED as error:
            raise JournalError(f"cannot read: {error}", where=self.path) from error

    def exported(self, run: str) -> Iterator[dict[str, Any]]:
        """Each event of ``run`` as the file has it: run, number, at, kind, version, body.

        Raises JournalError where there is no such run.
        """
        if not self.next_number(run):
            raise JournalError(f"there is no run {run!r}", where=self.path, mend="see: understudy runs list")
        names = ("run", "number", "at", "kind", "version")
        query = f"SELECT {', '.join(names)}, body FROM events WHERE run = ? ORDER BY number"
        try:
            for *row, body in self._db.execute(query, (run,)):
                try:
                    read = json.loads(body)
                except (ValueError, TypeError, RecursionError) as error:
                    raise JournalError(f"event {row[1]} of run {run} is broken: {error}", where=self.path) from error
                yield dict(zip(names, row, strict=True)) | {"body": read}
        except _REFUSED as error:
            raise JournalError(f"cannot read: {error}", where=self.path) from error

    def runs(self) -> list[RunSummary]:
        """All runs, the newest first."""
        # Said as the index says it, so that it is used.
        milestones = f"a.kind IN {_MILESTONES}"
        query = f"""
            SELECT a.run, json_extract(a.body, '$.workflow'),
                   coalesce(json_extract(f.body, '$.status'),
                            CASE z.kind WHEN 'RunSuspended' THEN json_extract(z.body, '$.reason') ELSE 'open' END),
                   a.at, f.at, (SELECT count(*) FROM events e WHERE e.run = a.run)
            FROM events a
            LEFT JOIN events f ON f.run = a.run AND f.kind = 'RunFinished'
            LEFT JOIN events z ON z.run = a.run AND z.number =
                 (SELECT max(number) FROM events e WHERE e.run = a.run AND e.kind <> 'LetterSent')
            WHERE a.kind = 'RunAccepted' AND {milestones} ORDER BY a.at DESC, a.run
        """
        try:
            return [RunSummary(*row) for row in self._db.execute(query)]
        except _REFUSED as error:
            raise JournalError(f"cannot read: {error}", where=self.path) from error

    def open_children(self, run: str) -> list[tuple[str, str]]:
        """The children of ``run`` that have no end, each with the key of the effect that it is.

        They are known by their ids: ``run/step/visit`` or ``run/step/visit/item``, with ``#2`` for the second try.
        """
        query = """
            SELECT run FROM events a WHERE run > ? AND run < ? AND kind = 'RunAccepted' AND NOT EXISTS
                (SELECT 1 FROM events f WHERE f.run = a.run AND f.kind = 'RunFinished')
        """
        try:
            # All that begins with "run/": "0" is the character after "/".
            found = [child for (child,) in self._db.execute(query, (f"{run}/", f"{run}0"))]
        except _REFUSED as error:
            raise JournalError(f"cannot read: {error}", where=self.path) from error
        pairs = [(child, run + child[len(run) :].partition("#")[0]) for child in found]
        return [(child, key) for child, key in pairs if _CHILD.fullmatch(key[len(run) :])]

    def accepted(self, run: str) -> RunAccepted:
        """The event with which ``run`` began."""
        from .events import RunAccepted

        first = self.events(run)[0]
        if not isinstance(first, RunAccepted):
            raise JournalError(f"run {run} does not begin with its acceptance", where=self.path)
        return first


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _dump(event: Event) -> str:
    from ..agents.messages import MessageError
    from .events import event_to_json

    data = event_to_json(event)
    try:
        text = _encode(data)
    except ValueError as error:  # a number that Python would not write
        raise MessageError(f"it cannot be kept in the journal: {error}") from error
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write and UTF-8 cannot
        return json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text
