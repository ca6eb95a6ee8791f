"""Hierarchy: pooling in closed form, families that are found again, and what that is worth."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.meta.hierarchy import Hierarchy, belonging, family_starts, pooling
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import MAML

CENTRES = torch.tensor([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 4.0, 0.0]], dtype=torch.float64)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def regression(count: int, seed: int, known: bool = True) -> Tasks:
    """Linear regressions of three coefficients, of three families; two examples say which, not what exactly."""
    family = torch.arange(count) % 3
    truth = CENTRES[family] + 0.1 * random(count, 3, seed=seed)

    def side(many: int, seed: int) -> tuple[Tensor, Tensor]:
        x = random(count, many, 3, seed=seed)
        return x, torch.einsum("nkd,nd->nk", x, truth)

    x, y = side(2, seed + 1)
    xq, yq = side(10, seed + 2)

    def loss(x: Tensor, y: Tensor, parameters: Tensors) -> Tensor:
        return ((torch.einsum("nkd,nd->nk", x, parameters["w"]) - y) ** 2).mean(1)

    data = {"family": family} if known else {}
    return Tasks(lambda p: loss(x, y, p), lambda p: loss(xq, yq, p), count, data)


def learned(learner: MAML, steps: int = 150, known: bool = True) -> MAML:
    for step in range(steps):
        learner.outer_step(regression(12, 10 * step, known))
    return learner


def start(starts: int = 1) -> dict[str, Tensor]:
    return {"w": torch.zeros(starts, 3, dtype=torch.float64)}


def made(**settings: float) -> Hierarchy:
    return Hierarchy(start(), **{"rate": 0.1, "inner_rate": 0.02, **settings})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def hierarchy() -> MAML:
    return learned(made())


def test_families_are_pooled_by_the_number_of_their_tasks() -> None:
    weight = pooling(torch.tensor([[0.0, 5.0, 20.0]]), 5.0)
    torch.testing.assert_close(weight, torch.tensor([[0.0, 0.5, 0.8]]))
    assert pooling(torch.zeros(1, 1), 0.0).tolist() == [[0.0]]
    found = family_starts({"w": torch.tensor([[1.0, 1.0]])}, {"w": torch.tensor([[[9.0, 9], [2, 0], [0, 5]]])}, weight)
    assert found["w"].tolist()[0] == [[1, 1], [2, 1], [pytest.approx(1), pytest.approx(5)]]


def test_the_weights_of_families_are_a_softmax_or_the_best() -> None:
    losses = torch.tensor([[1.0, 2.0], [3.0, float("nan")]])
    assert belonging(losses, 0.0).tolist() == [[1, 0], [1, 0]]
    expected = torch.softmax(torch.tensor([-1.0, -2.0]) / 0.5, 0)
    torch.testing.assert_close(belonging(losses, 0.5)[0], expected)
    assert belonging(losses, 0.5)[1].tolist() == [1, 0]


def test_the_outer_gradient_is_what_finite_differences_say() -> None:
    learner = made(penalty=0.3, strength=7.0)
    learner.kept["count"] += torch.tensor([[3.0, 9.0, 1.0]])
    with torch.no_grad():
        learner.learned["offset|w"].copy_(random(1, 3, 3, seed=4))
    count = learner.kept["count"].clone()
    tasks = regression(6, 5)
    learner.descend(tasks)

    def objective(w: Tensor, offset: Tensor) -> Tensor:
        own = {"w": (w + (count / (count + 7)).unsqueeze(2) * offset)[0, tasks.data["family"]].requires_grad_(True)}
        (gradient,) = torch.autograd.grad(tasks.support(own).sum(), [own["w"]], create_graph=True)
        return tasks.query({"w": own["w"] - 0.02 * gradient}).mean() + 0.15 * offset.square().sum()

    places = [learner.start["w"].detach(), learner.learned["offset|w"].detach()]
    for number, tensor in enumerate((learner.start["w"], learner.learned["offset|w"])):
        along = random(*tensor.shape, seed=30 + number)
        ends = [objective(*[p + (sign * 1e-5 * along if n == number else 0) for n, p in enumerate(places)])
                for sign in (1, -1)]  # fmt: skip
        assert tensor.grad is not None
        assert float((tensor.grad * along).sum()) == pytest.approx(float((ends[0] - ends[1]).detach()) / 2e-5, rel=1e-6)
    torch.testing.assert_close(learner.kept["count"], count + 2)


def test_a_new_role_finds_its_family_from_its_support(hierarchy: Hierarchy) -> None:
    tasks = regression(30, 9_000, known=False)
    assert float((hierarchy.infer(tasks).argmax(1) == torch.arange(30) % 3).double().mean()) > 0.85
    starts = hierarchy.family_starts()["w"].detach()[0]
    assert float((starts - CENTRES).norm(dim=1).max()) < 0.7


def test_it_adapts_better_than_one_start_or_than_the_wrong_family(hierarchy: Hierarchy) -> None:
    tasks = regression(60, 9_000, known=False)
    found = float(tasks.query(hierarchy.adapt(tasks)).mean())
    single = learned(MAML(start(), rate=0.1, inner_rate=0.02))
    alone = float(tasks.query(single.adapt(tasks)).mean())
    broken = made()
    broken.learned, broken.kept = hierarchy.learned, hierarchy.kept
    broken.infer = lambda tasks: torch.eye(3)[torch.zeros(tasks.count, dtype=torch.long)]  # type: ignore[method-assign]
    wrong = float(tasks.query(broken.adapt(tasks)).mean())
    assert found < 0.4 * alone and found < 0.4 * wrong


def test_families_that_nobody_names_are_found() -> None:
    tasks = regression(60, 9_000, known=False)
    blind = learned(made(), known=False)
    assert int((blind.kept["count"] > 100).sum()) >= 2
    single = learned(MAML(start(), rate=0.1, inner_rate=0.02))
    assert float(tasks.query(blind.adapt(tasks)).mean()) < 0.8 * float(tasks.query(single.adapt(tasks)).mean())


def test_a_penalty_keeps_families_near_the_global_start(hierarchy: Hierarchy) -> None:
    held = learned(made(penalty=20.0), 60)
    assert float(held.part("offset")["w"].detach().norm()) < 0.3 * float(hierarchy.part("offset")["w"].detach().norm())


def test_a_family_that_there_is_not_is_told() -> None:
    with pytest.raises(UnderstudyError, match="there is a task of family 2; make it of more than 2 families"):
        made(families=2).outer_step(regression(6, 1))


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = made(), made(), made()
    for step in range(6):
        whole.outer_step(regression(6, step))
        if step < 3:
            stopped.outer_step(regression(6, step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in range(3, 6):
        resumed.outer_step(regression(6, step))
    for name, tensor in (whole.learned | whole.kept).items():
        assert torch.equal(tensor, (resumed.learned | resumed.kept)[name]), name


def test_starts_side_by_side_learn_as_they_would_alone() -> None:
    both = Hierarchy({"w": torch.stack([torch.zeros(3), torch.ones(3)]).double()}, rate=0.1)
    alone = [Hierarchy({"w": torch.full((1, 3), float(n), dtype=torch.float64)}, rate=0.1) for n in (0, 1)]
    for step in range(3):
        halves = [regression(6, 100 * step + 7 * n) for n in (0, 1)]

        def joined(side: str, halves: list[Tasks] = halves) -> Tasks:
            return lambda p: torch.cat(  # type: ignore[return-value]
                [getattr(h, side)({"w": p["w"][6 * n : 6 * n + 6]}) for n, h in enumerate(halves)]
            )

        data = {"family": torch.cat([half.data["family"] for half in halves])}
        both.outer_step(Tasks(joined("support"), joined("query"), 12, data))  # type: ignore[arg-type]
        for one, half in zip(alone, halves, strict=True):
            one.outer_step(half)
    for name, tensor in both.learned.items():
        torch.testing.assert_close(tensor, torch.cat([one.learned[name] for one in alone]))


def test_heads_have_families_too(backbones: object) -> None:
    from understudy.core.fields import Choice, Record
    from understudy.core.meta.start import Start
    from understudy.core.meta.tasks import head_tasks
    from understudy.core.prompts import Example, Prompt

    backbone: Backbone = backbones()  # type: ignore[operator]
    record = Record((("queue", Choice(("bug", "billing"))),))
    one, two = (Example(Prompt(message=(("text", f"the {word}"),)), record, {"queue": queue})
                for word, queue in (("euro", "bug"), ("Lima", "billing")))  # fmt: skip
    tasks = head_tasks(backbone, [([one], [two]), ([two], [one])])
    learner = Hierarchy(Start.plain(backbone.sites, rank=2).tensors, families=2, second_order=False)
    assert learner.outer_step(tasks)["loss"] > 0 and learner.outer_step(tasks)["loss"] > 0
    assert all(len(tensor) == 2 for tensor in learner.adapt(tasks).values())


def test_clamped_inner_gradients_reach_the_choice_of_the_family_the_steps_and_what_is_learned() -> None:
    """½ 100 |w|² at rate 0.1: a step overshoots ninefold; clamped at 2 it is one of 0.2 towards 0."""

    def bowl(parameters: Tensors) -> Tensor:
        return 50 * parameters["w"].square().sum(1)

    def wide(parameters: Tensors) -> Tensor:
        return bowl(parameters).clamp(max=80)

    start, tasks = {"w": torch.ones(1, 1, dtype=torch.float64)}, Tasks(bowl, bowl, 1, {"family": torch.tensor([0])})
    learner = Hierarchy(start, families=2, strength=0.0, inner_rate=0.1, inner_clamp=2.0)
    assert learner.adapt(tasks)["w"].item() == pytest.approx(0.8)
    assert learner.outer_step(tasks)["loss"] == pytest.approx(50 * 0.8**2)
    with torch.no_grad():
        learner.start["w"].fill_(1.0)
        learner.learned["offset|w"].copy_(torch.tensor([[[0.5], [0.0]]]))
        learner.kept["count"].fill_(1.0)
    assert learner.infer(Tasks(wide, wide, 1)).tolist() == [[0, 1]], "from 1.5 nothing leads down, from 1 to 0.8"
