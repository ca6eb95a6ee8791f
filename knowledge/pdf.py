"""PDF: the text of each page, read by pypdf, which the extra ``pdf`` brings.

A passage's span refers to the extracted text, in which an empty line stands between two pages; no passage reaches
over one. A page that is only a picture has no text.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..core.errors import UnderstudyError
from .chunks import Section, cut
from .pieces import Piece
from .readings import Reading, passages, whole

_BETWEEN = "\n\n"
_TOLD = ("title", "author", "subject", "keywords")


def pdf(content: bytes, name: str, where: str) -> Reading:
    """Reads a PDF; every passage has the number of its ``page``, and the document its title and author, if told.

    Raises:
        UnderstudyError: when pypdf is not installed, or the file is damaged, encrypted or no PDF.
    """
    if not content.strip():
        return Reading()
    pages, metadata = _extracted(content, where)
    text = _BETWEEN.join(pages)
    title = metadata.get("title") or PurePath(name).stem
    pieces: list[Piece] = []
    start = 0
    for number, page in enumerate(pages, 1):
        section = Section((), start, start + len(page))
        pieces += passages(cut(text, [section]), name, title, metadata={"page": number})
        start = section.end + len(_BETWEEN)
    return Reading(pieces, (), metadata)


def _extracted(content: bytes, where: str) -> tuple[list[str], dict[str, Any]]:
    try:
        import pypdf
    except ImportError:
        raise UnderstudyError(
            "PDF files need the library pypdf", where=where, mend="pip install understudy[pdf]"
        ) from None
    try:
        file = pypdf.PdfReader(io.BytesIO(content))
        # Many files are encrypted with an empty password, only to forbid printing.
        locked = file.is_encrypted and not file.decrypt("")
        if not locked:
            pages = [whole(page.extract_text()) for page in file.pages]
            told: Mapping[str, Any] = file.metadata or {}
            metadata = {key: whole(str(told.get(f"/{key.title()}") or "")).strip() for key in _TOLD}
            return pages, {key: value for key, value in metadata.items() if value}
    except pypdf.errors.DependencyError:
        raise UnderstudyError(
            "it is encrypted with AES", where=where, mend="pip install cryptography, or save it without a password"
        ) from None
    except Exception as error:  # a damaged file makes pypdf raise whatever its parts happen to
        raise UnderstudyError(f"not a PDF that can be read: {error or type(error).__name__}", where=where) from None
    raise UnderstudyError("it is encrypted with a password", where=where, mend="save it without a password")
