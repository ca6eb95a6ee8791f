"""Problems: mistakes in a file, each with its place, what is wrong, why, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..core.errors import UnderstudyError


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. ``line`` and ``column`` count from 1; ``path`` is the key's, as ``agents.qa.role``.

    ``why`` says what the rule is, ``suggestion`` what to write instead; either may be empty.
    """

    file: str
    line: int
    column: int
    path: str
    what: str
    why: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        what = f"{self.path}: {self.what}" if self.path else self.what
        parts = [f"{self.file}:{self.line}:{self.column}: {what}", self.why, self.suggestion]
        return "; ".join(part for part in parts if part)

    def as_dict(self) -> dict[str, Any]:
        """The problem as JSON."""
        return asdict(self)


class InvalidFile(UnderstudyError):
    """A file with mistakes. ``problems`` has all of them, in the order of the file."""

    def __init__(self, file: Path | str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(str(problem) for problem in self.problems)
        many = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        super().__init__(f"{many} in {file}\n{lines}")


def key_path(path: Sequence[str | int]) -> str:
    """The path of a key as people write it: ``workflow.steps.plan.routes[0].to``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
