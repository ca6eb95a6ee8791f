"""What a step's own code may ask of the effect it runs in: its idempotency key, and a way to show parts early."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ..agents.emitting import emit, shower

__all__ = ["begin_effect", "effect_key", "emit"]

_key: ContextVar[str] = ContextVar("understudy_effect", default="")


def effect_key() -> str:
    """The idempotency key of the effect that runs here, to be passed on to whoever can honour it; or "".

    An effect that had begun but was not recorded when its process died runs again with the same key: it happens
    exactly once where the receiver honours the key, and at least once elsewhere.
    """
    return _key.get()


def begin_effect(key: str, show: Callable[[Any], None] | None) -> None:
    """Make this context, and what begins from it, that of the effect ``key``."""
    _key.set(key)
    shower.set(show)
