"""The meta-learning core: backbone, heads, field decoding, adaptation, meta-learning.

Legend of shapes, used in every signature of this floor:
B rows, H heads, T tokens, D width, R rank, L layers, V vocabulary, N tasks, K demonstrations.
"""

from __future__ import annotations

import importlib
from typing import Any

from .errors import UnderstudyError
from .fields import Choice, Earlier, Field, Grammar, ListOf, Number, Record, Span, SpanValue, Text
from .prompts import Example, Passage, Prompt

_LAZY = {
    "Backbone": "backbone",
    "Head": "heads",
    "HeadBank": "bank",
    "HeadStack": "bank",
    "Decoder": "decoding",
    "Call": "decoding",
    "Reply": "decoding",
    "adapt": "adaptation",
    "Report": "adaptation",
}

__all__ = [
    "Backbone", "Call", "Choice", "Decoder", "Earlier", "Example", "Field", "Grammar", "Head", "HeadBank", "HeadStack",
    "ListOf", "Number", "Passage", "Prompt", "Record", "Reply", "Report", "Span", "SpanValue", "Text",
    "UnderstudyError", "adapt",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load the torch-bound names on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
