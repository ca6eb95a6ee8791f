"""Sign-MAML: inner steps of one size everywhere, whose second-order term is zero, not left out (Fan, Ram, Liu 2021).

    θ' = θ − α sign ∇L_support(θ),   ∂θ'/∂θ = I          outer loss = L_query(θ')          start [S, …], tasks [N, …]
"""

from typing import Any

from torch import Tensor, autograd

from understudy.core.meta.learner import Tasks, Tensors, algorithm, spread
from understudy.core.meta.outer import Outer


@algorithm("sign_maml")
class SignMAML(Outer):
    def __init__(self, start: Tensors, *, steps: int = 1, inner_rate: float = 0.01, **settings: Any) -> None:
        super().__init__(start, **settings)
        self.steps, self.inner_rate = steps, inner_rate

    def descend(self, tasks: Tasks) -> dict[str, float]:
        loss = tasks.query(self.adapt(tasks)).mean()
        (loss * self.starts).backward()
        return {"loss": loss.item()}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        parameters = spread(self.start, tasks.count)
        for _ in range(self.steps if steps is None else steps):
            found = autograd.grad(tasks.support(parameters).sum(), list(parameters.values()))
            parameters = {n: parameters[n] - self.inner_rate * g.sign() for n, g in zip(parameters, found, strict=True)}
        return parameters
