"""The trained backbone that a training goes on from, with the heads that were learned along with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .core.backbone import DEFAULT, SHIPPED, Backbone
from .core.bank import HeadStack
from .core.errors import UnderstudyError
from .core.heads import Head
from .core.meta.start import Start
from .core.ranks import resized

MULTITASK = "multitask.safetensors"
"""The start before it was meta-trained, kept so that tables can stand it beside; it need not ship."""
HEADS = SHIPPED.parent.parent / "agents" / "heads"


def folder_of(name: str) -> Path:
    """The folder of a shipped backbone, or the one that ``name`` is."""
    shipped = SHIPPED / (DEFAULT if name == "default" else name)
    return shipped if shipped.is_dir() else Path(name)


@dataclass(frozen=True)
class Origin:
    """Attributes:
    backbone: its weights and tokenizer.
    heads: one head for each role asked for, in that order, and the start of new ones last.
    manifest: what its own training was.
    """

    backbone: Backbone
    heads: HeadStack
    manifest: dict[str, Any]

    @classmethod
    def load(cls, name: str, roles: tuple[str, ...], rank: int) -> Origin:
        """Read a backbone's folder, or a shipped one by name; heads of another rank are brought to ``rank``.

        Raises:
            UnderstudyError: there is no such backbone, or a head or its manifest is missing or broken.
        """
        folder = folder_of(name)
        file = folder / "manifest.json"
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            mend = "give 'default' or a folder that `understudy train backbone` has written"
            raise UnderstudyError(f"training cannot go on from this ({error})", where=str(file), mend=mend) from None
        backbone = Backbone.load(str(folder))
        beside = folder / "heads"
        heads = beside if beside.is_dir() else HEADS / folder.name
        stacks = [Head.load(heads / role).stack() for role in roles]
        every = folder / MULTITASK  # the start has the layers alone that `learn` adapts
        start = Start.load(every) if every.is_file() else Start.of_backbone(folder, backbone.sites)
        stacks.append(start.stack())
        return cls(backbone, HeadStack.joined([resized(stack, rank) for stack in stacks]), manifest)

    def history(self) -> list[dict[str, Any]]:
        """The stretches of training before this one, the oldest first, for the manifest."""
        mine = {key: self.manifest[key] for key in ("date", "recipe", "machine", "pretraining") if key in self.manifest}
        return [*self.manifest.get("before", []), mine]
