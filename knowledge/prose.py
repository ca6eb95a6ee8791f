"""Prose: Markdown and plain text, as chunks of whole sentences under their headings.

A passage's span is exact: ``text[start:end]`` of the file as it is decoded, without a byte order mark and with its own
line ends. YAML front matter is the document's metadata, and no part of a passage.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from ..core.errors import UnderstudyError
from .chunks import Place, chunked, cut, outline
from .readings import Reading, decoded, passages, plain

# A rule at the top is no front matter: that has a key, a comment or nothing in its first line.
_FRONT = re.compile(r"---[ \t]*\r?\n(?=[\w\"'][^\n:]*:|#|(?:---|\.\.\.)[ \t]*\r?$)", re.MULTILINE)
_FRONT_END = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_CODE = re.compile(r"(?<!`)(`++)[^\n]*?(?<!`)\1(?!`)")
_LINK = re.compile(r"(?<![!\\])\[([^\[\]]+)\]\((?:<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"\n]*\")?\)")


def markdown(content: bytes, name: str, where: str) -> Reading:
    """Reads Markdown: headings, front matter, and links, whose texts are names that the passage links to.

    Raises:
        UnderstudyError: when it is not UTF-8, or its front matter is no mapping in YAML.
    """
    text = decoded(content, where)
    metadata, start = _front_matter(text, where)
    sections, fences = outline(text, start)
    title = metadata.get("title")
    fallback = title if isinstance(title, str) and title.strip() else PurePath(name).stem
    return Reading(passages(cut(text, sections), name, fallback, _links(text, start, fences)), (), metadata)


def plain_text(content: bytes, name: str, where: str) -> Reading:
    """Reads text without headings. Raises UnderstudyError when it is not UTF-8."""
    return Reading(passages(chunked(decoded(content, where), markdown=False), name, PurePath(name).stem))


def _front_matter(text: str, where: str) -> tuple[dict[str, Any], int]:
    """The metadata and where the text behind them begins."""
    opened = _FRONT.match(text)
    closed = opened and _FRONT_END.search(text, opened.end())
    if not opened or not closed:
        return {}, 0
    return _mapping(text[opened.end() : closed.start()], where), closed.end()


def _mapping(source: str, where: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    mend = "write key: value lines between the --- lines"
    try:
        # A few aliases of aliases unfold to more than any memory holds.
        if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(source)):
            raise UnderstudyError("the front matter uses an alias (*)", where=where, mend="write its value out")
        found = YAML(typ="safe", pure=True).load(source)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise UnderstudyError("the front matter is no mapping", where=f"{where}:2", mend=mend)
        metadata: dict[str, Any] = plain(found)
        return metadata
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 2}:{mark.column + 1}" if mark else f"{where}:2"
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        place, what = f"{where}:2", str(error)  # of a scalar with a tag that it does not fit, or a date like 2020-13-45
    raise UnderstudyError(f"the front matter is not YAML: {what}", where=place, mend=mend)


def _links(text: str, start: int, fences: list[Place]) -> list[tuple[int, int, str]]:
    """Start, end and text of each link; code has none."""
    found: list[tuple[int, int, str]] = []
    begin = start
    for opened, closed in [*fences, (len(text), len(text))]:
        prose = text[begin:opened]
        code = [match.span() for match in _CODE.finditer(prose)]
        for match in _LINK.finditer(prose):
            while code and code[0][1] <= match.start():
                code.pop(0)
            if not code or match.start() < code[0][0]:
                name = " ".join(match.group(1).strip(" \t\r\n*_`").split())
                found.append((begin + match.start(), begin + match.end(), name))
        begin = closed
    return found
