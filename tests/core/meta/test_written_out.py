"""A chain of linear layers, written out for all tasks, gives what vmap over the module does."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import cross_entropy, mse_loss

from understudy.core.meta.tasks import module_tasks, start_of
from understudy.core.meta.written_out import written_out

CHAINS = {
    "deep": nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)),
    "no bias": nn.Sequential(nn.Linear(3, 4, bias=False), nn.GELU(), nn.Identity(), nn.Linear(4, 2)),
    "one": nn.Sequential(nn.Linear(3, 2)),
}


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def parameters_of(module: nn.Module, tasks: int) -> dict[str, Tensor]:
    start = start_of(module)
    return {name: random(tasks, *t.shape[1:], seed=i).requires_grad_() for i, (name, t) in enumerate(start.items())}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_it_is_the_module_and_so_are_its_gradients(chain: str, shape: tuple[int, ...]) -> None:
    module = CHAINS[chain]
    parameters, x, weights = parameters_of(module, 4), random(4, *shape, 3), random(4, *shape, 2)
    run = written_out(module)
    assert run is not None
    ours = run(parameters, x)
    theirs = vmap(lambda own, one: functional_call(module, own, (one,)))(parameters, x)
    torch.testing.assert_close(ours, theirs)
    slopes = [torch.autograd.grad((given * weights).sum(), list(parameters.values())) for given in (ours, theirs)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other)


class Twice(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def hooked() -> nn.Module:
    module = nn.Sequential(nn.Linear(3, 2))
    module[0].register_forward_hook(lambda layer, given, found: found * 2)
    return module


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(3, 2), nn.Sequential(Twice(3, 2)), nn.Sequential(nn.Linear(3, 2), nn.Dropout()), hooked(),
        nn.Sequential(nn.Sequential(nn.Linear(3, 2))), nn.Sequential(nn.Linear(3, 2), nn.Softmax(-1)),
    ],
    ids=["alone", "subclass", "random", "hook", "nested", "over a row"],
)  # fmt: skip
def test_what_is_no_such_chain_is_not_taken(module: nn.Module) -> None:
    assert written_out(module) is None


@pytest.mark.parametrize("loss", [mse_loss, cross_entropy])
def test_losses_of_tasks_are_the_same_either_way(loss: object, monkeypatch: pytest.MonkeyPatch) -> None:
    module = CHAINS["deep"].double()
    parameters, x = parameters_of(module, 4), random(4, 6, 3)
    y = random(4, 6, 2, seed=1) if loss is mse_loss else torch.randint(0, 2, (4, 6))
    fast = module_tasks(module, (x, y), (x, y), loss).query(parameters)  # type: ignore[arg-type]
    monkeypatch.setattr("understudy.core.meta.tasks.written_out", lambda module: None)
    torch.testing.assert_close(fast, module_tasks(module, (x, y), (x, y), loss).query(parameters))  # type: ignore[arg-type]


def test_parameters_that_do_not_learn_may_be_left_out_and_are_the_modules_own() -> None:
    module = copy.deepcopy(CHAINS["deep"]).double()
    module[4].bias.requires_grad_(False)
    parameters, x, y = parameters_of(module, 4), random(4, 6, 3), random(4, 6, 2, seed=1)
    some = {name: tensor for name, tensor in parameters.items() if name != "4.bias"}
    own = {**some, "4.bias": module[4].bias.detach().expand(4, 2)}
    tasks = module_tasks(module, (x, y), (x, y), mse_loss)
    torch.testing.assert_close(tasks.query(some), tasks.query(own))
