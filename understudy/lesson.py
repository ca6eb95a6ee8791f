"""A role is learned from its file: demonstrations in, a head in its folder out, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError
from .evaluation import Rate

if TYPE_CHECKING:
    from .core.adaptation import Report
    from .workflows.learning import OnProgress


@dataclass(frozen=True)
class Lesson:
    """What ``understudy learn`` reports.

    Attributes:
        role: its name.
        folder: where the head was written.
        report: what learning measured.
        bytes: of the head's folder.
    """

    role: str
    folder: Path
    report: Report
    bytes: int

    @property
    def left_out(self) -> Rate:
        """Demonstrations answered right as a whole when each was left out in its turn."""
        return Rate(round(self.report.accuracy * self.report.demonstrations), self.report.demonstrations)

    def as_json(self) -> dict[str, Any]:
        """The object that ``learn --json`` prints."""
        return {
            "role": self.role,
            "folder": str(self.folder),
            "demonstrations": self.report.demonstrations,
            "leave_one_out": self.left_out.as_json(),
            "seconds": round(self.report.seconds, 3),
            "steps": self.report.steps,
            "bytes": self.bytes,
            "threshold": round(self.report.threshold, 4),
            "answered": round(self.report.answered, 4),
            "disagree": list(self.report.disagree),
        }


def learn_role(file: Path, heads: Path, backbone: str | None, on_progress: OnProgress | None = None) -> Lesson:
    """Learn the role of ``file`` and write its head into ``heads``/NAME.

    Raises UnderstudyError with every mistake of the file, before the backbone is loaded.
    """
    from .agents.role import Role
    from .workflows.problems import InvalidFile
    from .workflows.schema import check

    problems = check(file)
    if problems:
        raise InvalidFile(file, problems)
    role = Role.load(file)
    if Path(role.name).name != role.name:
        raise UnderstudyError(f"the role's name {role.name!r} cannot name a folder", where=str(file))

    from .core.backbone import Backbone
    from .workflows.learning import learn

    head, report = learn(role, Backbone.load(backbone or "default"), on_progress)
    folder = heads / role.name
    return Lesson(role.name, folder, report, head.save(folder))
