"""Tokens: how long a text is for the shipped backbone, counted without torch or transformers."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .. import core

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The tokenizer never joins letters over white space, and takes one blank to the word behind it, so that the tokens of
# a text are those of its words. A longer run of letters (base64, Chinese) is counted in parts, to bound the cache.
_UNIT = re.compile(r" ?\S{1,64}|\s")


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The tokenizer of the backbone that comes with understudy; it is loaded once."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(Path(core.__file__).parent / "backbones" / "nano" / "tokenizer.json"))


def count(text: str) -> int:
    """How many tokens ``text`` has where it follows a blank, as it does in a prompt.

    >>> count("Lima is the capital."), count("")
    (6, 0)
    """
    return sum(map(_length, _UNIT.findall(text if text[:1].isspace() else " " + text))) if text else 0


@lru_cache(maxsize=1 << 16)
def _length(unit: str) -> int:
    return len(tokenizer().encode(unit, add_special_tokens=False))
