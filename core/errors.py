"""The base of every error that a user can cause: it says what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable


class UnderstudyError(Exception):
    """A mistake or a refusal that is reported in one sentence, never as a traceback.

    Args:
        what: what is wrong, as a sentence without a full stop.
        where: the file, step or demonstration it is about.
        mend: what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.what = what
        self.where = where
        self.mend = mend
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.mend}" if self.mend else text


def hint(name: str, known: Iterable[str]) -> str | None:
    """"did you mean" for a name that is not among ``known``; otherwise what there is."""
    from difflib import get_close_matches

    names = [str(one) for one in known]
    near = get_close_matches(name, names, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"there is: {', '.join(sorted(names)[:12])}" if names else None
