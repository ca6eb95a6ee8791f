"""knowledge: passages, vectors and a graph of facts in one store that never disagrees with itself.

Names are loaded on first use (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .embedding import Embedder, HashedEmbedder
    from .entities import Mention
    from .results import Added, Fact, Result
    from .store import KnowledgeStore

_WHERE = {
    "Added": "results",
    "Embedder": "embedding",
    "Fact": "results",
    "HashedEmbedder": "embedding",
    "KnowledgeStore": "store",
    "Mention": "entities",
    "Result": "results",
}

__all__ = ["Added", "Embedder", "Fact", "HashedEmbedder", "KnowledgeStore", "Mention", "Result"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
