"""Hypernetwork: from the vectors of the demonstrations to a task's parameters, in one pass, alone or before steps.

    c = mean_k φ(v_k)          θ_task = θ + Δ(c),   Δ(0) = 0          then θ ← θ − α ∇L_support(θ), `steps` times
    Δ of a matrix [a, b]: s · U(c) V(c), of rank r;  of a vector: s · u(c);       U, V, u linear in c without a bias

Ha, Dai, Le 2017, HyperNetworks; given a set of demonstrations: Garnelo et al. 2018 (conditional neural processes, the
mean, so that the order does not matter), Requeima et al. 2019; LoRA heads from text in one pass: Phang et al. 2023
(HyperTuning), Charakorn et al. 2025 (Text-to-LoRA). U begins at zero, so that every task begins at the start; without
demonstrations it stays there.

Shapes: demonstrations' vectors [N, K, I] (pairs (x, y), or states of a backbone), codes c [N, C], parameters [N, …],
the start [S, …]; the weights of the network have S as first dimension as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..backbone import Backbone
from ..bank import active
from ..batches import collate
from ..demonstrations import render
from ..errors import UnderstudyError
from .learner import Tasks, Tensors, algorithm, spread
from .maml import inner_step, outer_loss
from .outer import Outer, at_least
from .pairs import ask, examples, networks, sizes_of, vectors
from .tasks import head_tasks
from .training import Episode

VECTORS = "support_vectors"
PRESENT = "support_present"


class Hyper(nn.Module):
    """One network: vectors of demonstrations → corrections of all tensors.

    Args:
        inputs: I.
        shapes: name → shape of the tensor that is corrected.
        width: C, of the code and the layers before it.
        rank: r.
    """

    def __init__(self, inputs: int, shapes: Mapping[str, Sequence[int]], width: int, rank: int) -> None:
        super().__init__()
        self.shapes, self.rank = {name: tuple(shape) for name, shape in shapes.items()}, rank
        self.encode = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.left, self.right = nn.ModuleList(), nn.ModuleList()
        for shape in self.shapes.values():
            rows, columns = _matrix(shape)
            inside = min(rank, rows, columns)
            left = nn.Linear(width, rows * inside, bias=False)
            nn.init.zeros_(left.weight)
            self.left.append(left)
            self.right.append(nn.Linear(width, inside * columns, bias=False) if len(shape) > 1 else nn.Identity())

    def forward(self, values: Tensor, present: Tensor) -> Tensor:
        """Vectors [n, K, I], of which those count where ``present`` [n, K] is 1 → all corrections, flat, [n, P]."""
        weights = present.unsqueeze(-1)
        code = (self.encode(values) * weights).sum(1) / weights.sum(1).clamp(min=1)
        found = []
        for shape, left, right in zip(self.shapes.values(), self.left, self.right, strict=True):
            rows, columns = _matrix(shape)
            inside = min(self.rank, rows, columns)
            change = left(code)
            if len(shape) > 1:
                change = change.unflatten(1, (rows, inside)) @ right(code).unflatten(1, (inside, columns))
            found.append(change.flatten(1))
        return torch.cat(found, 1)


def _matrix(shape: Sequence[int]) -> tuple[int, int]:
    """A tensor as a matrix: what comes out, and all that goes in; a vector is one column."""
    rows = int(shape[0]) if shape else 1
    return rows, int(torch.Size(shape).numel()) // rows


def demonstration_vectors(backbone: Backbone, episodes: Sequence[Episode]) -> dict[str, Tensor]:
    """What the bare backbone makes of each task's demonstrations, for ``Tasks.data``.

    Returns:
        ``support_vectors`` [N, K, 2 D]: the mean state over the prompt and that over the answer, each of unit length;
        ``support_present`` [N, K]: 1 where the task has as many demonstrations.
    """
    sides = [[render(example, backbone) for example in support] for support, _ in episodes]
    rendered = [item for side in sides for item in side]
    batch = collate(rendered, backbone.markers.pad)
    with torch.no_grad(), active(backbone.context, None):
        states = backbone.hidden(batch.ids).float()
    at = torch.arange(batch.ids.shape[1])
    first = torch.tensor([[item.answer_at] for item in rendered])
    parts = (at < first, (at >= first) & (at < batch.lengths.unsqueeze(1)))
    means = [nn.functional.normalize((states * inside.unsqueeze(-1)).sum(1), dim=-1) for inside in parts]
    found = torch.cat(means, -1).split([len(side) for side in sides])
    present = [torch.ones(len(side)) for side in sides]
    return {
        VECTORS: nn.utils.rnn.pad_sequence(list(found), batch_first=True),
        PRESENT: nn.utils.rnn.pad_sequence(present, batch_first=True),
    }


def described_tasks(backbone: Backbone, episodes: Sequence[Episode], sites: Iterable[str] = (), rows: int = 0) -> Tasks:
    """:func:`.tasks.head_tasks` with the vectors of their demonstrations, for a hypernetwork to read."""
    return replace(head_tasks(backbone, episodes, sites, rows), data=demonstration_vectors(backbone, episodes))


def size_of(values: Tensor, labels: int) -> int:
    """How many numbers an example of [N, K, …] has; labels are ``labels``, or as many as the highest needs."""
    return values.shape[2:].numel() if values.is_floating_point() else max(labels, int(values.max()) + 1)


@algorithm("hypernetwork")
class Hypernetwork(Outer):
    """Args:
    start: name → [S, …], where Δ is zero; it is learned as well.
    inputs: I, how many numbers a demonstration has: of a pair (x, y), those of x **and** those of y, 10 + 4 = 14. Left
        out: that of a pair, x from the last dimension of the first tensor of ``start`` (what a linear layer reads; a
        convolution reads more, so say it). With heads, whose demonstrations are vectors, it is 2 D.
    outputs: O, those of y, of which ``inputs`` counts them; with labels, how many classes there are. Left out: from the
        last tensor of ``start``.
    steps: gradient steps after the pass, 0 for none; ``inner_rate`` α, ``second_order`` as in MAML.
    width: C; ``rank``: r; ``scale``: s.
    clip, seed, **settings: see :class:`.outer.Outer`; the network of start s is the one that ``seed`` + s gives.

    Raises:
        UnderstudyError: a setting that cannot be, as ``inputs`` that leave x nothing; see also :meth:`generate`.
    """

    def __init__(
        self, start: Tensors, *, inputs: int | None = None, outputs: int | None = None, steps: int = 0,
        inner_rate: float = 0.01, second_order: bool = True, width: int = 64, rank: int = 4, scale: float = 1.0,
        rate: float = 2e-3, clip: float = 1.0, seed: int = 0, **settings: Any,
    ) -> None:  # fmt: skip
        given = sizes_of(start)
        self.outputs = given[1] if outputs is None else outputs
        self.inputs = given[0] + self.outputs if inputs is None else inputs
        at_least(1, whole=True, inputs=self.inputs, outputs=self.outputs, width=width, rank=rank)
        at_least(0, whole=True, steps=steps)
        at_least(0, inner_rate=inner_rate)
        if outputs is not None and self.inputs <= outputs:
            mend = f"give inputs={outputs} and those of x, or leave inputs out"
            what = f"inputs={inputs} are too few: they count x and y, and y alone has outputs={outputs}"
            raise UnderstudyError(what, where=type(self).__name__, mend=mend)
        self.steps, self.inner_rate, self.second_order, self.scale = steps, inner_rate, second_order, scale
        shapes = {name: tensor.shape[1:] for name, tensor in start.items()}
        first = next(iter(start.values()))
        self.network = Hyper(self.inputs, shapes, width, rank)
        weights = networks(lambda: Hyper(self.inputs, shapes, width, rank), len(first), seed, first.dtype)
        more = {f"network|{name}": tensor for name, tensor in weights.items()}
        super().__init__(start, more, rate=rate, clip=clip, seed=seed, **settings)

    def generate(self, tasks: Tasks) -> dict[str, Tensor]:
        """Parameters [N, …] of the tasks in one pass over their demonstrations; no loss is asked for.

        Raises:
            UnderstudyError: the tasks have neither examples nor vectors of demonstrations, or of another width.
        """
        parameters = spread(self.start, tasks.count)
        values, present = self._read(tasks, next(iter(parameters.values())).dtype)
        flat = self.scale * ask(self.network, self.part("network"), values, present)
        sizes = [tensor[0].numel() for tensor in parameters.values()]
        changes = flat.split(sizes, 1)
        return {
            name: tensor + change.view_as(tensor)
            for (name, tensor), change in zip(parameters.items(), changes, strict=True)
        }

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss of what is generated, after the steps where there are some."""
        parameters = self.generate(tasks)
        if self.steps:
            total, trace = outer_loss(
                tasks.support, tasks.query, parameters, self._rates(), tasks.count, self.steps, self.second_order
            )
            found = trace[-1]
        else:
            losses = tasks.query(parameters)
            total, found = losses.mean(), losses.detach()
        (total * self.starts).backward()
        return {"loss": float(found.mean())}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """What is generated, and ``steps`` gradient steps from there."""
        with torch.no_grad():
            parameters = self.generate(tasks)
        for _ in range(self.steps if steps is None else steps):
            begun = {name: tensor.requires_grad_(True) for name, tensor in parameters.items()}
            after = inner_step(tasks.support, begun, self._rates())
            parameters = {name: tensor.detach() for name, tensor in after.items()}
        return parameters

    def _fit(self, given: str, **needed: int) -> None:
        """Raise UnderstudyError where what is given needs other settings, and say which."""
        wrong = [f"{name}={value}" for name, value in needed.items() if value != getattr(self, name)]
        if wrong:
            made = ", ".join(f"{name}={getattr(self, name)}" for name in needed)
            about = " (inputs count x and y)" if "outputs" in needed else ""
            what = f"{given}, but the network was made for {made}{about}"
            raise UnderstudyError(what, where=type(self).__name__, mend=f"make it with {', '.join(wrong)}")

    def _rates(self) -> dict[str, Tensor]:
        return {name: torch.tensor(self.inner_rate, dtype=tensor.dtype) for name, tensor in self.start.items()}

    def _read(self, tasks: Tasks, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Vectors [N, K, I] of the demonstrations, and [N, K] which there are."""
        if VECTORS in tasks.data:
            wide = size_of(tasks.data[VECTORS], self.inputs)
            self._fit(f"the demonstrations have vectors of {wide} numbers", inputs=wide)
            values = vectors(tasks.data[VECTORS], self.inputs, dtype)
            present = tasks.data.get(PRESENT)
            return values, torch.ones_like(values[..., 0]) if present is None else present.to(dtype)
        x, y = examples(tasks, "support_x"), examples(tasks, "support_y")
        of_x, of_y = size_of(x, self.inputs - self.outputs), size_of(y, self.outputs)
        kinds = ["numbers" if side.is_floating_point() else "labels" for side in (x, y)]
        self._fit(f"x has {of_x} {kinds[0]} and y {of_y} {kinds[1]}", inputs=of_x + of_y, outputs=of_y)
        values = torch.cat([vectors(x, self.inputs - self.outputs, dtype), vectors(y, self.outputs, dtype)], -1)
        return values, torch.ones_like(values[..., 0])
