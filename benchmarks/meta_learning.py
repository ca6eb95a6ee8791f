"""How fast an outer step is: all tasks in one pass, beside a loop over tasks; second-order MAML, ratios in one run.

Run: ``python -m benchmarks.meta_learning --out build/tables/speed.json``. With torchopt and higher installed (they need
nothing but ``pip install --no-deps torchopt higher optree graphviz``) the sinusoid is measured with them as well.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import importlib.util
import json
import platform
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from benchmarks import sinusoid
from benchmarks.made_roles import role
from understudy.core.backbone import Backbone
from understudy.core.meta.learner import Tasks
from understudy.core.meta.maml import MAML, outer_loss
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks, module_tasks, start_of
from understudy.core.trunk import upper_sites

INNER_RATE, OUTER_RATE = 0.01, 1e-3
GPT_TASKS, DEMONSTRATIONS, GPT_STEPS = 16, 8, 4


def cloned(module: nn.Module) -> nn.Module:
    """A copy whose parameters are clones in the graph of the module's own, as learn2learn's ``clone_module``."""
    copied = copy.copy(module)
    copied.__dict__ = {**module.__dict__, "_modules": {n: m and cloned(m) for n, m in module._modules.items()}}
    copied.__dict__["_parameters"] = {n: p if p is None else p.clone() for n, p in module._parameters.items()}
    return copied


def moved(module: nn.Module, gradients: Mapping[str, Tensor], rate: float, prefix: str = "") -> None:
    """One inner step of a clone, in place of its parameters."""
    for name, tensor in module._parameters.items():
        if tensor is not None:
            stepped: Any = tensor - rate * gradients[prefix + name]
            module._parameters[name] = stepped
    for name, child in module._modules.items():
        if child is not None:
            moved(child, gradients, rate, f"{prefix}{name}.")


def named(module: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """The parameters of a clone, which are no leaves, by their full names."""
    found = {prefix + name: tensor for name, tensor in module._parameters.items() if tensor is not None}
    for name, child in module._modules.items():
        found |= named(child, f"{prefix}{name}.") if child is not None else {}
    return found


def clone_and_loop(module: nn.Module, tasks: Tasks) -> Tensor:
    """MAML's outer loss in learn2learn's manner: clone, step and ask, task after task."""
    total = torch.zeros((), dtype=next(module.parameters()).dtype)
    data = tasks.data
    for number in range(tasks.count):
        learner = cloned(module)
        names = named(learner)
        loss = mse_loss(learner(data["support_x"][number]), data["support_y"][number])
        gradients = torch.autograd.grad(loss, list(names.values()), create_graph=True)
        moved(learner, dict(zip(names, gradients, strict=True)), INNER_RATE)
        total = total + mse_loss(learner(data["query_x"][number]), data["query_y"][number])
    return total / tasks.count


def by_higher(module: nn.Module, tasks: Tasks) -> Tensor:
    """The same with higher (Grefenstette et al. 2019)."""
    higher: Any = importlib.import_module("higher")

    total, data = torch.zeros(()), tasks.data
    optimiser = torch.optim.SGD(module.parameters(), lr=INNER_RATE)
    for number in range(tasks.count):
        with higher.innerloop_ctx(module, optimiser, copy_initial_weights=False) as (learner, steps):
            steps.step(mse_loss(learner(data["support_x"][number]), data["support_y"][number]))
            total = total + mse_loss(learner(data["query_x"][number]), data["query_y"][number])
    return total / tasks.count


def by_torchopt(module: nn.Module, tasks: Tasks) -> Tensor:
    """The same with torchopt's differentiable optimiser (Ren et al. 2023)."""
    torchopt: Any = importlib.import_module("torchopt")

    total, data = torch.zeros(()), tasks.data
    inner = torchopt.MetaSGD(module, lr=INNER_RATE)
    first = [torchopt.extract_state_dict(one, by="reference") for one in (module, inner)]
    for number in range(tasks.count):
        inner.step(mse_loss(module(data["support_x"][number]), data["support_y"][number]))
        total = total + mse_loss(module(data["query_x"][number]), data["query_y"][number])
        for one, state in zip((module, inner), first, strict=True):
            torchopt.recover_state_dict(one, state)
    return total / tasks.count


class AnyModule(nn.Sequential):
    """The same network, of which nobody knows that it is a chain of linear layers."""


def looped(loss: Callable[[nn.Module, Tasks], Tensor], tasks: Tasks) -> Callable[[], object]:
    """An outer step by ``loss``, with the module and the optimiser made before."""
    module = sinusoid.network()
    optimiser = torch.optim.Adam(module.parameters(), lr=OUTER_RATE)

    def step() -> None:
        optimiser.zero_grad()
        loss(module, tasks).backward()
        optimiser.step()

    return step


def in_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, measured in turns after a first time that does not count."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, step in ways.items():
            began = time.perf_counter()
            step()
            if repeat:
                times[name].append(1000 * (time.perf_counter() - began))
    return {name: median(some) for name, some in times.items()}


def waves(repeats: int) -> dict[str, Any]:
    """The sinusoid: 25 tasks, 5 points shown and 5 asked, one inner step."""
    tasks = next(sinusoid.batches(1))
    data, module = tasks.data, sinusoid.network()
    sides = [(data[f"{side}_x"], data[f"{side}_y"]) for side in ("support", "query")]
    start = start_of(module)
    ours, vmapped = (MAML(start, inner_rate=INNER_RATE, rate=OUTER_RATE) for _ in range(2))
    of_module = module_tasks(module, sides[0], sides[1], mse_loss)
    of_any = module_tasks(AnyModule(*module), sides[0], sides[1], mse_loss)
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.outer_step(of_module),
        "ours, by vmap as for any module": lambda: vmapped.outer_step(of_any),
        "clone and loop, in learn2learn's manner": looped(clone_and_loop, tasks),
    }
    ways |= {
        name: looped(loss, tasks)
        for name, loss in (("higher", by_higher), ("torchopt", by_torchopt)) if importlib.util.find_spec(name)
    }  # fmt: skip
    first, loop = "ours", "clone and loop, in learn2learn's manner"
    return {"name": "sinusoid, 25 tasks", "ours": first, "sequential": loop, "goal": 8,
            "milliseconds": in_turns(ways, repeats)}  # fmt: skip


def heads(
    backbone: Backbone, repeats: int, tasks: int = GPT_TASKS, demonstrations: int = DEMONSTRATIONS
) -> dict[str, Any]:
    """Heads of the top third of a GPT: tasks of so many demonstrations and as many questions, four inner steps.

    In learn2learn's manner the whole model is run for each task and side, as there is nobody who knows that what lies
    below the heads stays the same; ours runs that once. The third way says how much of it is the batch alone.
    """
    sites = upper_sites(backbone)
    start = Start.plain(backbone.sites).on(sites).tensors
    drawn = [role(number, 2 * demonstrations) for number in range(tasks)]
    episodes = [(one[:demonstrations], one[demonstrations:]) for one in drawn]
    together, alone = (MAML(start, inner_rate=0.1, steps=GPT_STEPS) for _ in range(2))

    def in_turn(known: Collection[str]) -> None:
        alone.optimiser.zero_grad()
        for episode in episodes:
            one = head_tasks(backbone, [episode], known)
            total, _ = outer_loss(one.support, one.query, alone.start, alone.rates(), 1, GPT_STEPS, second_order=True)
            (total / tasks).backward()
        alone.optimiser.step()

    ways: dict[str, Callable[[], object]] = {
        "ours, all tasks in one pass": lambda: together.outer_step(head_tasks(backbone, episodes, sites)),
        "clone and loop, in learn2learn's manner": lambda: in_turn(()),
        "ours, task after task": lambda: in_turn(sites),
    }
    name = f"GPT heads ({backbone.name}, top third), {tasks} tasks × {demonstrations} demonstrations"
    first, loop, _ = ways
    return {"name": name, "ours": first, "sequential": loop, "goal": 3, "milliseconds": in_turns(ways, repeats)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=Path("build/tables/speed.json"))
    parser.add_argument("--repeats", type=int, default=30, help="of the sinusoid; a tenth of that for the heads")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    workloads = [waves(given.repeats), heads(Backbone.load("default"), max(3, given.repeats // 10))]
    machine = f"{given.threads} thread, {platform.processor() or platform.machine()}, torch {torch.__version__}."
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"workloads": workloads, "machine": machine}, indent=1), encoding="utf-8")
    print(json.dumps(workloads, indent=1))


if __name__ == "__main__":
    main()
