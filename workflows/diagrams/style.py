"""Colours and letters of the SVG. Every class begins with ``ud``: the page of a notebook has classes of its own."""

from __future__ import annotations

from collections.abc import Iterator

TITLE, SMALL = 14.0, 12.0
"""The sizes of letters, in pixels."""

_FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Noto Sans','DejaVu Sans',sans-serif"

_BOXES = {  # fill and edge on light, fill and edge on dark
    "start": ("#e6e9ee", "#7d8795", "#2b313a", "#8b95a4"),
    "end": ("#e6e9ee", "#7d8795", "#2b313a", "#8b95a4"),
    "agent": ("#e8f0fe", "#4a7bd0", "#182642", "#6d9bea"),
    "function": ("#f4f5f7", "#8a94a3", "#22272f", "#7d8795"),
    "person": ("#fff3dc", "#c28a1a", "#352a10", "#d8a53e"),
    "clock": ("#e3f5f0", "#2f9279", "#103229", "#4fb89d"),
    "workflow": ("#f3ecfd", "#8a63c9", "#2b1d43", "#ab88e6"),
    "unknown": ("#fdecea", "#c4453a", "#431a17", "#ef8177"),
}

_REST = {  # on light, on dark
    ".ud-page,.ud-box>.ud-page{fill:%s;stroke:none}": ("#ffffff", "#16191e"),
    ".ud-title,.ud-label{fill:%s}": ("#1d2229", "#e8eaed"),
    ".ud-text{fill:%s}": ("#5b6472", "#a9b1bc"),
    ".ud-line{stroke:%s}": ("#7d8795", "#8b95a4"),
    ".ud-head{fill:%s}": ("#7d8795", "#8b95a4"),
    ".ud-error .ud-line{stroke:%s}": ("#c4453a", "#ef8177"),
    ".ud-error .ud-head,.ud-error .ud-label{fill:%s}": ("#c4453a", "#ef8177"),
}


def style() -> str:
    """The style sheet; what is dark follows the reader's setting."""
    return "\n".join([
        "",
        f".ud{{font-family:{_FONTS}}}",
        ".ud text{text-anchor:middle}",
        f".ud-title{{font-size:{TITLE:g}px;font-weight:600}}",
        f".ud-text,.ud-label{{font-size:{SMALL:g}px}}",
        ".ud-line{fill:none;stroke-width:1.5}",
        ".ud-box>rect{stroke-width:1.25}",
        ".ud-error .ud-line,.ud-unknown>rect{stroke-dasharray:5 4}",
        *_colours(dark=False),
        "@media (prefers-color-scheme: dark){",
        *_colours(dark=True),
        "}",
        "",
    ])  # fmt: skip


def _colours(dark: bool) -> Iterator[str]:
    for rule, colours in _REST.items():
        yield rule % colours[dark]
    for kind, shades in _BOXES.items():
        fill, edge = shades[2:] if dark else shades[:2]
        yield f".ud-{kind}>rect{{fill:{fill};stroke:{edge}}}"
