"""Web pages: the text of HTML under its headings, read by the standard library.

A passage's span refers to the extracted text, not to the markup: the body without what is no text (scripts, styles,
navigation, forms), a line for each heading, list item and table row, and an empty line around a paragraph.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import PurePath
from typing import Any

from .chunks import Section, cut
from .readings import Reading, decoded, passages

_SKIPPED = frozenset("script style nav template noscript svg iframe select textarea button".split())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_HEAD = frozenset("head title meta link base script style noscript template".split())
_PARAGRAPHS = frozenset(
    """address article aside blockquote body center dd details dialog div dl fieldset figcaption figure footer form
    header hr main ol p pre section summary table ul""".split()
)
_LINES = frozenset("br dt li tr caption option".split())
_CELLS = frozenset(("td", "th"))
# What a page tells the browser, and not the reader.
_TECHNICAL = frozenset("viewport theme-color color-scheme referrer format-detection robots generator".split())
_SPACE = re.compile(r"\s+")


def webpage(content: bytes, name: str, where: str) -> Reading:
    """Reads HTML; ``<title>``, ``<html lang>`` and ``<meta name>`` are metadata, texts of links are links.

    Raises:
        UnderstudyError: when it is not UTF-8.
    """
    page = _Page()
    page.feed(decoded(content, where))
    page.close()
    text = page.text
    title = page.metadata.get("title") or PurePath(name).stem
    return Reading(passages(cut(text, page.sections(text)), name, title, page.links(text)), (), page.metadata)


class _Page(HTMLParser):
    """Collects the text; positions are final as soon as a letter is put down, since breaks come before letters."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.metadata: dict[str, Any] = {}
        self._parts: list[str] = []
        self._length = 0
        self._gap = ""  # what stands between the last letter and the next one
        self._skipping: list[str] = []
        self._in_head = False
        self._title: list[str] | None = None
        self._pre = 0
        self._heading: tuple[int, int] | None = None  # level, where it begins
        self._link: int | None = None
        self._found_headings: list[tuple[int, int, int]] = []
        self._found_links: list[tuple[int, int]] = []

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self._parts)

    def sections(self, text: str) -> list[Section]:
        """The stretches between the headings."""
        path: list[tuple[int, str]] = []
        found: list[Section] = []
        begin = 0
        for level, start, end in self._found_headings:
            found.append(Section(tuple(name for _, name in path), begin, start))
            path = [(depth, name) for depth, name in path if depth < level]
            path.append((level, " ".join(text[start:end].split())))
            begin = end
        return [*found, Section(tuple(name for _, name in path), begin, len(text))]

    def links(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and text of each link."""
        return [(start, end, " ".join(text[start:end].split())) for start, end in self._found_links]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            self._meta({key: value or "" for key, value in attrs})
        elif tag == "html" and (language := dict(attrs).get("lang")):
            self.metadata["lang"] = language
        if self._title is not None and tag != "title":
            self._end_title()
        if tag in _HEAD:
            self._in_head = self._in_head or tag == "head"
            # The <title> of a drawing is none of the page's.
            if tag == "title" and not self._skipping and "title" not in self.metadata:
                self._title = []
        else:
            self._in_head = False
        if tag in _SKIPPED:
            self._skipping.append(tag)
        if self._skipping:
            return
        if tag in _HEADINGS:
            self._end_heading()
            self._break("\n\n")
            self._heading = (int(tag[1]), self._length)
        elif tag == "a":
            self._end_link()
            if dict(attrs).get("href"):
                self._link = self._length
        elif tag in _CELLS:
            self._gap = self._gap if "\n" in self._gap or not self._length else " | "
        self._lay_out(tag)
        self._pre += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._end_title()
        elif tag == "head":
            self._in_head = False
        if tag in self._skipping:
            del self._skipping[self._skipping.index(tag) :]
            return
        if self._skipping:
            return
        if tag in _HEADINGS:
            self._end_heading()
        elif tag == "a":
            self._end_link()
        elif tag == "pre":
            self._pre = max(self._pre - 1, 0)
        self._lay_out(tag)

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)
        elif self._skipping or self._in_head:
            return
        elif self._pre:
            body = data.strip()
            before, _, after = data.partition(body) if body else (data, "", "")
            self._gap += before.removeprefix("\n") if self._gap.endswith("\n") else before
            self._put(body)
            self._gap += after
        else:
            text = _SPACE.sub(" ", data)
            if text.startswith(" "):
                self._gap = self._gap or " "
            self._put(text.strip(" "))
            if text.strip() and text.endswith(" "):
                self._gap = " "

    def parse_html_declaration(self, i: int) -> int:
        # The standard library raises AssertionError for a section that it does not know, <![x[.
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def close(self) -> None:
        super().close()
        self._end_title()
        self._end_heading()
        self._end_link()

    def _put(self, text: str) -> None:
        if not text.strip():
            return
        gap = self._gap if self._length else ""
        # A link or heading that has opened, but has no letter yet, begins behind the gap.
        if self._link == self._length:
            self._link += len(gap)
        if self._heading and self._heading[1] == self._length:
            self._heading = (self._heading[0], self._length + len(gap))
        self._parts += (gap, text)
        self._length += len(gap) + len(text)
        self._gap = ""

    def _break(self, gap: str) -> None:
        if self._length and self._gap.count("\n") < len(gap):
            self._gap = gap

    def _lay_out(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._break("\n\n")
        elif tag in _LINES:
            self._break("\n")

    def _end_heading(self) -> None:
        if self._heading is not None:
            level, start = self._heading
            if self._length > start:
                self._found_headings.append((level, start, self._length))
            self._heading = None
            self._break("\n\n")

    def _end_link(self) -> None:
        if self._link is not None and self._length > self._link:
            self._found_links.append((self._link, self._length))
        self._link = None

    def _end_title(self) -> None:
        if self._title is not None and (title := " ".join("".join(self._title).split())):
            self.metadata["title"] = title
        self._title = None

    def _meta(self, attributes: dict[str, str]) -> None:
        name, content = attributes.get("name", "").strip().lower(), attributes.get("content", "").strip()
        if name and content and name not in _TECHNICAL:
            self.metadata[name] = content
