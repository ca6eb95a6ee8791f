"""A role is learned from its file: demonstrations in, a head in its folder out, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError
from .evaluation import Rate

if TYPE_CHECKING:
    from .agents.role import Role
    from .core.adaptation import Report
    from .workflows.learning import Method, OnProgress


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
            "mix": {field: list(mix) for field, mix in self.report.mix.items()},
        }


def learn_role(
    file: Path, heads: Path, backbone: str | None, on_progress: OnProgress | None = None, method: Method | None = None
) -> Lesson:
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
    (lesson,) = _learned([role], heads, backbone, on_progress, method, str(file))
    return lesson


def learn_again(
    heads: Path, backbone: str | None, on_progress: OnProgress | None = None, method: Method | None = None
) -> list[Lesson]:
    """Learn every role that has a head in ``heads`` again, from the demonstrations that the head keeps.

    Raises UnderstudyError where there is none, or where a head's file is broken; nothing is written then.
    """
    from .agents.role import role_from_document
    from .workflows.roles import MANIFEST, FoundRole

    folders = sorted(file.parent for file in heads.glob(f"*/{MANIFEST}"))
    roles: list[Role] = []
    for folder in folders:
        document = FoundRole(folder.name, False, folder).document()
        if document.get("demonstrations"):
            roles.append(role_from_document(document, folder, where=str(folder)))
    if not roles:
        raise UnderstudyError("there are no learned heads here", where=str(heads), mend="understudy learn ROLE.yaml")
    return _learned(roles, heads, backbone, on_progress, method)


def _learned(
    roles: list[Role], heads: Path, backbone: str | None, on_progress: OnProgress | None, method: Method | None,
    file: str | None = None,
) -> list[Lesson]:  # fmt: skip
    from .core.backbone import Backbone
    from .workflows.learning import learn_many

    loaded = Backbone.load(backbone or "default")
    try:
        learned = learn_many(roles, loaded, on_progress, method)
    except UnderstudyError as error:
        where = ", ".join(place for place in (file or str(heads), error.where) if place)
        raise UnderstudyError(error.what, where=where, mend=error.mend) from error
    return [Lesson(name, heads / name, report, head.save(heads / name)) for name, (head, report) in learned.items()]
