"""A case of the catalogue: how a message is provoked, and what is told."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.core.errors import UnderstudyError
from understudy.workflows.problems import InvalidFile, Problem


@dataclass(frozen=True)
class Told:
    """One message: ``what`` is wrong, and the whole ``text`` that a user reads."""

    what: str
    text: str


def told(provoke: Callable[[Path], Any], folder: Path) -> list[Told]:
    """What ``provoke`` tells in ``folder``: the problems that it gives, or the error that it raises."""
    try:
        found = provoke(folder)
        if inspect.iscoroutine(found):
            found = asyncio.run(found)
    except InvalidFile as error:
        found = error.problems
    except UnderstudyError as error:
        found = [error]
    if not isinstance(found, list | tuple):
        found = []
    return [Told(one.what, _bare(str(one), folder)) for one in found if isinstance(one, Problem | UnderstudyError)]


def _bare(text: str, folder: Path) -> str:
    """The text without what differs from one machine, or run, to another."""
    text = text.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", "").replace(str(folder), "FOLDER")
    text = re.sub(rf"--allow {re.escape(str(folder.resolve().parent))}\b", "--allow PARENT", text)
    text = re.sub(r"\((\w+\.py):\d+\)", r"(\1:LINE)", text)
    return re.sub(r" at 0x[0-9a-f]+", "", text)
