"""Learning roles: their demonstrations become heads on a backbone, with a report of what to expect of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..core.errors import UnderstudyError
from .roles import DEFAULT_BACKBONE

if TYPE_CHECKING:
    from ..agents.role import Role
    from ..core.adaptation import Report
    from ..core.backbone import Backbone
    from ..core.heads import Head
    from ..core.meta.start import Start

OnProgress = Callable[[float, str], None]
"""Told how far learning is, from 0 to 1, and what is being done."""


@dataclass(frozen=True)
class Method:
    """How heads are learned.

    Attributes:
        layers: ``top``: the upper third alone, which is faster and was no worse on tasks kept for choosing; or ``all``.
        activation: ``row``, or ``marker``: roles then share the cache of all that comes before the role marker.
        start: a file of where heads begin, instead of the backbone's own.
    """

    layers: Literal["all", "top"] = "top"
    activation: Literal["row", "marker"] = "row"
    start: Path | None = None


def method_of(folder: Path) -> Method:
    """How the head in ``folder`` was learned, as its own files say."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        layers = {re.findall(r"\.(\d+)\.", site)[0] for site in config["target_modules"]}
        return Method("all" if "0" in layers else "top", "marker" if config.get("alora_invocation_tokens") else "row")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return Method()


def start_of(backbone: Backbone, method: Method) -> Start:
    """Where heads begin on this backbone: the method's start, else the one that lies with it, else a plain one."""
    from ..core.backbone import SHIPPED
    from ..core.meta.start import Start

    if method.start:
        return Start.load(method.start).over(backbone.sites)
    name = DEFAULT_BACKBONE if backbone.name == "default" else backbone.name
    shipped = SHIPPED / name
    return Start.of_backbone(shipped if shipped.is_dir() else Path(name), backbone.sites)


def learn(
    role: Role, backbone: Backbone, on_progress: OnProgress | None = None, method: Method | None = None
) -> tuple[Head, Report]:
    """A head for ``role``; see :func:`learn_many`."""
    return learn_many([role], backbone, on_progress, method)[role.name]


def learn_many(
    roles: Sequence[Role], backbone: Backbone, on_progress: OnProgress | None = None, method: Method | None = None
) -> dict[str, tuple[Head, Report]]:
    """Heads for ``roles`` from their demonstrations, all in one batch, beginning at the backbone's meta-learned start.

    Each head keeps its role's document, so that it can be used, and learned again on another backbone, without the
    role's file. Nothing is saved.

    Raises:
        UnderstudyError: fewer than two demonstrations, or one that does not fit; it names the demonstration.
    """
    from ..core.adaptation import adapt_many

    for role in roles:
        if not role.demonstrations:
            raise UnderstudyError("the role has no demonstrations", where=role.name, mend="give it 8 to 40 of them")
    method = method or Method()
    start = start_of(backbone, method)

    def on_step(step: int, steps: int, loss: float) -> None:
        if on_progress is not None:
            on_progress(step / max(steps, 1), f"step {step} of {steps}, left-out loss {loss:.3f}")

    examples = {role.name: role.examples() for role in roles}
    learned = adapt_many(
        backbone, examples, start, layers=method.layers, activation=method.activation, on_step=on_step
    )
    if on_progress is not None:
        on_progress(1.0, "done")
    documents = {role.name: role.document() for role in roles}
    return {
        name: (replace(head, role=documents[name]), report) for name, (head, report) in learned.items()
    }
