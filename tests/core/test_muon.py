"""The steps of torch's Muon, in fp32 where bf16 is only imitated."""

import pytest
import torch

from understudy.core import muon
from understudy.core.muon import Muon

SHAPES = [(6, 6), (24, 8), (8, 24)]


@pytest.fixture(params=[torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.dtype:
    taken: torch.dtype = request.param
    monkeypatch.setattr(muon, "adapting_precision", lambda: taken)
    return taken


def moved(kind: type[torch.optim.Muon], steps: int = 3) -> tuple[list[torch.Tensor], dict[str, object]]:
    """Matrices after steps with gradients that change, and the optimiser's state; the last has no gradient."""
    generator = torch.Generator().manual_seed(7)
    matrices = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in (*SHAPES, (2, 2))]
    optimiser = kind(matrices, lr=0.1, weight_decay=0.2, momentum=0.9)
    for _ in range(steps):
        for matrix in matrices[:-1]:
            matrix.grad = torch.randn(matrix.shape, generator=generator)
        optimiser.step()
    return [matrix.detach() for matrix in matrices], optimiser.state_dict()


def test_the_steps_are_those_of_torch(precision: torch.dtype) -> None:
    ours, our_state = moved(Muon)
    theirs, their_state = moved(torch.optim.Muon)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0.0 if precision is torch.bfloat16 else 0.01)
    assert our_state.keys() == their_state.keys()
    assert str(our_state["state"]) == str(their_state["state"]), "a checkpoint goes on on any machine"


def test_steps_are_near_to_orthogonal_whatever_the_gradients_size(precision: torch.dtype) -> None:
    for shape in SHAPES:
        matrix = torch.nn.Parameter(torch.zeros(shape))
        matrix.grad = 1e-3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
        Muon([matrix], lr=1.0, weight_decay=0.0).step()
        values = torch.linalg.svdvals(matrix.detach()) / max(1, shape[0] / shape[1]) ** 0.5
        assert 0.3 < values.min() and values.max() < 1.3, "Jordan et al. 2024: between 0.7 and 1.2, mostly"


def test_a_closure_is_called_with_gradients(precision: torch.dtype) -> None:
    matrix = torch.nn.Parameter(torch.eye(3))
    optimiser = Muon([matrix], lr=0.1)

    def closure() -> float:
        optimiser.zero_grad()
        loss = (matrix**2).sum()
        loss.backward()
        return float(loss.detach())

    assert optimiser.step(closure) == 3.0
    assert optimiser.step(closure) < 3.0
