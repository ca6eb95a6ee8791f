"""What is said of text that is no YAML: where, what is wrong, and how it is most likely mended."""

from __future__ import annotations

import re
from typing import Any

from ruamel.yaml.error import MarkedYAMLError

MENDS = {
    "undefined alias": "quote the value, or name it before with &",
    "undefined tag handle": "take the tag away, or quote the value",
    "'\\t'": "indent with spaces",
    "cannot start any token": "quote the value",
    "quoted scalar": "close the quotes",
    "end of stream": "close the quotes",
    "<stream end>": "close the bracket",
    "expected ',' or": "close the bracket, or quote the value",
    "<document start>": "check the indentation: this line begins further left than the first",
    "could not find expected ':'": "write key: value, with a space after the colon",
}
"""A part of what is wrong, and how that is mended; the first that fits."""

KEY = re.compile(r"\s*(?:- +)*(?:[\w$.-]+|'[^']*'|\"[^\"]*\")\s*")
"""What stands before the colon that ends the first key of a line."""
DEEPER = "check the indentation: this line is deeper than the one above, which has a value already"
UNEVEN = "check the indentation: this line lines up with none above"
DASH = "check the indentation: the lines above are keys, and a dash begins the item of a list"


def mistake(error: MarkedYAMLError, text: str) -> tuple[Any, str, str]:
    """The mark of the mistake in ``text``, what is wrong, and how to mend it ("" where that is not known)."""
    what = str(error.problem or error.context or "cannot be read").strip().rstrip(".")
    mark = error.problem_mark or error.context_mark
    if "could not find expected ':'" in what and error.context_mark is not None:
        mark = error.context_mark  # the key; the other mark is where the line after it ends
    before = _line(text, mark)[: mark.column] if mark is not None else ""
    mend = next((mend for sign, mend in MENDS.items() if sign in what), "")
    if "mapping values" in what:
        mend = DEEPER if KEY.fullmatch(before) else "quote the value: it has ': ' in it"
    elif "sequence entries" in what:
        mend = "begin the list on the next line, or write [ … ]" if before.strip() else DASH
    elif "block end" in what and mark is not None:
        mend = DASH if "'-'" in what else DEEPER if _above(text, mark.line) < len(before) else UNEVEN
    return mark, what, mend


def _line(text: str, mark: Any) -> str:
    lines = text.splitlines()
    return lines[mark.line] if mark is not None and mark.line < len(lines) else ""


def _above(text: str, line: int) -> int:
    """Where the text of the last line above ``line`` begins that has some, after the dashes of a list."""
    written = [one for one in text.splitlines()[:line] if one.strip() and not one.lstrip().startswith("#")]
    found = re.match(r"[ -]*", written[-1]) if written else None
    return found.end() if found else 0
