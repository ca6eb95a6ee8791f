"""Words in a drawing: how wide a text is at most, and where it is broken."""

from __future__ import annotations

import unicodedata

# Hundredths of the size, of the characters from space to tilde, in DejaVu Sans: the widest of the fonts asked for.
_PLAIN = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61,
    69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59,
    82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
BOLDER = 1.13


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide the text is at most, in pixels."""
    hundredths = sum(map(_width, text))
    return hundredths * size / 100 * (BOLDER if bold else 1.0)


def _width(mark: str) -> int:
    if " " <= mark <= "~":
        return _PLAIN[ord(mark) - 32]
    if unicodedata.combining(mark):
        return 0
    return 130 if mark >= "\U00010000" else 104 if unicodedata.east_asian_width(mark) in "WFA" else 80


def broken(text: str, most: float, size: float, bold: bool = False) -> list[str]:
    """The text in lines of at most ``most`` pixels; a word that is longer is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold) <= most:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for mark in word:
            if line and width(line + mark, size, bold) > most:
                lines.append(line)
                line = ""
            line += mark
    return [*lines, line] if line or not lines else lines
