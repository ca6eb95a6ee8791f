"""Adversarial perturbation: the direction in closed form, the two passes, and that it hurts more than chance."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.meta.adversarial import attacked, attacked_inputs, attacked_tasks, perturbation
from understudy.core.meta.learner import Tasks, Tensors, spread
from understudy.core.meta.maml import MAML
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites

RECORD = Record((("queue", Choice(("bug", "billing"))),))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def examples() -> list[Example]:
    return [Example(Prompt(message=(("text", f"the {word}"),)), RECORD, {"queue": queue})
            for word, queue in (("euro", "bug"), ("Lima", "billing"))]  # fmt: skip


def test_it_is_as_long_as_it_should_be_and_points_uphill() -> None:
    gradient, inputs = random(3, 4, 5), random(3, 4, 5, seed=1)
    gradient[2] = 0
    found = perturbation(gradient, inputs, 0.1)
    lengths = 0.1 * inputs.flatten(1).norm(dim=1)
    torch.testing.assert_close(found.flatten(1).norm(dim=1), lengths * torch.tensor([1.0, 1.0, 0.0]))
    torch.testing.assert_close(found[0], gradient[0] / gradient[0].norm() * lengths[0])


def test_of_a_linear_loss_it_is_the_worst_of_all() -> None:
    w, x = random(6), random(4, 6, seed=1)
    moved = attacked_inputs(lambda inputs: (inputs @ w).sum(), x, 0.3)
    torch.testing.assert_close((moved - x) @ w, 0.3 * x.norm(dim=1) * w.norm())


class Table(torch.nn.Module):
    """Rows of embeddings, and a loss that is linear in them: L = Σ_t e_t · v, with parameters v [N, D]."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 3, dtype=torch.float64)
        self.ids = torch.tensor([[1, 2], [3, 3]])
        with torch.no_grad():
            self.embedding.weight.copy_(random(7, 3))
        self.requires_grad_(False)

    def loss(self, parameters: Tensors) -> Tensor:
        return torch.einsum("ntd,nd->n", self.embedding(self.ids), parameters["v"])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_loss_and_its_gradient_are_the_closed_form(share: float) -> None:
    """r_t = ε|e| v / (√2 |v|), so that L(e + r) = L(e) + ε|e| √2 |v|; the gradient takes r as a constant."""
    table, v = Table(), random(2, 3, seed=5).requires_grad_(True)
    embedded = table.embedding(table.ids)
    length = 0.1 * embedded.flatten(1).norm(dim=1)
    loss = attacked(table.loss, table.embedding, 0.1, share)({"v": v})
    torch.testing.assert_close(loss, (embedded.sum(1) * v).sum(1) + share * length * 2**0.5 * v.norm(dim=1))
    (gradient,) = torch.autograd.grad(loss.sum(), [v])
    along = length.unsqueeze(1) * 2**0.5 * v / v.norm(dim=1, keepdim=True)
    torch.testing.assert_close(gradient, (embedded.sum(1) + share * along).detach())
    with torch.no_grad():
        quiet = attacked(table.loss, table.embedding, 0.1, share)({"v": v})
    assert torch.equal(quiet, loss.detach()) and not quiet.requires_grad
    assert not table.embedding._forward_hooks


def test_on_a_backbone_it_hurts_more_than_chance_and_can_be_learned_with(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = new_backbone()
    embedding = backbone.model.get_input_embeddings()
    tasks = head_tasks(backbone, [(examples(), examples())] * 2)
    start = Start.plain(backbone.sites, rank=2).tensors
    parameters = {name: t + 0.1 for name, t in spread(start, 2).items()}
    clean, hurt = tasks.query(parameters), attacked(tasks.query, embedding, 0.05, 1.0)(parameters)
    monkeypatch.setattr(
        "understudy.core.meta.adversarial.perturbation",
        lambda gradient, inputs, size: perturbation(random(*gradient.shape).to(gradient), inputs, size),
    )
    chance = attacked(tasks.query, embedding, 0.05, 1.0)(parameters)
    assert float((hurt - clean).detach().min()) > 3 * float((chance - clean).detach().abs().max())
    monkeypatch.undo()
    learner = MAML(start, second_order=True)
    assert learner.outer_step(attacked_tasks(tasks, embedding, 0.05))["loss"] > 0


def test_a_pass_that_keeps_or_cuts_the_embeddings_is_refused(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    embedding = backbone.model.get_input_embeddings()
    start = Start.plain(backbone.sites, rank=2)
    upper = start.on(upper_sites(backbone))
    tasks = head_tasks(backbone, [(examples(), examples())], upper_sites(backbone))
    with pytest.raises(UnderstudyError, match="the pass does not run the embedding; give head_tasks no `sites`"):
        attacked(tasks.query, embedding, 0.1)(upper.tensors)
    tasks = head_tasks(backbone, [(examples(), examples())], rows=1)
    with pytest.raises(UnderstudyError, match="the embeddings are computed in pieces; give head_tasks no `rows`"):
        attacked(tasks.query, embedding, 0.1)(start.tensors)


def test_what_fills_a_row_up_does_not_make_its_perturbation_longer(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    embedding, start = backbone.model.get_input_embeddings(), Start.plain(backbone.sites, rank=2).tensors
    short = examples()[0]
    long = Example(Prompt(message=(("text", "the application crashes at once " * 6),)), RECORD, {"queue": "bug"})

    def hurt(*every: Example) -> float:
        tasks = head_tasks(backbone, [([one], [one]) for one in every])
        parameters = {name: t + 0.1 for name, t in spread(start, len(every)).items()}
        return float(attacked(tasks.query, embedding, 0.05, 1.0)(parameters)[0].detach())

    assert hurt(short, long) == pytest.approx(hurt(short), rel=1e-4)


def test_only_the_query_is_attacked_by_the_share_that_is_given() -> None:
    table, parameters = Table(), {"v": random(2, 3, seed=5)}
    plain = Tasks(table.loss, table.loss, 2)
    found = attacked_tasks(plain, table.embedding, 0.1, 0.25)
    assert torch.equal(found.support(parameters), table.loss(parameters))
    torch.testing.assert_close(found.query(parameters), attacked(table.loss, table.embedding, 0.1, 0.25)(parameters))
    assert bool((found.query(parameters) > table.loss(parameters)).all())
