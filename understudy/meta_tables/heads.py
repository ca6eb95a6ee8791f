"""What each algorithm makes of the start of heads: the few-shot table with a column for each, at equal price.

A start of the shipped backbone's heads is learned from tasks of meta-training, every algorithm on the same ones; then
tasks of families that are kept for choosing are adapted to from 16 demonstrations, and asked. The head alone answers:
the readouts and pointers that a learned role has beside it would hide what the start is worth. Measured twice: after
the same tokens, and after the same seconds of one core.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..core.backbone import Backbone
from ..core.bank import HeadStack
from ..core.batches import Batch
from ..core.corpora import read_asked, read_corpora
from ..core.errors import UnderstudyError
from ..core.meta.anil import ANIL
from ..core.meta.learner import Tasks
from ..core.meta.maml import MAML, fomaml
from ..core.meta.maml_plus import MAMLPlus
from ..core.meta.meta_sgd import MetaSGD, meta_sgd_tensor
from ..core.meta.multitask import MultiTask
from ..core.meta.outer import Outer
from ..core.meta.reptile import Reptile
from ..core.meta.start import Start
from ..core.meta.tasks import head_tasks
from ..core.meta.training import Episode, right_rows, stack_episodes
from ..core.texts import read_sentences
from ..core.trunk import upper_sites
from ..few_shot import draw_task
from ..meta_training import SENTENCES
from ..mixture import episodes, self_supervised

DEMONSTRATIONS, QUESTIONS, STEPS, AT_ONCE = 16, 40, 4, 4
OUTER_STEPS, SECONDS = 80, 240.0
OUTER_RATE, RATE = 2e-3, 0.5
"""Of Adam over the start; of the inner steps, where it is not learned: what the shipped start's rates began with."""
Draw = Callable[[random.Random], Episode]


@dataclass(frozen=True)
class Row:
    """An algorithm with its settings; ``learns`` is False for the start that nothing was learned of."""

    algorithm: Callable[..., Outer]
    settings: Mapping[str, Any] = field(default_factory=dict)
    learns: bool = True


_LEARNED_RATES = {"rates": {"rate": 1e-2}}
_SGD_RATES = {"lowest": RATE / 2, "highest": RATE * 3 / 2, "second_order": False, **_LEARNED_RATES}
ROWS: dict[str, Row] = {
    "nothing": Row(fomaml, {"inner_rate": RATE}, learns=False),
    "multitask": Row(MultiTask, {"inner_rate": RATE}),
    "reptile": Row(Reptile, {"inner_rate": RATE, "adapt_steps": STEPS}),
    "anil": Row(ANIL, {"inner_rate": RATE, "second_order": False}),
    "fomaml": Row(fomaml, {"inner_rate": RATE}),
    "maml": Row(MAML, {"inner_rate": RATE}),
    "meta_sgd": Row(MetaSGD, _SGD_RATES),
    "meta_sgd_tensor": Row(meta_sgd_tensor, _SGD_RATES),
    "maml++": Row(MAMLPlus, {"inner_rate": RATE, "second_order": False, "horizon": OUTER_STEPS, **_LEARNED_RATES}),
}


@dataclass(frozen=True)
class Asked:
    """A task of a family that is kept for choosing."""

    name: str
    family: str
    tasks: Tasks
    questions: Batch


def asked_tasks(
    backbone: Backbone, data: Path, demonstrations: int, questions: int, sites: Sequence[str] | None = None
) -> list[Asked]:
    """One task of each family, the first by name that has enough lines.

    Args:
        sites: of the heads, below which everything is computed once; the upper third's when left out, () for all.

    Raises:
        UnderstudyError: there is none.
    """
    above = tuple(upper_sites(backbone)) if sites is None else tuple(sites)
    found: dict[str, Asked] = {}
    for corpus in sorted(read_asked(data, "choosing", ()), key=lambda one: one.name):
        if corpus.family in found:
            continue
        task = draw_task(corpus, demonstrations, 0, questions)
        if task is None:
            continue
        episode = (task.demonstrations, task.questions)
        batch, _ = stack_episodes(backbone, [task.questions])
        tasks = head_tasks(backbone, [episode], above)
        found[corpus.family] = Asked(task.name, corpus.family, tasks, batch)
    if not found:
        raise UnderstudyError("there is no task to ask", where=str(data), mend="docs/data.md says what it holds")
    return list(found.values())


def figures(backbone: Backbone, learner: Outer, asked: Sequence[Asked]) -> dict[str, Any]:
    """Of each task: the mean loss of its questions before and after adapting, and the share of them right after."""
    before, after, right = [], [], []
    for one in asked:
        parameters = learner.adapt(one.tasks, STEPS)
        with torch.no_grad():
            before.append(float(one.tasks.query(learner.adapt(one.tasks, 0)).detach()))
            after.append(float(one.tasks.query(parameters)))
        pairs = HeadStack.of_tensors(parameters).gather(torch.zeros(len(one.questions.ids), dtype=torch.long))
        right.append(float(right_rows(backbone, one.questions, pairs).float().mean()))
    return {"before": before, "after": after, "right": right}


def measure_row(
    row: Row, backbone: Backbone, draw: Draw, asked: Sequence[Asked], steps: int, seconds: float, tasks: int = AT_ONCE,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Learn a start and measure it after ``steps`` outer steps (``tokens``) and after ``seconds`` of a core (``time``).

    Args:
        draw: random generator → an episode; outer step and place alone decide what is drawn, whatever learns.
        tasks: of an outer step.
        on_step: called with the step and its loss.

    Returns:
        ``tokens`` and ``time``: outer steps, tokens read, seconds, and :func:`figures`; or ``astray``, the step at
        which the loss was not finite.
    """
    sites = upper_sites(backbone)
    settings = {"steps": STEPS, "clip": 1.0, "rate": OUTER_RATE} | dict(row.settings)
    learner = row.algorithm(Start.plain(backbone.sites).on(sites).tensors, **settings)
    found: dict[str, Any] = {}
    spent, read = 0.0, 0
    while len(found) < 2:
        for name, over in (("tokens", learner.number >= steps), ("time", spent >= seconds)):
            if name not in found and (over or not row.learns):
                about = {"outer_steps": learner.number, "tokens": read, "seconds": round(spent, 1)}
                found[name] = about | figures(backbone, learner, asked)
        if len(found) == 2:
            break
        rng = random.Random(7_919 + learner.number)
        drawn = [draw(rng) for _ in range(tasks)]
        began = time.process_time()
        batch = head_tasks(backbone, drawn, sites)
        try:
            loss = learner.outer_step(batch)["loss"]
        except UnderstudyError as error:
            found["astray"] = {"outer_steps": learner.number, "why": str(error)}
            break
        spent += time.process_time() - began
        sides = [[episode[side] for episode in drawn] for side in (0, 1)]
        read += sum(int(stack_episodes(backbone, side)[0].ids.numel()) for side in sides)
        if on_step:
            on_step(learner.number, loss)
    return found


def measure(
    names: Sequence[str], data: Path, backbone: Backbone, work: Path, steps: int = OUTER_STEPS,
    seconds: float = SECONDS, on_step: Callable[[int, int, str], None] | None = None,
) -> None:  # fmt: skip
    """Write ``work/NAME.json`` for each row that is not there yet.

    Args:
        data: the folder that has ``tasks`` and ``pretrain``.
        on_step: called with how many rows are done, of how many, and the row with its step.
    """
    missing = [name for name in names if not (work / f"{name}.json").exists()]
    if not missing:
        return
    work.mkdir(parents=True, exist_ok=True)
    asked = asked_tasks(backbone, data, DEMONSTRATIONS, QUESTIONS)
    draw = episodes(self_supervised(read_corpora(data), read_sentences(data, SENTENCES)))
    for done, name in enumerate(missing):

        def note(step: int, loss: float, done: int = done, name: str = name) -> None:
            if on_step:
                on_step(done, len(missing), f"{name}, step {step}: {loss:.3f}")

        found = measure_row(ROWS[name], backbone, draw, asked, steps, seconds, on_step=note)
        said = {
            "row": name, "backbone": f"{backbone.name} ({backbone.digest()})", "asked": [one.name for one in asked],
            "families": [one.family for one in asked], "demonstrations": DEMONSTRATIONS, "steps": STEPS, **found,
        }  # fmt: skip
        (work / f"{name}.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
