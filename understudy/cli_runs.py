"""``understudy runs``: what the journal knows."""

from __future__ import annotations
