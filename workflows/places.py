"""Places on the disk that a file may name: relative to it, and inside its folder."""

from __future__ import annotations

import difflib
import glob as globbing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Confined:
    """A path that is refused: ``what`` is wrong with it and ``why``."""

    what: str
    why: str


def confined(written: str, base: Path, glob: bool = False) -> Path | Confined | None:
    """The path ``written`` in a file of folder ``base``; None where nothing is there.

    A path that leads out of the folder, also through a link, is :class:`Confined`. With ``glob`` the pattern
    must match at least one file, and the first is returned.
    """
    why = "a file may name only what lies in its own folder"
    if "\x00" in written:
        return Confined("a path with a null byte", "")
    path = Path(written)
    if path.is_absolute() or written.startswith("~"):
        return Confined(f"the path '{written}' is not relative", why)
    try:
        folder = base.resolve()
        if not (folder / path).resolve().is_relative_to(folder):
            return Confined(f"the path '{written}' leads out of the folder", why)
        if not glob:
            return base / path if (base / path).exists() else None
        found = matches(written, base)
        for one in found:
            if not one.resolve().is_relative_to(folder):
                return Confined(f"'{one.name}' in '{written}' leads out of the folder", why)
        return found[0] if found else None
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        return Confined(f"the path '{written[:60]}' cannot be read", str(getattr(error, "strerror", error)))


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
