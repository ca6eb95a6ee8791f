"""Places on the disk that a file may name: relative to it, and inside its folder or one that is allowed."""

from __future__ import annotations

import difflib
import glob as globbing
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from ..core.errors import UnderstudyError


@dataclass(frozen=True)
class Confined:
    """A path that is refused: ``what`` is wrong with it, ``why``, and how to ``mend`` it."""

    what: str
    why: str
    mend: str = ""


def allowed(folders: Iterable[Path | str]) -> tuple[Path, ...]:
    """Folders that a file may name places in beside its own, links resolved. Raises UnderstudyError for no folder."""
    found = []
    for folder in folders:
        if not Path(folder).is_dir():
            what = "is not a folder" if Path(folder).exists() else "does not exist"
            raise UnderstudyError(f"the allowed folder {what}", where=str(folder), mend="--allow FOLDER")
        found.append(Path(folder).resolve())
    return tuple(dict.fromkeys(found))


def confined(written: str, base: Path, glob: bool = False, allow: Sequence[Path] = ()) -> Path | Confined | None:
    """The path ``written`` in a file of folder ``base``; None where nothing is there.

    A path that leads out of the folder and of those in ``allow`` (resolved), also through a link, is
    :class:`Confined`. With ``glob`` the pattern must match at least one file, and the first is returned.
    """
    if "\x00" in written:
        return Confined("a path with a null byte", "")
    path = Path(written)
    if written.startswith("~"):
        return Confined(f"the path '{written}' is not relative", _WHY, "write the folder out, and allow it")
    try:
        folder = base.resolve()
        folders = (folder, *allow)
        if not within((folder / path).resolve(), folders):
            away = "is not relative" if path.is_absolute() else "leads out of the folder"
            return Confined(f"the path '{written}' {away}", _WHY, _mend(folder / path, glob))
        if not glob:
            return base / path if (base / path).exists() else None
        found = matches(written, base)
        for one in found:
            if not within(one.resolve(), folders):
                return Confined(f"'{one.name}' in '{written}' leads out of the folder", _WHY, _mend(one))
        return found[0] if found else None
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        return Confined(f"the path '{written[:60]}' cannot be read", str(getattr(error, "strerror", error)))


_WHY = "a file may name only what lies in its own folder, unless another is allowed"


def within(place: Path, folders: Sequence[Path]) -> bool:
    """Whether ``place`` lies in one of ``folders``; all of them resolved."""
    return any(place.is_relative_to(folder) for folder in folders)


def _mend(place: Path, glob: bool = False) -> str:
    """How to allow what is at ``place``; of a pattern, the part before its first star."""
    if glob and globbing.has_magic(str(place)):
        place = Path(*takewhile(lambda part: not globbing.has_magic(part), place.parts), "*")
    return f"--allow {shlex.quote(str(place.resolve().parent))} allows it"


def matches(pattern: str, base: Path) -> list[Path]:
    """The files that ``pattern`` (with * and **) matches in folder ``base``, in the order of their names."""
    return sorted(base / one for one in globbing.glob(pattern, root_dir=base, recursive=True))


def missing(written: str, base: Path) -> str | None:
    """The path of a file that is there and nearly called ``written``."""
    path = Path(written)
    try:
        names = [one.name for one in (base / path).parent.iterdir()]
    except (OSError, ValueError):
        return None
    near = difflib.get_close_matches(path.name, names, n=1)
    return str(path.with_name(near[0])) if near else None
