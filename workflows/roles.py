"""Where roles and heads are found by name: beside the team file, in the working folder, in the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from ..core.errors import UnderstudyError
from .values import hint

SHIPPED = ("planner", "coder", "qa", "recommender")
"""Roles that the package has; each is a class of the agents floor."""

DEFAULT_BACKBONE = "nano"
"""What the backbone ``default`` is called, as core.backbone says, which is not imported without torch."""

HEADS = "heads"
MANIFEST = "head.json"


def is_role_path(role: str) -> bool:
    """Whether ``role`` is written as the path of a role file rather than as a name."""
    return "/" in role or "\\" in role or role.endswith((".yaml", ".yml"))


@dataclass(frozen=True)
class FoundRole:
    """A role known by name: ``shipped``, or learned; ``head`` is the folder of its head, if there is one."""

    name: str
    shipped: bool
    head: Path | None

    def document(self) -> dict[str, Any]:
        """The role's document as its head keeps it. Raises UnderstudyError where the file is broken."""
        if self.head is None:
            raise UnderstudyError(f"the role '{self.name}' has no head", mend=not_learned(self.name))
        file = self.head / MANIFEST
        try:
            document = json.loads(file.read_text(encoding="utf-8"))["role"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnderstudyError(f"the head's file cannot be read ({error})", where=str(file),
                                  mend="learn the role again: understudy learn ROLE.yaml") from None
        if not isinstance(document, dict):
            raise UnderstudyError("the head's file has no role in it", where=str(file),
                                  mend="learn the role again: understudy learn ROLE.yaml")
        return document


class RoleFinder:
    """Finds roles and heads by name, for a team file in folder ``base`` on the backbone of that name."""

    def __init__(self, base: Path, backbone: str = "default") -> None:
        self.base = base
        self.backbone = backbone

    def folders(self) -> tuple[Path, ...]:
        """Where heads lie, first found first: beside the team file, in the working folder, with the backbone.

        Those that belong to a backbone are in its own folder, or in the package.
        """
        package = Path(__file__).resolve().parent.parent
        name = DEFAULT_BACKBONE if self.backbone == "default" else self.backbone
        own = (self.base / HEADS, Path.cwd() / HEADS, self.base / name / HEADS, Path(name) / HEADS)
        last = Path(name).name
        shipped = (package / "agents" / HEADS / last, package / "core" / "backbones" / last / HEADS)
        return tuple(dict.fromkeys((*own, *shipped)))

    def head(self, name: str) -> Path | None:
        """The folder of the head of the role ``name``."""
        if not name or Path(name).name != name:
            return None
        found = (folder / name for folder in self.folders())
        # os.path says no to a name that is too long, where pathlib raises.
        return next((folder for folder in found if isfile(folder / MANIFEST)), None)

    def find(self, name: str) -> FoundRole | None:
        """The role ``name``, or None where it is neither shipped nor learned."""
        head = self.head(name)
        return FoundRole(name, name in SHIPPED, head) if name in SHIPPED or head else None

    def threshold(self, head: Path | None) -> float:
        """The confidence under which the role abstains, as the head in folder ``head`` says; 0 for none."""
        if head is None:
            return 0.0
        try:
            return float(json.loads((head / MANIFEST).read_text(encoding="utf-8"))["threshold"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnderstudyError(f"the head's file cannot be read ({error})", where=str(head),
                                  mend="learn the role again: understudy learn ROLE.yaml") from None

    def names(self) -> tuple[str, ...]:
        """The names of all roles that can be found."""
        folders = (folder for folder in self.folders() if isdir(folder))
        manifests = [file for folder in folders for file in sorted(folder.glob(f"*/{MANIFEST}"))]
        return tuple(dict.fromkeys((*SHIPPED, *(file.parent.name for file in manifests))))

    def suggestion(self, name: str) -> str:
        """What to write instead of the unknown role ``name``: a name like it, or the file to learn from."""
        for near in (f"{name}.yaml", f"roles/{name}.yaml", f"{name}/role.yaml"):
            if Path(name).name == name and isfile(self.base / near):
                return f"did you mean './{near}'? {not_learned(str(self.base / near))}"
        return hint(name, self.names()) or f"{not_learned('ROLE.yaml')}; or name the folder of its head"


def not_learned(role: Mapping[str, Any] | str) -> str:
    """The advice for a role without a head."""
    return f"learn it with: understudy learn {role}"
