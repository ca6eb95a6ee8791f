"""A role is learned from its file: demonstrations in, a head in its folder out, and what to expect of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError
from .evaluation import Rate

if TYPE_CHECKING:
    from .agents.role import Role
    from .core.adaptation import Report
    from .core.heads import Head
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
    head, report = _learned([role], backbone, on_progress, method, str(file))[role.name]
    folder = heads / role.name
    return Lesson(role.name, folder, report, head.save(folder))


def learn_again(
    heads: Path, backbone: str | None, on_progress: OnProgress | None = None, changes: Mapping[str, Any] | None = None
) -> list[Lesson]:
    """Learn every role that has a head in ``heads`` again, from the demonstrations that the head keeps.

    Heads that were learned in the same way are learned in one batch, and as they were but for what ``changes`` says of
    their :class:`Method`.
    Raises UnderstudyError where there is none, or where a head's file is broken; nothing is written then.
    """
    from .agents.role import role_from_document
    from .workflows.learning import method_of
    from .workflows.roles import MANIFEST, FoundRole

    groups: dict[Method, list[Role]] = {}
    folders: dict[str, Path] = {}
    for folder in sorted(file.parent for file in heads.glob(f"*/{MANIFEST}")):
        document = FoundRole(folder.name, False, folder).document()
        if not document.get("demonstrations"):
            continue
        role = role_from_document(document, folder, where=str(folder))
        if role.name in folders:
            what = f"{folders[role.name].name} and {folder.name} are both heads of the role '{role.name}'"
            raise UnderstudyError(what, where=str(heads), mend="remove one of them")
        folders[role.name] = folder
        groups.setdefault(replace(method_of(folder), **(changes or {})), []).append(role)
    if not groups:
        raise UnderstudyError("there are no learned heads here", where=str(heads), mend="understudy learn ROLE.yaml")
    learned: dict[str, tuple[Head, Report]] = {}
    for way, roles in groups.items():
        learned |= _learned(roles, backbone, on_progress, way, str(heads))
    return [
        Lesson(name, folders[name], report, head.save(folders[name])) for name, (head, report) in learned.items()
    ]


def _learned(
    roles: list[Role], backbone: str | None, on_progress: OnProgress | None, method: Method | None, where: str
) -> dict[str, tuple[Head, Report]]:
    from .core.backbone import Backbone
    from .workflows.learning import learn_many

    loaded = Backbone.load(backbone or "default")
    try:
        return learn_many(roles, loaded, on_progress, method)
    except UnderstudyError as error:
        place = f"{where}, {error.where}" if error.where else where
        raise UnderstudyError(error.what, where=place, mend=error.mend) from error
