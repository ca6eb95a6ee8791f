"""Recurrent: a network that learns within its hidden state; what it has read of a task is all that adapts.

    h_0 learned        h_k = GRU(φ(x_k, y_k, 1), h_{k−1}) over the support        ŷ(x) = ψ(GRU(φ(x, 0, 0), h_K), x)

Hochreiter, Younger, Conwell 2001, Learning to Learn Using Gradient Descent; with the targets beside the inputs as in
Santoro et al. 2016 and RL² (Duan et al. 2016), where a query carries none. Each query is answered from h_K by itself:
it leaves the state as it was, so that no query is an example to another. GRU: Cho et al. 2014, as in torch.nn.GRUCell,
for which ``vmap`` has no rule.

Shapes: support x [N, K, …] and y [N, K, …]; the parameters of a task are {"state": [N, H]}; weights [S, …].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UnderstudyError
from .learner import Tasks, Tensors, algorithm, spread
from .outer import Outer
from .pairs import ask, examples, networks, sizes_of, vectors


class Cell(nn.Module):
    """A gated recurrent unit: input [B, H] and state [B, H] → state [B, H]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.of_input, self.of_state = nn.Linear(width, 3 * width), nn.Linear(width, 3 * width)

    def forward(self, values: Tensor, state: Tensor) -> Tensor:
        """Reset, update and candidate, in torch.nn.GRUCell's order."""
        (reset, update, new), before = self.of_input(values).chunk(3, -1), self.of_state(state).chunk(3, -1)
        update = (update + before[1]).sigmoid()
        candidate = (new + (reset + before[0]).sigmoid() * before[2]).tanh()
        after: Tensor = candidate + update * (state - candidate)
        return after


class Reader(nn.Module):
    """One network: reads pairs into its state, or answers queries from it.

    Args:
        inputs, outputs: I and O.
        width: H, of the hidden state.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, outputs
        self.embed = nn.Sequential(nn.Linear(inputs + outputs + 1, width), nn.ReLU())
        self.cell = Cell(width)
        self.answer = nn.Sequential(nn.Linear(width + inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, state: Tensor, values: Tensor) -> Tensor:
        """State [n, H] and pairs [n, K, I + O] → the state after them; or queries [n, Q, I] → answers [n, Q, O]."""
        if values.shape[-1] == self.inputs + self.outputs:
            for pair in values.unbind(1):
                state = self.cell(self.embed(torch.cat([pair, torch.ones_like(pair[..., :1])], -1)), state)
            return state
        unknown = values.new_zeros(*values.shape[:-1], self.outputs + 1)
        asked = self.embed(torch.cat([values, unknown], -1))
        before = state.unsqueeze(1).expand(-1, values.shape[1], -1)
        after = self.cell(asked.flatten(0, 1), before.flatten(0, 1)).unflatten(0, values.shape[:2])
        found: Tensor = self.answer(torch.cat([after, values], -1))
        return found


@algorithm("recurrent")
class Recurrent(Outer):
    """Its ``start`` is the state before anything is read, {"state": [S, H]}.

    Args:
        start: name → [S, …] of a module that does the same task: it says S, the sizes and the precision, no more.
        inputs, outputs: I and O; left out: of the first and the last tensor of ``start``. With labels, O is how many.
        width: H.
        rate, seed, **settings: see :class:`.outer.Outer`; the network of start s is the one that ``seed`` + s gives.

    Raises:
        UnderstudyError: ``dropout``, which has nothing to leave out here.
    """

    def __init__(
        self, start: Tensors, *, inputs: int | None = None, outputs: int | None = None, width: int = 64,
        rate: float = 2e-3, clip: float = 1.0, seed: int = 0, **settings: Any,
    ) -> None:  # fmt: skip
        if settings.get("dropout"):
            what = "what has been read cannot be left out: a recurrent learner has no dropout"
            raise UnderstudyError(what, where=type(self).__name__, mend="give dropout=0")
        given = sizes_of(start)
        self.inputs, self.outputs = inputs or given[0], outputs or given[1]
        first = next(iter(start.values()))
        self.network = Reader(self.inputs, self.outputs, width)
        weights = networks(lambda: Reader(self.inputs, self.outputs, width), len(first), seed, first.dtype)
        more = {f"network|{name}": tensor for name, tensor in weights.items()}
        state = torch.zeros(len(first), width, dtype=first.dtype)
        super().__init__({"state": state}, more, rate=rate, clip=clip, seed=seed, **settings)

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss after the support was read, through all of the reading."""
        losses = self.query_losses(tasks, self._read(tasks, 1))
        (losses.mean() * self.starts).backward()
        return {"loss": float(losses.detach().mean())}

    @torch.no_grad()
    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """{"state": [N, H]} after reading the support ``steps`` times, once where not said."""
        return self._read(tasks, 1 if steps is None else steps)

    def predict(self, parameters: Tensors, x: Tensor) -> Tensor:
        """Answers [N, Q, O] to queries x [N, Q, …] of tasks in the states ``parameters``."""
        state = parameters["state"]
        asked = vectors(x, self.inputs, state.dtype)
        return ask(self.network, self.part("network"), state, asked)

    def query_losses(self, tasks: Tasks, parameters: Tensors) -> Tensor:
        """The loss of each task [N] on its queries, by the tasks' own metric: what ``tasks.query`` is for modules.

        Raises:
            UnderstudyError: the tasks do not have their metric, or no examples.
        """
        if tasks.metric is None:
            raise UnderstudyError("the tasks do not say their metric", mend="make them by module_tasks")
        targets = examples(tasks, "query_y")
        answers = self.predict(parameters, examples(tasks, "query_x"))
        if targets.is_floating_point():
            answers = answers.view_as(targets)
        return torch.vmap(tasks.metric)(answers, targets)

    def _read(self, tasks: Tasks, times: int) -> dict[str, Tensor]:
        state = spread(self.start, tasks.count)["state"]
        x = vectors(examples(tasks, "support_x"), self.inputs, state.dtype)
        pairs = torch.cat([x, vectors(examples(tasks, "support_y"), self.outputs, state.dtype)], -1)
        for _ in range(times):
            state = ask(self.network, self.part("network"), state, pairs)
        return {"state": state}
