"""Resources: what the agents of a team share, each made when it is first needed: backbone, heads, knowledge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from os.path import isdir, isfile
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from .places import matches

if TYPE_CHECKING:
    from ..core.backbone import Backbone
    from ..core.bank import HeadBank
    from ..core.decoding import Reply
    from ..core.heads import Head
    from ..core.scheduler import Scheduler
    from ..knowledge.store import KnowledgeStore


class Resources:
    """One backbone, one bank of heads and one decoder for all agents of a team, and its knowledge.

    It is itself what the agents ask (``decode``), so that torch is only loaded by the first question.

    Args:
        backbone: ``default``, a folder or hub id, or a backbone in memory.
        base: the team's folder, to which the paths of its file are relative.
        knowledge: ``{store: path, add: [globs], embedder: name}``, or None.
        allow: folders in which the team may name places, beside ``base``; resolved.
    """

    def __init__(self, backbone: str | Backbone, base: Path, knowledge: Mapping[str, Any] | None = None,
                 allow: tuple[Path, ...] = ()) -> None:
        self.base = base
        self.allow = allow
        self._lock = RLock()
        self._source = backbone
        self._knowledge = knowledge
        self._backbone: Backbone | None = None if isinstance(backbone, str) else backbone
        self._bank: HeadBank | None = None
        self._scheduler: Scheduler | None = None
        self._store: KnowledgeStore | None = None
        self._folders: dict[str, Path] = {}
        self._put: set[str] = set()

    @property
    def source(self) -> str | Backbone:
        """What the backbone is loaded from, or the one that was given."""
        return self._source

    @property
    def beside(self) -> Path | None:
        """The folder or GGUF file beside the team's own that the backbone is; None where it is another's, or given."""
        path = self.base / self._source if isinstance(self._source, str) else None
        # os.path says no to a name that is too long, where pathlib raises.
        here = path is not None and (isdir(path) or path.suffix.lower() == ".gguf" and isfile(path))
        return path if here else None

    @property
    def knowledge(self) -> Mapping[str, Any] | None:
        """Where the knowledge comes from, as in the team's file."""
        return self._knowledge

    @property
    def backbone(self) -> Backbone:
        """The backbone, loaded when it is first asked for."""
        with self._lock:
            if self._backbone is None:
                from ..core.backbone import Backbone

                self._backbone = Backbone.load(str(self.beside or self._source))
            return self._backbone

    @property
    def bank(self) -> HeadBank:
        """The heads in use."""
        with self._lock:
            if self._bank is None:
                from ..core.bank import HeadBank

                self._bank = HeadBank(self.backbone.sites, digest=self.backbone.digest())
            return self._bank

    @property
    def store(self) -> KnowledgeStore | None:
        """The knowledge of the team, opened and filled when it is first asked for; None where it has none."""
        with self._lock:
            if self._store is None and self._knowledge is not None:
                from ..knowledge.store import KnowledgeStore

                path = self._knowledge.get("store")
                if path is not None:
                    (self.base / path).parent.mkdir(parents=True, exist_ok=True)
                embedder = self._knowledge.get("embedder")
                if embedder is not None and (self.base / embedder).is_dir():
                    embedder = str(self.base / embedder)
                store = KnowledgeStore.open(":memory:" if path is None else self.base / path, embedder)
                added = [file for glob in self._knowledge.get("add", ()) for file in matches(glob, self.base)]
                if added:
                    store.add(*dict.fromkeys(added))
                self._store = store
            return self._store

    def name_head(self, name: str, folder: Path) -> None:
        """Say where the head ``name`` lies; it is loaded by the first question to it."""
        with self._lock:
            other = self._folders.get(name)
            if other is not None and other.resolve() != folder.resolve():
                raise UnderstudyError(f"two heads are called '{name}': {other} and {folder}", mend="rename one role")
            self._folders[name] = folder

    def put_head(self, head: Head) -> None:
        """Take a head that is at hand, in place of a former one of its name."""
        with self._lock:
            self.bank.add(head)
            self._put.add(head.name)

    def at_hand(self, name: str) -> Head | None:
        """The head of that name, where it was put here rather than found in a folder."""
        with self._lock:
            return self.bank.head(name) if name in self._put else None

    def has_head(self, name: str) -> bool:
        """Whether a head of that name is at hand or said to lie somewhere."""
        with self._lock:
            return name in self._folders or (self._bank is not None and name in self._bank.names())

    def decode(self, calls: Sequence[Any], /) -> Sequence[Reply]:
        """Answer calls, in order, in one batch; loads the backbone and the heads that are asked for first."""
        from ..core.scheduler import answers

        return answers(self.submit, calls)

    def submit(self, call: Any, owner: str = "") -> Future[Reply]:
        """Put a call in the line of ``owner``; it joins the batch that is being decoded. Loads what it needs first."""
        with self._lock:
            if self._scheduler is None:
                from ..core.scheduler import Scheduler

                self._scheduler = Scheduler(self.backbone, self.bank)
            if call.head and call.head not in self.bank.names():
                self._load(call.head)
            scheduler = self._scheduler
        return scheduler.submit(call, owner)

    def make_ready(self) -> None:
        """Load what would be loaded by the first question: backbone, heads, knowledge."""
        with self._lock:
            for name in self._folders:
                if name not in self.bank.names():
                    self._load(name)
            _ = self.backbone, self.store

    def close(self) -> None:
        """Close the knowledge store, and end the decoding."""
        with self._lock:
            scheduler, self._scheduler = self._scheduler, None
            if self._store is not None:
                self._store.close()
                self._store = None
        if scheduler is not None:
            scheduler.close()

    def _load(self, name: str) -> None:
        from ..core.heads import Head

        folder = self._folders.get(name)
        if folder is None:
            raise UnderstudyError(f"there is no head '{name}'", mend="learn it: understudy learn ROLE.yaml")
        head = Head.load(folder)
        try:
            self.bank.add(replace(head, name=name))
        except UnderstudyError as error:
            raise UnderstudyError(error.what, where=str(folder), mend=error.mend) from None
