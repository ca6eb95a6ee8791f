"""understudy: agents that learn their role from a few demonstrations.

Public names are loaded on first use (PEP 562), so that ``import understudy`` costs no more than its light parts:
no torch, transformers, faiss or networkx is imported here.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

# In a bare checkout the floors lie beside this folder; installed, they lie inside it.
__path__ = [*__path__, str(Path(__file__).resolve().parent.parent)] if not (Path(__file__).parent / "core").is_dir() else __path__

__version__ = "0.1.0"
