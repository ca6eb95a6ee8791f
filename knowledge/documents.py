"""Documents: files read into passages and facts.

========================  ============================================================================
``.md`` ``.txt``          chunks of whole sentences under their headings (:mod:`.chunks`)
``.csv`` ``.jsonl``       with ``title`` and ``text``: every row is a passage; other columns are not read
``.csv``                  with ``subject``, ``relation``, ``object`` and maybe ``source``: every row is a fact
========================  ============================================================================
"""

from __future__ import annotations

import csv
import glob
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..core.errors import UnderstudyError
from .chunks import chunked
from .results import Fact


@dataclass(frozen=True)
class Piece:
    """A passage before it has an id; ``start`` and ``end`` are its place in the document's text."""

    title: str
    text: str
    source: str
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """What one file says.

    Attributes:
        name: what it is known by in the store; its sources begin with it.
        digest: of its content; the same digest is the same document.
        origin: the file it was read from, "" when it was none.
    """

    name: str
    digest: str
    pieces: tuple[Piece, ...] = ()
    facts: tuple[Fact, ...] = ()
    origin: str = ""


def find(paths: Iterable[str | Path]) -> dict[str, Path]:
    """The files that ``paths`` (files, folders, globs) name: document name → file, in order.

    A document is called by its file name, or by as much of its path as tells it from its namesakes.

    Raises:
        UnderstudyError: when a path names nothing that can be read.
    """
    files: dict[Path, None] = {}
    for path in paths:
        found = _files(Path(path))
        if not found:
            raise UnderstudyError(
                "no such file, and no file that can be read under it" if not Path(path).exists() else "nothing to read",
                where=str(path),
                mend=f"name a file, a folder or a glob of {', '.join(sorted(READERS))} files",
            )
        files |= dict.fromkeys(found)
    names: dict[str, Path] = {}
    for file in files:
        parts = 1
        while sum(other.parts[-parts:] == file.parts[-parts:] for other in files) > 1 and parts < len(file.parts):
            parts += 1
        names["/".join(file.parts[-parts:])] = file
    return names


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file.resolve() for file in path.rglob("*") if file.is_file() and file.suffix.lower() in READERS)
    if path.is_file():
        return [path.resolve()]
    return sorted(Path(name).resolve() for name in glob.glob(str(path), recursive=True) if Path(name).is_file())


def read(path: Path, name: str | None = None) -> Document:
    """Reads one file.

    Raises:
        UnderstudyError: for an unknown kind of file, one that is not UTF-8, or a malformed row (with its line).
    """
    name = name or path.name
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnderstudyError(
            f"files ending in {path.suffix or 'nothing'} cannot be read",
            where=str(path),
            mend=f"use one of {', '.join(sorted(READERS))}",
        )
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UnderstudyError(error.strerror or "cannot be read", where=str(path)) from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnderstudyError("not UTF-8 text", where=f"{path}:{line}", mend="save the file as UTF-8") from None
    pieces, facts = reader(text, name, str(path))
    return Document(name, digest_of(content), tuple(pieces), tuple(facts), str(path))


def digest_of(content: bytes) -> str:
    """A short fingerprint of a document's content."""
    return blake2b(content, digest_size=16).hexdigest()


def rows_as_pieces(rows: Sequence[tuple[str, str]], name: str) -> list[Piece]:
    """Passages from (title, text) rows; the source names the title where it is unique, else the row's number."""
    titles = Counter(title for title, _ in rows)
    return [
        Piece(title, text, f"{name}#{title if title and titles[title] == 1 else number}", 0, len(text))
        for number, (title, text) in enumerate(rows, 1)
        if text.strip()
    ]


_Read = tuple[list[Piece], list[Fact]]


def _prose(markdown: bool) -> Callable[[str, str, str], _Read]:
    def reader(text: str, name: str, where: str) -> _Read:
        stem = Path(name).stem
        return [
            Piece(" > ".join(c.headings) or stem, c.text, f"{name}:{c.start}-{c.end}", c.start, c.end)
            for c in chunked(text, markdown=markdown)
        ], []

    return reader


def _table(text: str, name: str, where: str) -> _Read:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(rows, [])]
        records: list[dict[str, str]] = []
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise UnderstudyError(
                    f"{len(row)} cells under {len(header)} columns",
                    where=f"{where}:{rows.line_num}",
                    mend="quote cells that hold a comma",
                )
            records.append({column: cell.strip() for column, cell in zip(header, row, strict=True)})
    except csv.Error as error:
        raise UnderstudyError(f"not a CSV row: {error}", where=f"{where}:{rows.line_num}") from None
    if {"subject", "relation", "object"} <= set(header):
        facts = []
        for number, r in enumerate(records, 1):
            if not (r["subject"] and r["relation"] and r["object"]):
                raise UnderstudyError("a fact lacks its subject, relation or object", where=f"{where}#{number}")
            facts.append(Fact(r["subject"], r["relation"], r["object"], r.get("source") or f"{name}#{number}"))
        return [], facts
    if {"title", "text"} <= set(header):
        return rows_as_pieces([(r["title"], r["text"]) for r in records], name), []
    if not header:
        return [], []
    raise UnderstudyError(
        f"the columns are {', '.join(header)}",
        where=f"{where}:1",
        mend="knowledge needs title,text (passages) or subject,relation,object (facts)",
    )


def _lines(text: str, name: str, where: str) -> _Read:
    rows: list[tuple[str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except json.JSONDecodeError as error:
            at = f"{where}:{number}:{error.colno}"
            raise UnderstudyError(f"not JSON: {error.msg}", where=at, mend="write one object a line") from None
        if not isinstance(row, dict) or not all(isinstance(row.get(part), str) for part in ("title", "text")):
            raise UnderstudyError(
                'not an object with the texts "title" and "text"',
                where=f"{where}:{number}",
                mend='write {"title": "…", "text": "…"}',
            )
        rows.append((row["title"].strip(), row["text"].strip()))
    return rows_as_pieces(rows, name), []


READERS: dict[str, Callable[[str, str, str], _Read]] = {
    ".md": _prose(markdown=True),
    ".txt": _prose(markdown=False),
    ".csv": _table,
    ".jsonl": _lines,
}
