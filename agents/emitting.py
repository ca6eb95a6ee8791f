"""Parts of a result that are shown before it is whole: to whoever watches the run, from wherever they come about."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

Show = Callable[[Any], None]
shower: ContextVar[Show | None] = ContextVar("understudy_emit", default=None)
"""Where parts go in this context; None where nobody watches."""


class Token(str):
    """A piece of what a head fills: its text, and the ``field`` that it is of (``steps[0].agent`` of a plan).

    >>> Token("billing", "queue"), Token("billing", "queue").field
    ('billing', 'queue')
    """

    __slots__ = ("field",)

    field: str

    def __new__(cls, text: str, field: str) -> Token:
        made = super().__new__(cls, text)
        made.field = field
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.field


def emit(part: Any) -> None:
    """Show a part of the result, such as a token, to whoever watches the run.

    Parts are provisional: they are not recorded, and an effect that runs again emits them again. It may be called from
    the thread of a plain function; whoever watches is told in the event loop.
    """
    show = shower.get()
    if show is not None:
        show(part)


def listening() -> Callable[[str, str], None] | None:
    """What a decoder calls with each field and piece of text, so that they are shown here; None: nobody watches."""
    show = shower.get()
    return None if show is None else lambda field, text: show(Token(text, field))
