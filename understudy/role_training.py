"""The shipped roles learn on: their heads alone, on generated examples, on a backbone that stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from .agents.generators import GENERATORS, interviewing
from .core.backbone import Backbone
from .core.bank import HeadStack
from .core.errors import UnderstudyError
from .core.heads import Head
from .core.pretraining import Pretraining, Progress, Recipe
from .core.ranks import averaged, resized
from .core.streams import Stream
from .core.trunk import upper_sites
from .mixture import ROLES, SHARES
from .origin import HEADS, folder_of
from .training import ABOUT_THRESHOLD, ABSTAINING, same_training, threshold

RECIPE = Recipe(
    minutes=55, rows_tokens=2560, longest=448, head_rate=2e-3, text_weight=0.0, warmup=0.0, heads_alone=1.0,
    lessons_until=0.0,
)
"""Nothing but heads move; no running text is read, because it would move nothing else."""
FRESH_SHARE, FRESH_RANK = 0.6, 5
"""Heads of a backbone that has none yet: the share of its layers, the upper ones, on which they begin; their rank."""


def train_roles(
    name: str,
    roles: Sequence[str],
    out: Path,
    work: Path,
    *,
    recipe: Recipe = RECIPE,
    rank: int | None = None,
    origin: Path | None = None,
    average: bool = False,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Train the heads of ``roles`` into ``out``/ROLE; goes on where ``work`` left off.

    Args:
        name: a backbone as :meth:`.core.backbone.Backbone.load` takes it; its weights are not changed.
        roles: some of the shipped roles.
        rank: of the heads; that of those begun with where it is None.
        origin: a folder with heads to begin with; those that ship with the backbone otherwise. A role for which
            there is none begins with random ones in the upper layers, which change nothing yet.
        average: whether the mean of the heads begun with and those learned is written, and not the latter.

    Raises:
        UnderstudyError: there is no such backbone, role or head, the checkpoint is of another training, or a loss is
            not finite.
    """
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        what = f"there is no shipped role {unknown[0]!r}" if unknown else "no role is named"
        raise UnderstudyError(what, mend=f"use {', '.join(ROLES)}")
    folder = folder_of(name)
    backbone = Backbone.load(str(folder))
    beside = origin or (folder / "heads" if (folder / "heads").is_dir() else HEADS / folder.name)
    if average and (new := [role for role in roles if not origin and not (beside / role).is_dir()]):
        raise UnderstudyError(f"there is no head of {new[0]} to take the mean with", mend="leave out --average")
    known = {role: Head.load(beside / role).stack() for role in roles if origin or (beside / role).is_dir()}
    sites = next((tuple(stack.down) for stack in known.values()), upper_sites(backbone, FRESH_SHARE))
    fresh = {site: backbone.sites[site] for site in sites}
    stacks = [
        known.get(role) or HeadStack.random(fresh, 1, rank or FRESH_RANK, number) for number, role in enumerate(roles)
    ]
    begun = max(up.shape[1] for stack in stacks for up in stack.up.values())
    before = [resized(stack, rank or begun, number) for number, stack in enumerate(stacks)]
    heads = HeadStack.joined(before)
    work.mkdir(parents=True, exist_ok=True)
    begun_as = {"roles": list(roles), "rank": rank or begun, "backbone": backbone.digest()}
    same_training(work / "training.json", begun_as, "give another --work, or the same arguments")
    streams = {role: Stream(number, SHARES[role], GENERATORS[role]) for number, role in enumerate(roles)}
    if "qa" in roles:
        streams["interviews"] = Stream(list(roles).index("qa"), SHARES["interviews"], interviewing.example)
    run = Pretraining(backbone, heads, streams, replace(recipe, seed=seed, heads_alone=1.0), work)
    run.resume()
    progress = run.run(on_progress)
    learned = averaged(run.heads, HeadStack.joined(before)) if average else run.heads
    shipped = Backbone.load(str(folder))
    about = {"name": folder.name, "digest": shipped.digest()}
    for number, role in enumerate(roles):
        one = learned.pick(number).tensors()
        stack = HeadStack.of_tensors({key: tensor.to(torch.bfloat16) for key, tensor in one.items()})
        head = Head.of_stack(role, stack, backbone=about)
        if role in ABSTAINING:
            head = replace(head, threshold=threshold(shipped, head), report={"threshold": ABOUT_THRESHOLD})
        head.save(out / role)
    return progress
