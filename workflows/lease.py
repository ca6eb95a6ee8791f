"""Leases: one driver of a run at a time, among threads and processes, given back by the system when its owner dies.

A lease is a lock on one byte of the file ``<journal>-lock``, chosen by the run's name. The system frees it when the
process ends, however it ends; nothing has to be cleaned up, and no clock is trusted.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from ..core.errors import UnderstudyError
from .journal import JournalError


class LeaseTaken(UnderstudyError):
    """Another process, or another part of this one, drives the run."""


# POSIX locks belong to the process, and closing any descriptor of a file gives up all its locks there: so this process
# has one descriptor for each lock file, and its own record of what it holds.
_guard = threading.Lock()
_files: dict[str, tuple[int, set[int]]] = {}
_owner = os.getpid()


class Lease:
    """The right to drive ``run``; entered, it is held until it is left.

    Args:
        journal: the file of the journal.
        run: the run's id.

    Raises:
        LeaseTaken: on entering, where somebody else holds it.
        JournalError: on entering, where the lock file cannot be made or locked.
    """

    def __init__(self, journal: str, run: str) -> None:
        self._path = str(Path(journal).resolve()) + "-lock"
        self._run = run
        self._byte = int.from_bytes(blake2b(run.encode("utf-8", "surrogatepass"), digest_size=4).digest()) >> 2

    def __enter__(self) -> Self:
        with _guard:
            _after_fork()
            try:
                taken = not self._take()
            except OSError as error:
                what = f"cannot lock: {error.strerror or error}".lower()
                raise JournalError(what, where=self._path) from error
            if taken:
                raise LeaseTaken(
                    f"the run {self._run} is being driven by another process",
                    where=self._path.removesuffix("-lock"),
                    mend="let the other finish, or choose another run id",
                )
        return self

    def _take(self) -> bool:
        descriptor, held = _files.get(self._path) or (_opened(self._path), set[int]())
        _files[self._path] = descriptor, held
        try:
            if self._byte in held or not _locked(descriptor, self._byte):
                return False
            held.add(self._byte)
            return True
        finally:
            _close_unused(self._path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _guard:
            _after_fork()
            if self._path not in _files:
                return
            descriptor, held = _files[self._path]
            if self._byte in held:
                _unlocked(descriptor, self._byte)
                held.discard(self._byte)
            _close_unused(self._path)


def leased(journal: str, run: str) -> AbstractContextManager[object]:
    """The lease of ``run``; none is needed for a journal that only this process can see."""
    return nullcontext() if journal == ":memory:" else Lease(journal, run)


def _after_fork() -> None:
    """A forked child has its parent's record, and none of its locks."""
    global _owner
    if _owner != os.getpid():
        _owner = os.getpid()
        _files.clear()


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o666)


def _close_unused(path: str) -> None:
    descriptor, held = _files[path]
    if not held:
        del _files[path]
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int, byte: int) -> bool:
        os.lseek(descriptor, byte, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlocked(descriptor: int, byte: int) -> None:
        os.lseek(descriptor, byte, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import errno
    import fcntl

    def _locked(descriptor: int, byte: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte, os.SEEK_SET)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def _unlocked(descriptor: int, byte: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte, os.SEEK_SET)
