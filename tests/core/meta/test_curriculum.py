"""Curriculum: what is drawn, how often; how many inner steps a task takes; and that it helps."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.errors import UnderstudyError
from understudy.core.meta.curriculum import Curriculum, Dynamic, descend_while_it_falls
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import MAML, inner_step


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def told(curriculum: Curriculum, *losses: list[float]) -> Curriculum:
    for some in losses:
        curriculum.note(torch.arange(len(some)), torch.tensor(some))
    return curriculum


def test_chances_are_the_closed_form() -> None:
    hard = told(Curriculum(3, by="difficulty", temperature=2.0, floor=0.1), [1.0, 4.0, 9.0])
    assert hard.chances()[0].tolist() == pytest.approx([0.9 * share / 6 + 0.1 / 3 for share in (1, 2, 3)])
    moving = told(Curriculum(3, floor=0.3, speed=0.4), [2.0, 2.0, 2.0], [2.0, 1.0, 4.0])
    fast, slow = moving.state["fast"][0].tolist(), moving.state["slow"][0].tolist()
    assert fast == pytest.approx([2.0, 1.6, 2.8]) and slow == pytest.approx([2.0, 1.9, 2.2])
    assert moving.chances()[0].tolist() == pytest.approx([0.1, 0.1 + 0.7 / 3, 0.1 + 1.4 / 3])


def test_at_first_and_where_nothing_moves_all_are_drawn_alike() -> None:
    even = [pytest.approx(1 / 3)] * 3
    assert Curriculum(3).chances()[0].tolist() == even
    assert told(Curriculum(3), [1.0, 2.0, 3.0]).chances()[0].tolist() == even
    some = Curriculum(3, by="difficulty", floor=0.0)
    some.note(torch.tensor([0, 1]), torch.tensor([1.0, 3.0]))
    assert some.chances()[0].tolist() == pytest.approx([1 / 7, 3 / 7, 3 / 7]), "what is new counts as the hardest"


def test_it_draws_by_its_chances_and_forgets_none() -> None:
    curriculum = told(Curriculum(3, by="difficulty", floor=0.15), [0.0, 1.0, 3.0])
    drawn = curriculum.draw(20_000, torch.Generator().manual_seed(1))
    shares = torch.bincount(drawn, minlength=3) / 20_000
    assert shares.tolist() == pytest.approx(curriculum.chances()[0].tolist(), abs=0.01)
    assert float(shares[0]) == pytest.approx(0.05, abs=0.01)


def test_starts_have_curricula_of_their_own_and_a_saved_one_goes_on() -> None:
    both = Curriculum(2, by="difficulty", floor=0.0, starts=2)
    both.note(torch.tensor([0, 1, 0, 1]), torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert both.draw(6, torch.Generator()).tolist() == [0, 0, 0, 1, 1, 1]
    again = Curriculum(2, by="difficulty", floor=0.0, starts=2)
    again.load(both.state)
    assert torch.equal(again.chances(), both.chances())
    torch.testing.assert_close(both.state["count"], torch.tensor([[1.0, 1.0], [1.0, 1.0]]).double())
    both.note(torch.tensor([0, 0, 0, 1]), torch.tensor([1.0, 1.0, 1.0, 1.0]))
    assert both.state["count"].tolist() == [[3, 1], [2, 2]], "each start counts its own tasks"
    with pytest.raises(UnderstudyError, match="another curriculum's state"):
        Curriculum(3).load(both.state)
    with pytest.raises(UnderstudyError, match="there is a task of family 2"):
        both.note(torch.tensor([0, 2]), torch.ones(2))
    with pytest.raises(UnderstudyError, match="drawn by 'luck'"):
        Curriculum(2, by="luck")
    with pytest.raises(UnderstudyError, match="a floor of 1.5 and a temperature of 1.0 make no chances; give a share"):
        Curriculum(2, floor=1.5)


def bowls(curvature: list[float], count: int = 1) -> Tasks:
    """½ c |w|²: a step of rate α multiplies w by 1 − αc, and the loss by its square."""
    c = torch.tensor(curvature, dtype=torch.float64).repeat(count)

    def loss(parameters: Tensors) -> Tensor:
        return c / 2 * parameters["w"].square().sum(1)

    return Tasks(loss, loss, len(c), {"family": torch.arange(len(c)) % len(curvature)})


def test_a_task_takes_the_steps_it_needs() -> None:
    """At rate 0.5: c = 0.01 hardly falls, 1 falls by three quarters each time, 5 rises."""
    tasks = bowls([0.01, 1.0, 5.0])
    w, rates = {"w": torch.ones(3, 2, dtype=torch.float64, requires_grad=True)}, {"w": torch.tensor(0.5).double()}
    after, taken = descend_while_it_falls(tasks.support, w, rates, 0, 4, 0.1)
    assert taken.tolist() == [1, 4, 0]
    torch.testing.assert_close(after["w"][:, 0].detach(), torch.tensor([0.995, 0.5**4, 1.0]).double())
    after, taken = descend_while_it_falls(tasks.support, w, rates, 2, 4, 0.1)
    assert taken.tolist() == [2, 4, 2]
    torch.testing.assert_close(after["w"][:, 0].detach(), torch.tensor([0.995**2, 0.5**4, 2.25]).double())
    assert descend_while_it_falls(tasks.support, w, rates, 0, 0, 0.1)[1].tolist() == [0, 0, 0]


def test_with_least_and_most_alike_it_is_the_plain_inner_loop() -> None:
    tasks = bowls([0.3, 1.0, 5.0])
    w, rates = {"w": random(3, 2).requires_grad_(True)}, {"w": torch.tensor(0.5).double()}
    plain: Tensors = w
    for _ in range(3):
        plain = inner_step(tasks.support, plain, rates, second_order=True)
    after, _ = descend_while_it_falls(tasks.support, w, rates, 3, 3, 0.1, second_order=True)
    torch.testing.assert_close(after["w"], plain["w"])
    (ours,), (theirs,) = (torch.autograd.grad(p["w"].square().sum(), [w["w"]]) for p in (after, plain))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("second_order", [True, False])
def test_the_gradient_of_mixed_numbers_of_steps_is_the_closed_form(second_order: bool) -> None:
    tasks = bowls([0.01, 1.0, 5.0])
    w, rates = {"w": random(3, 2).requires_grad_(True)}, {"w": torch.tensor(0.5).double()}
    after, taken = descend_while_it_falls(tasks.support, w, rates, 0, 4, 0.1, second_order)
    (gradient,) = torch.autograd.grad(after["w"].sum(), [w["w"]])
    expected = (1 - 0.5 * torch.tensor([0.01, 1.0, 5.0])).double() ** taken if second_order else torch.ones(3).double()
    torch.testing.assert_close(gradient, expected.unsqueeze(1).expand(3, 2))


def test_too_large_a_rate_harms_maml_and_not_dynamic() -> None:
    """Bowls so steep that some steps overshoot: what only ever goes down stays down."""
    start = {"w": torch.ones(1, 2, dtype=torch.float64)}
    tasks = bowls([0.5, 1.0, 9.0])
    plain, own = MAML(start, steps=4, inner_rate=0.5), Dynamic(start, least=0, most=4, inner_rate=0.5, families=3)
    assert float(tasks.query(own.adapt(tasks)).max()) <= float(tasks.query({"w": torch.ones(3, 2)}).max())
    assert float(tasks.query(plain.adapt(tasks)).max()) > 100
    assert own.outer_step(tasks)["inner steps"] == pytest.approx((4 + 4 + 0) / 3)
    assert torch.equal(own.adapt(tasks, 0)["w"], own.start["w"].detach().expand(3, 2))


def test_what_is_hard_is_drawn_more_and_so_learned_sooner() -> None:
    """A start for two kinds of tasks, one hard and rare: with the curriculum its loss is the smaller one."""
    ends = {}
    for drawn in (True, False):
        learner = Dynamic(
            {"w": torch.zeros(1, 2, dtype=torch.float64)}, most=1, inner_rate=1e-3, rate=0.02, families=2,
            curriculum={"by": "difficulty", "floor": 0.1},
        )  # fmt: skip
        for step in range(150):
            family = learner.families(8) if drawn else (torch.arange(8) == step % 8).long()
            learner.outer_step(places(family))
        ends[drawn] = float(places(torch.tensor([1])).query(learner.start).detach())
    assert ends[True] < 0.5 * ends[False]


def places(family: Tensor) -> Tasks:
    """Family 0 is near (1, 0), family 1 near (0, 3)."""
    wanted = torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.float64)[family]

    def loss(parameters: Tensors) -> Tensor:
        return (parameters["w"] - wanted).square().sum(1)

    return Tasks(loss, loss, len(family), {"family": family})


def test_a_run_that_was_saved_goes_on_bit_by_bit_and_draws_the_same(tmp_path: Path) -> None:
    start = {"w": torch.zeros(1, 2, dtype=torch.float64)}
    whole, stopped, resumed = (Dynamic(start, families=2, rate=0.1, inner_rate=0.1) for _ in range(3))
    for step in range(8):
        whole.outer_step(places(whole.families(6)))
        if step < 4:
            stopped.outer_step(places(stopped.families(6)))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for _ in range(4, 8):
        resumed.outer_step(places(resumed.families(6)))
    for name, tensor in (whole.learned | whole.kept).items():
        assert torch.equal(tensor, (resumed.learned | resumed.kept)[name]), name
    assert torch.equal(whole.families(50), resumed.families(50))
    assert torch.equal(whole.curriculum.chances(), resumed.curriculum.chances())


def test_a_loss_that_is_not_finite_is_passed_over() -> None:
    curriculum = told(Curriculum(2, by="difficulty", floor=0.0), [1.0, 3.0])
    curriculum.note(torch.tensor([0, 1, 0]), torch.tensor([float("nan"), float("inf"), 1.0]))
    assert curriculum.chances()[0].tolist() == pytest.approx([0.25, 0.75])
    assert curriculum.state["count"].tolist() == [[2, 1]]


@pytest.mark.parametrize("second_order", [True, False])
def test_a_step_into_what_is_no_number_is_taken_back_and_leaves_no_trace(second_order: bool) -> None:
    """exp w² overflows after a step from 3: its task stays there, and so the gradient is that of staying, 1."""

    def loss(parameters: Tensors) -> Tensor:
        w = parameters["w"]
        return torch.stack([w[0].square().sum(), w[1].square().exp().sum() * (w[1] / w[1]).sum()])

    w = {"w": torch.tensor([[1.0], [3.0]], requires_grad=True)}
    after, taken = descend_while_it_falls(loss, w, {"w": torch.tensor(0.1)}, 0, 3, 0.1, second_order)
    (gradient,) = torch.autograd.grad(after["w"].sum(), [w["w"]])
    assert taken.tolist() == [3, 0] and after["w"].flatten().tolist() == pytest.approx([0.512, 3.0])
    assert gradient.flatten().tolist() == pytest.approx([0.512 if second_order else 1.0, 1.0])
    falls = {"w": torch.tensor([[2.0]], requires_grad=True)}
    rates = {"w": torch.tensor(9.0)}
    back, none = descend_while_it_falls(lambda p: (p["w"] - 1).log().sum(1) + 9, falls, rates, 0, 3, 0.1)
    assert none.tolist() == [0] and back["w"].item() == 2, "a loss that is no number (log of less than 0) is taken back"


def test_the_gradient_of_starts_side_by_side_is_that_of_each_alone() -> None:
    start, family = torch.tensor([[0.0, 1.0], [2.0, -1.0]], dtype=torch.float64), torch.tensor([0, 1, 1, 1])
    both = Dynamic({"w": start}, families=2, inner_rate=0.1)
    both.descend(places(family))
    for one in (0, 1):
        alone = Dynamic({"w": start[one : one + 1]}, families=2, inner_rate=0.1)
        alone.descend(places(family[2 * one : 2 * one + 2]))
        assert both.start["w"].grad is not None
        torch.testing.assert_close(both.start["w"].grad[one : one + 1], alone.start["w"].grad)


def test_clamped_inner_gradients_keep_a_steep_task_going() -> None:
    """At rate 0.1 a bowl of curvature 100 rises at once; clamped at 2 it comes down by 0.2 a step."""
    start = {"w": torch.ones(1, 1, dtype=torch.float64)}
    plain, clamped = (Dynamic(start, least=0, most=3, inner_rate=0.1, inner_clamp=clamp) for clamp in (0.0, 2.0))
    assert plain.adapt(bowls([100.0]))["w"].item() == 1
    assert clamped.adapt(bowls([100.0]))["w"].item() == pytest.approx(0.4)
    assert clamped.outer_step(bowls([100.0]))["loss"] == pytest.approx(50 * 0.4**2)
