"""How long until a role is learned: our heads beside PEFT's LoRA under transformers' Trainer."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.made_roles import role
from benchmarks.peers import PeftRole
from understudy.core.adaptation import adapt
from understudy.core.backbone import DEFAULT, SHIPPED, Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.folds import Cohort
from understudy.core.heads import Head
from understudy.core.meta.start import Start
from understudy.core.prompts import Example
from understudy.core.teaching import teach

STEPS = (1, 2, 4, 8, 16, 32)


def against_trainer(backbone: Backbone, seeds: int = 5) -> dict[str, Any]:
    """Seconds of learning until 8 of 9 unseen messages are right, for some roles in turns.

    *Head alone*: the same rows, rank, learning rate where none was learned, precision (fp32) and numbers of steps as
    the Trainer; what still differs is that PEFT's loss is over the whole vocabulary, ours over the legal options.
    *Head and readout*: as ``understudy learn`` does it, less the left-out demonstrations: the top third, in bf16, and a
    readout; after 0 steps it is the readout and the start alone.
    """
    shipped = SHIPPED / (DEFAULT if backbone.name == "default" else backbone.name)
    starts = {"head alone, learned start": Start.of_backbone(shipped, backbone.sites),
              "head alone, random start": Start.plain(backbone.sites)}  # fmt: skip
    runs: dict[str, list[dict[str, Any]]] = {}
    for seed in range(seeds):
        learned, unseen = role(3 * seed, 9, 8), role(3 * seed + 30, 9, 8)

        cohort = [Cohort.of("role", learned, backbone, 0)]
        for who, start in starts.items():

            def whole(steps: int, start: Start = start, learned: list[Example] = learned) -> Head:
                return adapt(backbone, learned, start, steps=steps, folds=0)[0]

            both = who.replace("head alone", "head and readout")
            runs.setdefault(both, []).append(_until(backbone, unseen, (0, *STEPS), whole))

            def alone(steps: int, start: Start = start, cohort: list[Cohort] = cohort) -> Head:
                return Head.of_stack("role", teach(backbone, cohort, start, steps, precision=torch.float32).heads[0], 0)

            runs.setdefault(who, []).append(_until(backbone, unseen, STEPS, alone))
        with tempfile.TemporaryDirectory() as folder:
            theirs = PeftRole(backbone, Path(folder)).until(learned, unseen, 8, STEPS)
        if theirs is not None:
            runs.setdefault("PEFT + Trainer", []).append(theirs)
    return {who: _medians(some) for who, some in runs.items()}


def _medians(some: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {key: median(one[key] for one in some) for key in ("seconds", "steps", "right")}
    return found | {"reached": sum(one["right"] >= 8 for one in some), "of": len(some)}


def _until(
    backbone: Backbone, unseen: list[Example], grid: Sequence[int], learn: Callable[[int], Head]
) -> dict[str, Any]:
    """Learn anew with more and more steps until 8 of ``unseen`` are answered right."""
    bank = HeadBank(backbone.sites)
    found: dict[str, Any] = {}
    for steps in grid:
        began = time.perf_counter()
        head = learn(steps)
        seconds = time.perf_counter() - began
        bank.add(head)
        replies = Decoder(backbone, bank).decode([Call(e.prompt, e.record, "role") for e in unseen])
        right = sum(r.values == dict(e.values) for r, e in zip(replies, unseen, strict=True))
        found = {"seconds": seconds, "right": right, "steps": steps}
        if right >= 8:
            break
    return found
