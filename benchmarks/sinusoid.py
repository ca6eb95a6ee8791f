"""Finn 2017's sinusoid: five points of a sine wave, then the whole wave; several seeds side by side.

    y = A sin(x − φ), A in 0.1 … 5, φ in 0 … π, x in −5 … 5; 1-40-40-1 with ReLU, weights truncated normal of deviation
    0.01, biases 0; 25 tasks an outer step, 5 points to adapt on and 5 to learn from, 70,000 iterations of Adam 0.001

Finn, Abbeel, Levine 2017 (sec. 5.1); what the paper leaves open is as in their cbfinn/maml. The mean squared error is
on 100 fresh points of each of 1000 waves, the same for all algorithms and seeds, adapted on 5 points in 0 to 10 steps.

Run: ``python -m benchmarks.sinusoid --algorithm maml --out build/sinusoid/maml.json``
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import math
import os
import pkgutil
import runpy
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from understudy.core import meta
from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import ALGORITHMS, MetaLearner, TaskLoss, Tasks, Tensors
from understudy.core.meta.recurrent import Recurrent

WIDTH, SHOTS, TASKS = 40, 5, 25
STEPS = (0, 1, 5, 10)
BLOCK = 100
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def network() -> torch.nn.Sequential:
    """1-40-40-1."""
    layers = (torch.nn.Linear(1, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU())
    return torch.nn.Sequential(*layers, torch.nn.Linear(WIDTH, 1))


def starts(seeds: int) -> dict[str, Tensor]:
    """A start of each seed from 0 on: name → [S, …]."""
    made: dict[str, list[Tensor]] = {}
    for seed in range(seeds):
        source = torch.Generator().manual_seed(seed)
        for name, tensor in network().named_parameters():
            one = torch.zeros(tensor.shape)
            if name.endswith("weight"):
                torch.nn.init.trunc_normal_(one, std=0.01, a=-0.02, b=0.02, generator=source)
            made.setdefault(name, []).append(one)
    return {name: torch.stack(some) for name, some in made.items()}


def forward(parameters: Tensors, x: Tensor) -> Tensor:
    """What the network of each task gives: parameters [N, …] and x [N, K, 1] → [N, K, 1]."""
    states = x * parameters["0.weight"].mT + parameters["0.bias"].unsqueeze(1)
    states = torch.baddbmm(parameters["2.bias"].unsqueeze(1), states.relu(), parameters["2.weight"].mT)
    return torch.baddbmm(parameters["4.bias"].unsqueeze(1), states.relu(), parameters["4.weight"].mT)


def batched_tasks(support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor]) -> Tasks:
    """Tasks of :func:`network` written out; they give what ``module_tasks`` gives, faster."""

    def of(x: Tensor, y: Tensor) -> TaskLoss:
        return lambda parameters: (forward(parameters, x) - y).square().mean((1, 2))

    data = {"support_x": support[0], "support_y": support[1], "query_x": query[0], "query_y": query[1]}
    return Tasks(of(*support), of(*query), len(support[0]), data, torch.nn.functional.mse_loss)


def waves(source: torch.Generator, *shape: int, points: int) -> tuple[Tensor, Tensor]:
    """x and y [*shape, points, 1] of waves drawn at random."""
    amplitude, phase = torch.rand(2, *shape, 1, 1, generator=source)
    x = torch.rand(*shape, points, 1, generator=source) * 10 - 5
    return x, (amplitude * 4.9 + 0.1) * torch.sin(x - phase * math.pi)


def batches(seeds: int, first: int = 0) -> Iterator[Tasks]:
    """The tasks of each outer step from ``first`` on; a seed's are the same whatever runs beside it."""
    for block in range(first // BLOCK, 2**31):
        drawn = [
            waves(torch.Generator().manual_seed(1_000_003 * (seed + 1) + block), BLOCK, TASKS, points=2 * SHOTS)
            for seed in range(seeds)
        ]
        x, y = (torch.cat([pair[side] for pair in drawn], 1) for side in (0, 1))
        for number in range(first % BLOCK if block == first // BLOCK else 0, BLOCK):
            support, query = (slice(0, SHOTS), slice(SHOTS, None))
            yield batched_tasks(
                (x[number, :, support], y[number, :, support]), (x[number, :, query], y[number, :, query])
            )


def errors(
    learner: MetaLearner, seeds: int, tasks: int = 1000, points: int = 100
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Each seed's mean squared error over fresh points of the same new tasks: steps → mean, steps → median.

    After more steps than it learned for an algorithm may go astray on a few tasks: the mean is then large, or nan.
    """
    x, y = waves(torch.Generator().manual_seed(20_170_309), tasks, points=SHOTS + points)
    x, y = x.repeat(seeds, 1, 1), y.repeat(seeds, 1, 1)
    new = batched_tasks((x[:, :SHOTS], y[:, :SHOTS]), (x[:, SHOTS:], y[:, SHOTS:]))
    means, medians = {}, {}
    for steps in STEPS:
        adapted = learner.adapt(new, steps)
        with torch.no_grad():
            losses = learner.query_losses(new, adapted) if isinstance(learner, Recurrent) else new.query(adapted)
        each = losses.view(seeds, tasks)
        means[str(steps)] = each.mean(1).tolist()
        medians[str(steps)] = each.nan_to_num(math.inf).median(1).values.tolist()
    return means, medians


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half of its 95 % interval (Student's t over seeds, at most ten); nan where there is none."""
    if not all(math.isfinite(value) for value in values):
        return math.nan, math.nan
    if len(values) < 2:
        return values[0], math.nan
    return statistics.mean(values), STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values))


def shown(value: float) -> float | None:
    """A number as JSON has it, which knows no nan."""
    return value if math.isfinite(value) else None


def algorithms() -> Mapping[str, Any]:
    """All that core/meta registers."""
    for module in pkgutil.iter_modules(meta.__path__):
        importlib.import_module(f"{meta.__name__}.{module.name}")
    return ALGORITHMS


def made(algorithm: str, seeds: int, settings: Mapping[str, Any]) -> Any:
    """A learner of that name. Raises UnderstudyError for an unknown name, or for settings that it does not take."""
    known = sorted(algorithms())
    if algorithm not in known:
        near = difflib.get_close_matches(algorithm, known, n=1)
        mend = f"{f'did you mean {near[0]!r}? ' if near else ''}there is {', '.join(known)}"
        raise UnderstudyError(f"there is no algorithm {algorithm!r}", where="--algorithm", mend=mend)
    try:
        return algorithms()[algorithm](starts(seeds), **settings)
    except UnderstudyError as error:
        raise UnderstudyError(error.what, where="--settings", mend=error.mend) from error
    except TypeError as error:
        mend = f"give what {algorithm!r} takes, each value of its kind"
        raise UnderstudyError(str(error), where="--settings", mend=mend) from error


def run(algorithm: str, iterations: int, seeds: int, out: Path, settings: dict[str, Any], minutes: float = 3.0) -> None:
    """Learn, saving every few minutes beside ``out`` and going on from there, then write what was measured to it."""
    learner = made(algorithm, seeds, settings)
    checkpoint, clock = out.with_suffix(".safetensors"), out.with_suffix(".seconds")
    out.parent.mkdir(parents=True, exist_ok=True)
    before = 0.0
    if checkpoint.exists():
        learner.resume(checkpoint)
        before = float(clock.read_text())
    begun = saved = time.perf_counter()
    losses: list[float] = []
    for number, tasks in enumerate(batches(seeds, learner.number), learner.number + 1):
        if number > iterations:
            break
        losses.append(learner.outer_step(tasks)["loss"])
        now = time.perf_counter()
        if number % 1000 == 0:
            mean, each = sum(losses) / len(losses), (now - begun + before) / number
            print(f"{algorithm} {number}: loss {mean:.4f}, {each * 1000:.2f} ms an iteration", flush=True)
            losses.clear()
        if now - saved > 60 * minutes or number == iterations:
            partial = checkpoint.with_suffix(".new")
            learner.save(partial)
            os.replace(partial, checkpoint)
            clock.write_text(str(now - begun + before))
            saved = now
    mse, medians = errors(learner, seeds)
    found = {
        "algorithm": algorithm, "iterations": iterations, "seeds": seeds, "given": settings,
        "settings": {k: v for k, v in vars(learner).items() if isinstance(v, bool | int | float | str)},
        "seconds": float(clock.read_text()), "mse": {k: [shown(one) for one in v] for k, v in mse.items()},
        "mean": {k: [shown(one) for one in interval(v)] for k, v in mse.items()},
        "medians": {k: [shown(one) for one in v] for k, v in medians.items()},
    }  # fmt: skip
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps(found["mean"]), flush=True)


def whole(least: int, most: int) -> Callable[[str], int]:
    """What argparse reads whole numbers from ``least`` to ``most`` with."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def settings_of(text: str) -> dict[str, Any]:
    """What argparse reads ``--settings`` with."""
    example = """give names and values, as '{"steps": 5, "inner_rate": 0.02}'"""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON ({error}); {example}") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is JSON, but no object; {example}")
    return found


def file_of(text: str) -> Path:
    """What argparse reads ``--with`` with."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return Path(text)


def command() -> argparse.ArgumentParser:
    """What reads the command."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.sinusoid", description=__doc__.splitlines()[0] if __doc__ else "",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    known = f"{', '.join(sorted(algorithms()))}, or one that the file of --with registers"
    parser.add_argument("--algorithm", default="maml", help=known)
    parser.add_argument("--iterations", type=whole(1, 2**31), default=70_000, help="outer steps")
    parser.add_argument("--seeds", type=whole(1, 1 + max(STUDENT)), default=5, help="runs side by side")
    out = "what was measured, as JSON (default: build/sinusoid/ALGORITHM.json); a run that was stopped goes on"
    parser.add_argument("--out", type=Path, default=argparse.SUPPRESS, help=out)
    file = "a Python file that registers an algorithm of yours"
    parser.add_argument("--with", dest="file", type=file_of, default=argparse.SUPPRESS, metavar="FILE", help=file)
    parser.add_argument("--settings", type=settings_of, default={}, help="JSON, given to the algorithm")
    return parser


def main() -> None:
    """The command."""
    parser = command()
    given = parser.parse_args(namespace=argparse.Namespace(out=None, file=None))
    try:
        if given.file:
            runpy.run_path(str(given.file))
        made(given.algorithm, 1, given.settings)
    except UnderstudyError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    out = given.out or Path("build/sinusoid") / f"{given.algorithm}.json"
    try:
        run(given.algorithm, given.iterations, given.seeds, out, given.settings)
    except UnderstudyError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
