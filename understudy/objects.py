"""JSON objects from files: one in a text, or one a line; what is wrong is told with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .core.errors import UnderstudyError


def read_text(path: Path) -> str:
    """The UTF-8 text of a file. Raises UnderstudyError where it is missing, a folder, or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnderstudyError(
            f"not UTF-8 text (byte {error.start})", where=str(path), mend="save it as UTF-8"
        ) from None
    except OSError as error:
        raise UnderstudyError((error.strerror or "unreadable").lower(), where=str(path)) from None


def parse_object(text: str, where: str) -> dict[str, Any]:
    """The JSON object in ``text``. Raises UnderstudyError that names ``where`` with line and column."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise UnderstudyError(f"not JSON ({error.msg.lower()})", where=place) from None
    except ValueError:
        raise UnderstudyError("a whole number of more than 4300 digits", where=where) from None
    except RecursionError:
        raise UnderstudyError("JSON that is nested too deeply", where=where) from None
    if not isinstance(value, dict):
        raise UnderstudyError("a JSON object is needed here", where=where, mend='write {"name": value, …}')
    return value


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of a JSONL file with its place, ``file:line``; empty lines are passed over.

    Raises UnderstudyError at the first line that is no JSON object.
    """
    # Only at "\n", for other ends of lines (as U+2028) may stand in a JSON text; "\r\n" is read as "\n".
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            place = f"{path}:{number}"
            try:
                yield place, parse_object(line, place)
            except UnderstudyError as error:
                # parse_object counts lines inside the one line that it saw
                raise UnderstudyError(error.what, where=place, mend=error.mend) from None
