"""A role is learned from its file: demonstrations in, a head in its folder out, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .evaluation import Rate


@dataclass(frozen=True)
class Lesson:
    """What ``understudy learn`` reports.

    Attributes:
        role: its name.
        folder: where the head was written.
        right: demonstrations answered right when each was left out in its turn.
        demonstrations: how many there are.
        seconds: of learning, leave-one-out included, without loading the backbone.
        bytes: of the head's folder.
        threshold: the confidence under which the role abstains.
    """

    role: str
    folder: Path
    right: int
    demonstrations: int
    seconds: float
    bytes: int
    threshold: float

    def as_json(self) -> dict[str, Any]:
        """The object that ``learn --json`` prints."""
        return {
            "role": self.role,
            "folder": str(self.folder),
            "demonstrations": self.demonstrations,
            "leave_one_out": Rate(self.right, self.demonstrations).as_json(),
            "seconds": round(self.seconds, 3),
            "bytes": self.bytes,
            "threshold": self.threshold,
        }
