"""The meta-learning core: backbone, heads, field decoding, adaptation, meta-learning.

Public names are loaded on first use (PEP 562), so that a module of this floor costs no more than what it needs itself.

Legend of shapes, used in every signature of this floor:
B rows, H heads, T tokens, D width, R rank, L layers, V vocabulary, N tasks, K demonstrations.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adaptation import Report, adapt
    from .backbone import Backbone
    from .bank import HeadBank, HeadStack
    from .decoding import Call, Decoder, Reply
    from .errors import UnderstudyError
    from .fields import Choice, Earlier, Field, Grammar, ListOf, Number, Record, Span, SpanValue, Text
    from .heads import Head
    from .prompts import Example, Passage, Prompt

_homes = {
    "Backbone": "backbone",
    "Call": "decoding",
    "Choice": "fields",
    "Decoder": "decoding",
    "Earlier": "fields",
    "Example": "prompts",
    "Field": "fields",
    "Grammar": "fields",
    "Head": "heads",
    "HeadBank": "bank",
    "HeadStack": "bank",
    "ListOf": "fields",
    "Number": "fields",
    "Passage": "prompts",
    "Prompt": "prompts",
    "Record": "fields",
    "Reply": "decoding",
    "Report": "adaptation",
    "Span": "fields",
    "SpanValue": "fields",
    "Text": "fields",
    "UnderstudyError": "errors",
    "adapt": "adaptation",
}

__all__ = [
    "Backbone", "Call", "Choice", "Decoder", "Earlier", "Example", "Field", "Grammar", "Head", "HeadBank", "HeadStack",
    "ListOf", "Number", "Passage", "Prompt", "Record", "Reply", "Report", "Span", "SpanValue", "Text",
    "UnderstudyError", "adapt",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name in _homes:
        value = getattr(importlib.import_module(f".{_homes[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
