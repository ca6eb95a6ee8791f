"""A role is learned from its file: demonstrations in, a head in its folder out, and what to expect of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError
from .evaluation import Rate

if TYPE_CHECKING:
    from .agents.role import Role
    from .core.adaptation import Report
    from .core.backbone import Backbone
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
        document: the role as the values of a role.yaml.
    """

    role: str
    folder: Path
    report: Report
    bytes: int
    document: Mapping[str, Any]

    @property
    def left_out(self) -> Rate:
        """Demonstrations answered right as a whole when each was left out in its turn."""
        return Rate(round(self.report.accuracy * self.report.demonstrations), self.report.demonstrations)

    @property
    def would_answer(self) -> int:
        """How many of the left-out demonstrations it was sure enough of to answer."""
        return round(self.report.answered * self.report.demonstrations)

    @property
    def uncopied(self) -> list[tuple[int, str, str]]:
        """Texts that do not stand in their message though nearly all of their field do: number, field, value.

        One such among the demonstrations, a slip of the pen perhaps, and the field is written, not pointed at.
        """
        shown = self.document["demonstrations"]
        found: list[tuple[int, str, str]] = []
        for field in (name for name, kind in self.document["gives"].items() if kind == "text"):
            values = [str(one["gives"][field]) for one in shown]
            there = max(
                ([value in str(one["takes"].get(part, "")) for one, value in zip(shown, values, strict=True)]
                 for part in self.document["takes"]), key=sum,
            )  # fmt: skip
            if 0 < there.count(False) <= len(shown) // 4:
                found += [(at + 1, field, values[at]) for at, copied in enumerate(there) if not copied]
        return found

    @property
    def unshown(self) -> list[tuple[str, str]]:
        """Choices that no demonstration has, each with its field: they are hardly ever answered."""
        shown = self.document["demonstrations"]
        return [
            (field, choice)
            for field, kind in self.document["gives"].items() if isinstance(kind, list)
            for choice in kind if all(one["gives"][field] != choice for one in shown)
        ]  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """The object that ``learn --json`` prints."""
        return {
            "role": self.role,
            **{key: self.document[key] for key in ("does", "takes", "gives")},
            "folder": str(self.folder),
            "demonstrations": self.report.demonstrations,
            "leave_one_out": self.left_out.as_json(),
            "seconds": round(self.report.seconds, 3),
            "steps": self.report.steps,
            "bytes": self.bytes,
            "threshold": round(self.report.threshold, 4),
            "answered": round(self.report.answered, 4),
            "disagree": list(self.report.disagree),
            "unshown": [{"field": field, "choice": choice} for field, choice in self.unshown],
            "uncopied": [
                {"demonstration": at, "field": field, "value": value} for at, field, value in self.uncopied
            ],
            "mix": {field: list(mix) for field, mix in self.report.mix.items()},
        }


def read_role(file: Path, gives: Sequence[str] = ()) -> Role:
    """The role of a role.yaml, or of a .csv of demonstrations, of which ``gives`` may name the columns that are given.

    Raises UnderstudyError with the mistakes of the file.
    """
    from .agents.role import Role, role_from_document
    from .workflows.problems import InvalidFile
    from .workflows.schema import check

    if file.suffix.lower() == ".csv":
        from .csv_role import role_document

        return role_from_document(role_document(file, gives), file.parent, where=str(file))
    if gives:
        raise UnderstudyError("--gives is for a .csv", where=str(file), mend="a role.yaml says what it gives")
    problems = check(file)
    if problems:
        raise InvalidFile(file, problems)
    role = Role.load(file)
    if Path(role.name).name != role.name:
        raise UnderstudyError(f"the role's name {role.name!r} cannot name a folder", where=str(file))
    return role


def learn_role(
    role: Role, heads: Path, backbone: Backbone, on_progress: OnProgress | None = None, method: Method | None = None,
    where: str = "",
) -> Lesson:  # fmt: skip
    """Learn ``role`` and write its head into ``heads``/NAME; mistakes are told with ``where``, the role's file.

    Raises UnderstudyError for a demonstration that is too long.
    """
    head, report = _learned([role], backbone, on_progress, method, where)[role.name]
    folder = heads / role.name
    return Lesson(role.name, folder, report, head.save(folder), head.role)


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
    from .core.backbone import Backbone

    learned: dict[str, tuple[Head, Report]] = {}
    loaded = Backbone.load(backbone or "default")
    for way, roles in groups.items():
        learned |= _learned(roles, loaded, on_progress, way, str(heads))
    return [
        Lesson(name, folders[name], report, head.save(folders[name]), head.role)
        for name, (head, report) in learned.items()
    ]


def _learned(
    roles: list[Role], backbone: Backbone, on_progress: OnProgress | None, method: Method | None, where: str
) -> dict[str, tuple[Head, Report]]:
    from .workflows.learning import learn_many

    try:
        return learn_many(roles, backbone, on_progress, method)
    except UnderstudyError as error:
        place = f"{where}, {error.where}" if error.where else where
        raise UnderstudyError(error.what, where=place, mend=error.mend) from error
