"""Files and folders that are written all or none: what an error, or Ctrl-C, cuts off is taken back."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self


class Changes:
    """Writes files, each in one move; a ``with`` block that is left by an error leaves all as it was before.

        with Changes() as changes:
            changes.write(Path("team.yaml"), text)
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self._former: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for undo in reversed(self._undo) if kind is not None else ():
            undo()
        for folder in self._former:
            shutil.rmtree(folder, ignore_errors=True)

    def write(self, path: Path, text: str | bytes) -> None:
        """Write a file, a text in UTF-8; its folder is made where it is not there."""
        path = Path(os.path.realpath(path))  # what a link leads to, not the link
        former = path.read_bytes() if path.exists() else None
        self._folder(path.parent)
        _moved(path, text if isinstance(text, bytes) else text.encode("utf-8"))
        self._undo.append(path.unlink if former is None else partial(_moved, path, former))

    def folder(self, path: Path, make: Callable[[Path], object]) -> None:
        """Have ``make`` write a folder, which then takes the place of ``path``."""
        path = Path(os.path.realpath(path))
        self._folder(path.parent)
        draft, former = _beside(path), _beside(path)
        try:
            make(draft)
            if path.exists():
                path.rename(former)
                self._undo.append(partial(former.rename, path))
                self._former.append(former)
            draft.rename(path)
            self._undo.append(partial(shutil.rmtree, path, True))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _folder(self, folder: Path) -> None:
        if not folder.exists():
            self._folder(folder.parent)
            folder.mkdir(exist_ok=True)
            self._undo.append(partial(_emptied, folder))


def _moved(path: Path, content: bytes) -> None:
    draft = _beside(path)
    try:
        draft.write_bytes(content)
        if path.exists():
            shutil.copymode(path, draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """A name that nothing has, in the same folder, so that a move is one step."""
    return path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")


def _emptied(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
