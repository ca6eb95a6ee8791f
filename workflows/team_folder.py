"""The folder of a team's file, when the file is written: what it names there, and what has to be put there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.role import Role, role_named
from ..core.errors import UnderstudyError
from .function_role import FunctionRole
from .members import Member
from .places import matches, within
from .roles import HEADS, SHIPPED, RoleFinder, is_role_path
from .step_document import function_name
from .yaml_document import parse_document
from .yaml_edits import edited
from .yaml_text import text_of

if TYPE_CHECKING:
    from .resources import Resources

ROLES = "roles"
"""Where roles without a file of their own are written."""


class TeamFolder:
    """The folder ``new`` that a team's file is written into, and what lies beside the file.

    Args:
        resources: of the team; its paths are relative to their ``base``.

    Attributes:
        texts: the role files that have to be written, by place.
        heads: how the heads are written that have to be, by place.
    """

    def __init__(self, resources: Resources, new: Path) -> None:
        self.old = resources.base
        self.new = new
        self.resources = resources
        source = resources.source
        self.finder = RoleFinder(new, source if isinstance(source, str) else source.name)
        self.texts: dict[Path, str] = {}
        self.heads: dict[Path, Callable[[Path], object]] = {}

    @property
    def moves(self) -> bool:
        """Whether the file goes into another folder than that to which the team's paths are relative."""
        return self.old.resolve() != self.new.resolve()

    def path(self, written: str, where: str, *, glob: bool = False) -> str:
        """How the file names what ``written`` names from the old folder; ``glob``: it may be a pattern.

        Raises UnderstudyError where it lies outside the new folder and of those that are allowed.
        """
        there = matches(written, self.new) if glob else (self.new / written).exists()
        if self.moves and there and not Path(written).is_absolute():
            return written
        inside = self.relative(self.old / written)
        if inside is None and self.allows(self.old / written):
            return str((self.old / written).resolve()) if self.moves else written
        if inside is None:
            mend = f"copy it there, or save the team in {self.old}" if self.moves else "copy it there"
            raise UnderstudyError(f"'{written}' lies outside {self.new}", where=where, mend=mend)
        return inside

    def allows(self, path: Path) -> bool:
        """Whether the file may name what is there although it lies in another folder."""
        return within(path.resolve(), self.resources.allow)

    def relative(self, path: Path) -> str | None:
        """The path from the new folder; None where it leads out of it."""
        new = self.new.resolve()
        if not path.resolve().is_relative_to(new):
            return None
        # A link inside the folder keeps its own name, unless the folder itself is reached by a link.
        name = Path(os.path.relpath(path.absolute(), self.new.absolute()))
        return (path.resolve().relative_to(new) if ".." in name.parts else name).as_posix()

    def model(self, written: str) -> str:
        """How the file names a model: a folder as a path, else the name of one."""
        if not (self.old / written).is_dir():
            return written
        return self.relative(self.old / written) or str((self.old / written).resolve())

    def agent(self, member: Member) -> dict[str, Any]:
        """A member as the file has it; what it needs beside the file is noted. Raises UnderstudyError."""
        where = f"agent {member.name}"
        if isinstance(member.role, FunctionRole):
            made: dict[str, Any] = {"call": function_name(member.role.function, where)}
        else:
            made = {"role": self.role(member, where)}
        if member.does is not None:
            made["does"] = member.does
        if member.tools:
            made["tools"] = [{kind: self.path(path, where) for kind, path in tool.items()} for tool in member.tools]
        for name, value in member.options.items():
            made[name] = self.path(value, where) if name == "history" else value
        return made

    def role(self, member: Member, where: str) -> str:
        """The name or path of a member's role. Raises UnderstudyError for one that is a class of Python."""
        role = member.role
        if type(role) is not Role:
            if role.name in SHIPPED and type(role) is type(role_named(role.name)):
                return role.name
            raise UnderstudyError(f"its role is the class {type(role).__name__} of Python", where=where,
                                  mend="a team file knows shipped roles, roles with demonstrations, and functions")
        head = self.resources.at_hand(role.name)
        if head is not None:
            self.heads[self.new / HEADS / role.name] = head.save
        elif member.head is not None and not _same(self.finder.head(role.name), member.head):
            place = self.new / HEADS / role.name
            if place.exists():
                raise UnderstudyError(f"another head is called '{role.name}': {place}", where=where,
                                      mend="rename the role, or save the team elsewhere")
            self.heads[place] = partial(shutil.copytree, member.head)
        named = None if is_role_path(member.learn_from) else self.finder.find(role.name)
        if named is not None and named.head is not None and _plain(named.document()) == _plain(role.document()):
            return role.name
        return self.role_file(member, where)

    def role_file(self, member: Member, where: str) -> str:
        """The path of the file of a member's role; the file is to be written where it does not say what the role is."""
        role, own = member.role, Path(member.learn_from)
        document = _plain(role.document())
        model = _read(own) if is_role_path(member.learn_from) else None
        inside = self.relative(own) if model is not None else None
        if model is not None and inside is None and self.allows(own) and _says(own, document):
            return str(own.resolve()) if self.moves else os.path.relpath(own, self.old)
        place = self.new / (inside or f"{ROLES}/{role.name}.yaml")
        former = _read(place)
        if former is None or not _says(place, document):
            if former is not None and _mapping(former).get("role") != role.name:
                raise UnderstudyError("there is another file", where=str(place), mend="name the role otherwise")
            if len(role.demonstrations) < 2:
                raise UnderstudyError(f"the role '{role.name}' has no demonstrations", where=where,
                                      mend="give it 8 to 40 of them: without any it cannot be written as a file")
            # The comments of its own file go along, wherever it is written.
            text = former or model
            self.texts[place] = text_of(document) if text is None else edited(text, _ordered(document, text))
        return f"./{self.relative(place)}"


def _ordered(document: dict[str, Any], text: str) -> dict[str, Any]:
    """The document in the order of its file."""
    return {**{key: document[key] for key in _mapping(text) if key in document}, **document}


def _mapping(text: str) -> dict[str, Any]:
    value = parse_document(text).value
    return value if isinstance(value, dict) else {}


def _says(file: Path, document: dict[str, Any]) -> bool:
    """Whether the role of a file is that of the document."""
    try:
        return _plain(Role.load(file).document()) == document
    except UnderstudyError:
        return False


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as JSON has it: tuples as lists."""
    plain: dict[str, Any] = json.loads(json.dumps(document))
    return plain


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _same(one: Path | None, other: Path) -> bool:
    return one is not None and one.resolve() == other.resolve()
