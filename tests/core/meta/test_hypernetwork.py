"""The hypernetwork: demonstrations in any order say the same, without any it is the start; it learns waves, heads."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.meta.hypernetwork import Hypernetwork, demonstration_vectors, described_tasks
from understudy.core.meta.learner import Tasks, spread
from understudy.core.meta.maml import inner_step
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import module_tasks, start_of
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites

NET = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
WORDS = ("charged", "crashes", "password", "Lima", "euro", "France")
RECORD = Record((("queue", Choice(("bug", "billing"))),))


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def start(starts: int = 1, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    shapes = {name: tensor.shape[1:] for name, tensor in start_of(NET).items()}
    return {name: 0.5 * random(starts, *shape, seed=at, dtype=dtype) for at, (name, shape) in enumerate(shapes.items())}


def waves(seed: int, count: int = 16, dtype: torch.dtype = torch.float32) -> Tasks:
    source = torch.Generator().manual_seed(seed)
    amplitude, phase = torch.rand(2, count, 1, 1, generator=source, dtype=dtype)
    x = torch.rand(count, 11, 1, generator=source, dtype=dtype) * 6 - 3
    y = (amplitude * 2 + 1) * torch.sin(x - phase * torch.pi)
    return module_tasks(NET, (x[:, :5], y[:, :5]), (x[:, 5:], y[:, 5:]), mse_loss)


def of(tasks: Tasks, rows: slice, order: Sequence[int] = range(5)) -> Tasks:
    x, y = (tasks.data[f"support_{kind}"][rows][:, list(order)] for kind in "xy")
    return module_tasks(NET, (x, y), (tasks.data["query_x"][rows], tasks.data["query_y"][rows]), mse_loss)


def learned(dtype: torch.dtype = torch.float32, **settings: int) -> Hypernetwork:
    """One whose corrections are not zero any more."""
    learner = Hypernetwork(start(dtype=dtype), width=8, rank=2, clip=0, **settings)
    with torch.no_grad():
        for at, tensor in enumerate(learner.part("network").values()):
            tensor += 0.3 * random(*tensor.shape, seed=50 + at, dtype=dtype)
    return learner


def test_the_order_of_demonstrations_does_not_matter_and_what_they_say_does() -> None:
    learner, tasks = learned(torch.float64), waves(1, 4, torch.float64)
    found = learner.adapt(tasks)
    turned = learner.adapt(of(tasks, slice(0, 4), (3, 0, 4, 2, 1)))
    for name, tensor in found.items():
        torch.testing.assert_close(turned[name], tensor)
        assert not torch.allclose(tensor[0], tensor[1], atol=1e-2), name


def test_a_new_one_begins_at_the_start_and_corrections_are_of_low_rank() -> None:
    tasks = waves(1, 4)
    for name, tensor in Hypernetwork(start()).adapt(tasks).items():
        assert torch.equal(tensor, spread(start(), 4)[name])
    net = torch.nn.Linear(6, 5)
    learner = Hypernetwork(start_of(net), rank=2)
    with torch.no_grad():
        for tensor in learner.part("network").values():
            tensor += 0.3 * random(*tensor.shape)
    x, y = random(3, 7, 6), random(3, 7, 5)
    found = learner.adapt(module_tasks(net, (x, y), (x, y), mse_loss))
    change = found["weight"] - learner.start["weight"].detach()
    assert torch.linalg.matrix_rank(change, rtol=1e-4).tolist() == [2, 2, 2]
    none = Tasks(lambda parameters: torch.zeros(3), lambda parameters: torch.zeros(3), 3, {
        "support_vectors": torch.ones(3, 7, 11), "support_present": torch.zeros(3, 7)})  # fmt: skip
    for name, tensor in learner.adapt(none).items():
        if name == "weight":
            assert not torch.equal(tensor, found[name])
        torch.testing.assert_close(tensor, spread(learner.start, 3)[name].detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("steps", [0, 2])
def test_the_gradient_is_what_finite_differences_say(steps: int) -> None:
    learner, tasks = learned(torch.float64, steps=steps), waves(2, 3, torch.float64)
    assert learner.descend(tasks)["loss"] == pytest.approx(float(tasks.query(learner.adapt(tasks)).mean()))
    for number, (name, tensor) in enumerate(learner.learned.items()):
        along, ends = random(*tensor.shape, seed=number, dtype=torch.float64), []
        assert tensor.grad is not None, name
        for sign in (1, -1):
            with torch.no_grad():
                tensor += sign * 1e-5 * along
            ends.append(float(tasks.query(learner.adapt(tasks)).mean()))
            with torch.no_grad():
                tensor -= sign * 1e-5 * along
        slope = (ends[0] - ends[1]) / 2e-5
        assert float((tensor.grad * along).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-7), name


def test_steps_go_on_from_what_was_generated() -> None:
    learner, tasks = learned(), waves(3, 4)
    begun = {name: tensor.requires_grad_(True) for name, tensor in learner.adapt(tasks, 0).items()}
    after = inner_step(tasks.support, begun, dict.fromkeys(begun, torch.tensor(0.01)))
    for name, tensor in learner.adapt(tasks, 1).items():
        torch.testing.assert_close(tensor, after[name])


def test_networks_side_by_side_learn_as_they_would_alone() -> None:
    both = Hypernetwork(start(2), width=8, clip=0, seed=4)
    apart = [
        Hypernetwork({name: t[one : one + 1] for name, t in start(2).items()}, width=8, clip=0, seed=4 + one)
        for one in (0, 1)
    ]
    for step in range(3):
        tasks = waves(step, 8)
        both.outer_step(tasks)
        for one, alone in enumerate(apart):
            alone.outer_step(of(tasks, slice(4 * one, 4 * one + 4)))
    for name, tensor in both.learned.items():
        torch.testing.assert_close(tensor, torch.cat([alone.learned[name] for alone in apart]), atol=2e-5, rtol=1e-4)


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = (Hypernetwork(start(), width=8, steps=1) for _ in range(3))
    with torch.no_grad():
        for tensor in resumed.learned.values():
            tensor += 1
    for step in range(4):
        whole.outer_step(waves(step))
        if step < 2:
            stopped.outer_step(waves(step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in (2, 3):
        resumed.outer_step(waves(step))
    assert all(torch.equal(tensor, resumed.learned[name]) for name, tensor in whole.learned.items())


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_it_learns_waves_in_one_pass(scale: float) -> None:
    """The broken copy's corrections do not count."""
    learner = Hypernetwork(start(), width=32, rate=5e-3, scale=scale)
    losses = [learner.outer_step(waves(step))["loss"] for step in range(150)]
    last = sum(losses[-10:]) / 10
    assert last < 0.7 if scale else last > 0.9, last


def example(word: str, queue: str) -> Example:
    return Example(Prompt(message=(("text", f"the {word} again"),)), RECORD, {"queue": queue})


def test_demonstrations_of_heads_have_vectors_of_prompt_and_answer(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    sides = [[example("euro", "bug"), example("Lima", "billing")], [example("euro", "billing")]]
    found = demonstration_vectors(backbone, [(side, side) for side in sides])
    assert found["support_present"].tolist() == [[1, 1], [1, 0]]
    prompt, answer = found["support_vectors"].chunk(2, -1)
    torch.testing.assert_close(prompt[0, 0], prompt[1, 0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(answer[0, 0], answer[1, 0], atol=1e-2)
    alone = demonstration_vectors(backbone, [(sides[1], sides[1])])["support_vectors"]
    torch.testing.assert_close(found["support_vectors"][1, :1], alone[0], atol=1e-5, rtol=1e-4)


def test_heads_on_a_backbone_come_from_their_demonstrations(new_backbone: Callable[..., Backbone]) -> None:
    """Two kinds of task: all is `bug` in one, `billing` in the other; one pass over the demonstrations tells which."""
    backbone = new_backbone()
    sites = upper_sites(backbone)
    episodes = []
    for queue in ("bug", "billing"):
        some = [example(word, queue) for word in WORDS]
        episodes.append((some[:3], some[3:]))
    tasks = described_tasks(backbone, episodes, sites)
    plain = Start.plain(backbone.sites, rank=2).on(sites).tensors
    learner = Hypernetwork(plain, inputs=2 * backbone.width, width=16, rank=2, rate=1e-2)
    losses = [learner.outer_step(tasks)["loss"] for _ in range(25)]
    assert losses[0] > 0.5 and losses[-1] < 0.5 * losses[0]
    found = learner.adapt(tasks)
    swapped = {name: tensor.flip(0) for name, tensor in found.items()}
    with torch.no_grad():
        assert float(tasks.query(swapped).mean()) > 2 * float(tasks.query(found).mean())


def test_vectors_of_another_width_are_refused() -> None:
    tasks = Tasks(lambda p: torch.zeros(2), lambda p: torch.zeros(2), 2, {"support_vectors": torch.zeros(2, 3, 7)})
    with pytest.raises(UnderstudyError, match="vectors of 7 numbers, .* made for inputs=2; make it with inputs=7$"):
        Hypernetwork(start()).adapt(tasks)
    Hypernetwork(start(), inputs=7).adapt(tasks)
    with pytest.raises(UnderstudyError, match="the tasks have no support_x"):
        Hypernetwork(start()).adapt(Tasks(lambda p: torch.zeros(2), lambda p: torch.zeros(2), 2))


@pytest.mark.parametrize(
    ("labels", "made", "needed", "said"),
    [
        (0, {"inputs": 7}, {"inputs": 14}, "x has 10 numbers and y 4 numbers, but .* made for inputs=7, outputs=4 "),
        (0, {"inputs": 10}, {"inputs": 14}, r"inputs=10, outputs=4 \(inputs count x and y\)"),
        (0, {"inputs": 3}, {"inputs": 14}, "made for inputs=3, outputs=4"),
        (0, {"inputs": 28, "outputs": 5}, {"inputs": 14, "outputs": 4}, "made for inputs=28, outputs=5"),
        (0, {"inputs": 14, "outputs": 5}, {"outputs": 4}, "made for inputs=14, outputs=5"),
        (4, {"inputs": 10}, {"inputs": 14}, "x has 10 numbers and y 4 labels"),
        (9, {}, {"inputs": 19, "outputs": 9}, "x has 10 numbers and y 9 labels, .* made for inputs=14, outputs=4"),
    ],
)
def test_sizes_that_do_not_fit_are_told_as_the_settings_that_do(
    labels: int, made: dict[str, int], needed: dict[str, int], said: str
) -> None:
    net = torch.nn.Linear(10, 4)
    x = random(2, 9, 10)
    y = torch.arange(9).clamp(max=labels - 1).expand(2, -1) if labels else random(2, 9, 4)
    tasks = Tasks(lambda p: torch.zeros(2), lambda p: torch.zeros(2), 2, {"support_x": x, "support_y": y})
    with pytest.raises(UnderstudyError, match=said) as refused:
        Hypernetwork(start_of(net), **made).adapt(tasks)
    assert refused.value.mend == f"make it with {', '.join(f'{name}={value}' for name, value in needed.items())}"
    Hypernetwork(start_of(net), **(made | needed)).adapt(tasks)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 0}, "width is 0; give a whole number, 1 or more"),
        ({"rank": 0}, "rank is 0"),
        ({"inputs": 0}, "inputs is 0"),
        ({"outputs": 0}, "outputs is 0"),
        ({"steps": -1}, "steps is -1"),
        ({"inputs": 3, "outputs": 28}, "inputs=3 are too few: they count x and y, and y alone has outputs=28; give"),
    ],
)
def test_sizes_that_cannot_be_are_refused_where_it_is_made(settings: dict[str, int], said: str) -> None:
    with pytest.raises(UnderstudyError, match=said):
        Hypernetwork(start(), **settings)
