"""Documents: files read into passages and facts.

=============================  ==========================================================================
``.md`` ``.txt``               chunks of whole sentences under their headings (:mod:`.prose`)
``.html``                      the same of the page's text (:mod:`.webpages`)
``.pdf``                       the same of each page, with the extra ``pdf`` (:mod:`.pdf`)
``.csv`` ``.json`` ``.jsonl``  rows: passages, facts, or both (:mod:`.rows`, :mod:`.things`, :mod:`.triples`)
``.nt``                        N-Triples: facts (:mod:`.ntriples`)
``.graphml``                   a graph: facts (:mod:`.graphml`)
=============================  ==========================================================================
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from ..core.errors import UnderstudyError
from . import graphml, ntriples, pdf, prose, rows, webpages
from .pieces import Document, Piece
from .readings import Reader

__all__ = ["READERS", "Document", "Piece", "digest_of", "find", "read"]


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
    names: dict[Path, str] = {}
    alike, parts = list(files), 1
    while alike:
        ends = Counter(file.parts[-parts:] for file in alike)
        told = [file for file in alike if ends[file.parts[-parts:]] == 1 or parts == len(file.parts)]
        names |= {file: "/".join(file.parts[-parts:]) for file in told}
        alike = [file for file in alike if file not in names]
        parts += 1
    return {names[file]: file for file in files}


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file.absolute() for file in path.rglob("*") if file.is_file() and file.suffix.lower() in READERS)
    if path.is_file():
        return [path.absolute()]
    return sorted(Path(name).absolute() for name in glob.glob(str(path), recursive=True) if Path(name).is_file())


def read(path: Path, name: str | None = None) -> Document:
    """Reads one file.

    Args:
        path: the file; its ending says what it is.
        name: what the document is called; the file's name unless it is given.

    Raises:
        UnderstudyError: for an unknown kind of file, one that is not UTF-8, or a malformed one (with the place).
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
    except OSError as error:
        raise UnderstudyError(error.strerror or "cannot be read", where=str(path)) from None
    found = reader(content, name, str(path))
    return Document(name, digest_of(content), tuple(found.pieces), tuple(found.facts), str(path), found.metadata)


def digest_of(content: bytes) -> str:
    """A short fingerprint of a document's content."""
    return blake2b(content, digest_size=16).hexdigest()


READERS: dict[str, Reader] = {
    ".md": prose.markdown,
    ".markdown": prose.markdown,
    ".txt": prose.plain_text,
    ".html": webpages.webpage,
    ".htm": webpages.webpage,
    ".pdf": pdf.pdf,
    ".csv": rows.comma_separated,
    ".tsv": rows.tab_separated,
    ".json": rows.json_rows,
    ".jsonl": rows.json_lines,
    ".nt": ntriples.ntriples,
    ".graphml": graphml.graphml,
}
