"""Learning a role: its demonstrations become a head on a backbone, with a report of what to expect of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UnderstudyError
from .roles import DEFAULT_BACKBONE

if TYPE_CHECKING:
    from ..agents.role import Role
    from ..core.adaptation import Report
    from ..core.backbone import Backbone
    from ..core.heads import Head

OnProgress = Callable[[float, str], None]
"""Told how far learning is, from 0 to 1, and what is being done."""


def learn(role: Role, backbone: Backbone, on_progress: OnProgress | None = None) -> tuple[Head, Report]:
    """A head for ``role`` from its demonstrations, beginning at the backbone's meta-learned start.

    The head keeps the role's document, so that it can be used, and learned again on another backbone, without the
    role's file. Nothing is saved.

    Raises:
        UnderstudyError: fewer than two demonstrations, or one that does not fit; it names the demonstration.
    """
    from ..core.adaptation import adapt
    from ..core.backbone import SHIPPED
    from ..core.meta.start import Start

    if not role.demonstrations:
        raise UnderstudyError("the role has no demonstrations", where=role.name, mend="give it 8 to 40 of them")
    name = DEFAULT_BACKBONE if backbone.name == "default" else backbone.name
    shipped = SHIPPED / name
    start = Start.of_backbone(shipped if shipped.is_dir() else Path(name), backbone.sites)

    def on_step(step: int, steps: int, loss: float) -> None:
        if on_progress is not None:
            on_progress(step / max(steps, 1), f"step {step} of {steps}, left-out loss {loss:.3f}")

    head, report = adapt(backbone, role.examples(), start, role.name, on_step=on_step)
    if on_progress is not None:
        on_progress(1.0, "done")
    return replace(head, role=role.document()), report
