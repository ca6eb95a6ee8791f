"""REINFORCE against the exact gradient of a bandit, and a head that learns from scores alone."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.batches import collate
from understudy.core.decoding import Call, Decoder
from understudy.core.demonstrations import render
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Earlier, ListOf, Record, Text
from understudy.core.heads import Head
from understudy.core.meta.learner import Tensors
from understudy.core.meta.maml import fomaml
from understudy.core.meta.policy_gradient import (
    Categorical,
    Reinforcement,
    answer_logs,
    leave_one_out,
    policy_gradient,
    policy_tasks,
    reinforce,
    sampled,
)
from understudy.core.meta.start import Start
from understudy.core.prompts import Example, Prompt

WORDS = ("charged", "crashes", "password", "Lima", "euro", "France")
LIKED = dict(zip(WORDS, ("bug", "billing", "how to") * 2, strict=True))
RECORD = Record((("queue", Choice(("bug", "billing", "how to"))),))
PROMPTS = [Prompt(message=(("text", f"the {word} again"),)) for word in WORDS]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bandit(parameters: Tensors) -> Tensor:
    """Two inputs of each task, four arms."""
    return torch.einsum("kd,ndo->nko", random(2, 3, seed=7), parameters["w"])


@pytest.mark.parametrize("baseline", ["none", "constant", "group"])
def test_the_gradient_is_that_of_the_enumerated_expected_reward(baseline: str) -> None:
    """Tasks with the same parameters are estimates of one gradient; with a baseline they vary less."""
    count, policy = 3000, Categorical(bandit)
    values = 5 + random(2, 4, seed=3)
    w = random(1, 3, 4, seed=1)

    def reward(actions: Tensor) -> Tensor:
        return values.expand(*actions.shape, 4).gather(-1, actions.unsqueeze(-1)).squeeze(-1)

    one = w.clone().requires_grad_(True)
    expected = (bandit({"w": one}).softmax(-1) * values).sum(-1).mean()
    (exact,) = torch.autograd.grad(-expected, [one])
    given = {"none": torch.zeros(1), "constant": torch.full((count, 1, 2), 5.0, dtype=torch.float64), "group": None}
    many = {"w": w.repeat(count, 1, 1).requires_grad_(True)}
    source = torch.Generator().manual_seed(0)
    gradients, rewards = policy_gradient(policy, reward, many, 4, source, given[baseline])
    found = gradients["w"]
    error = (found.mean(0) - exact[0]).abs() / (found.std(0) / count**0.5)
    assert float(error.max()) < 4, "standard errors"
    assert float(rewards.mean()) == pytest.approx(float(expected.detach()), abs=0.05)
    spread = float(found.var(0).sum() / exact.square().sum())
    assert spread > 8 if baseline == "none" else spread < 1


def test_log_probabilities_are_finite_differences_deep() -> None:
    policy, actions = Categorical(bandit), torch.tensor([[[0, 3], [1, 1], [2, 0]]])
    w = random(1, 3, 4, seed=1).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda w: policy.log_probabilities({"w": w}, actions), (w,))
    chances = bandit({"w": w}).softmax(-1)[0]
    logs = policy.log_probabilities({"w": w}, actions)[0].exp()
    torch.testing.assert_close(logs[0], torch.stack([chances[0, 0], chances[1, 3]]))


def test_a_sample_is_compared_with_the_others_alone() -> None:
    rewards = torch.tensor([[1.0, 4.0, 7.0], [2.0, 2.0, 2.0]])
    expected = torch.tensor([[1 - 5.5, 4 - 4.0, 7 - 2.5], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(leave_one_out(rewards), expected)
    with pytest.raises(UnderstudyError, match="draw two or more"):
        leave_one_out(rewards[:, :1])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_maml_learns_policies_that_adapt_from_rewards(sign: float) -> None:
    """Two arms of four pay, one of them in a task: to begin at these two is what the start can learn."""
    learner = fomaml({"w": torch.zeros(1, 4)}, inner_rate=2.0, rate=0.05)
    policy = Categorical(lambda parameters: parameters["w"].unsqueeze(1))

    def paid(arms: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda actions: sign * (actions == arms.view(-1, 1, 1)).float()

    for step in range(60):
        source = torch.Generator().manual_seed(step)
        side = policy, paid(torch.randint(0, 2, (16,), generator=source))
        learner.outer_step(policy_tasks(side, side, 16, 16, source))
    arms = torch.arange(2).repeat(50)
    side = policy, paid(arms)
    adapted = learner.adapt(policy_tasks(side, side, 100, 16, torch.Generator().manual_seed(99)), 3)
    start = learner.start["w"].detach().softmax(-1)[0]
    right = adapted["w"].softmax(-1).gather(1, arms.unsqueeze(1)).mean()
    if sign > 0:
        assert float(start[:2].sum()) > 0.75 and float(right) > 0.75
    else:
        assert float(start[:2].sum()) < 0.25 and float(right) < 0.2


def test_answers_are_drawn_as_the_head_says(backbones: Callable[..., Backbone], new_head: Callable[..., Head]) -> None:
    backbone = backbones()
    head = new_head(backbone, "qa", 3)
    bank = HeadBank(backbone.sites)
    bank.add(head)
    (reply,) = Decoder(backbone, bank).decode([Call(PROMPTS[0], RECORD, "qa")])
    count = 400
    drawn = sampled(backbone, head, PROMPTS[:1] * count, RECORD, torch.Generator().manual_seed(0))
    chances = dict(reply.picks[0].options)
    assert max(chances.values()) < 0.98, "or nothing was drawn"
    for label, chance in chances.items():
        share = sum(values["queue"] == label for values in drawn) / count
        assert abs(share - chance) < 4 * math.sqrt(chance * (1 - chance) / count) + 1e-3
    batch = collate(
        [render(Example(PROMPTS[0], RECORD, {"queue": label}), backbone) for label in chances], backbone.markers.pad
    )
    logs = answer_logs(backbone, head.stack().tensors(), batch)
    torch.testing.assert_close(logs.exp(), torch.tensor(list(chances.values())), atol=1e-4, rtol=1e-3)


def test_lists_and_records_have_probabilities_that_sum_to_one(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    item = Record((("who", Choice(("qa", "coder"))), ("after", ListOf(Earlier(), 0, 1))))
    record = Record((("steps", ListOf(item, 1, 2)),))
    first = [[{"who": who, "after": []}] for who in ("qa", "coder")]
    every = first + [
        [*one, {"who": who, "after": after}] for one in first for who in ("qa", "coder") for after in ([], [1])
    ]
    batch = collate(
        [render(Example(PROMPTS[0], record, {"steps": steps}), backbone) for steps in every], backbone.markers.pad
    )
    head = new_head(backbone, "qa", 3)
    assert float(answer_logs(backbone, head.stack().tensors(), batch).exp().sum()) == pytest.approx(1, abs=1e-3)
    drawn = sampled(backbone, head, PROMPTS[:1] * 20, record, torch.Generator().manual_seed(0))
    assert all(values["steps"] in every for values in drawn)


def score(prompt: Prompt, values: Mapping[str, Any]) -> float:
    return float(values["queue"] == LIKED[prompt.part("text").split()[1]])


def mean(rewards: tuple[float, ...]) -> float:
    return sum(rewards) / len(rewards)


@pytest.mark.parametrize("baseline", ["group", "running"])
def test_a_head_learns_from_scores(new_backbone: Callable[..., Backbone], baseline: Any) -> None:
    backbone = new_backbone()
    before = {name: p.clone() for name, p in backbone.model.named_parameters()}
    recipe = Reinforcement(steps=14, samples=8, layers="all", baseline=baseline)
    head, rewards = reinforce(backbone, PROMPTS, RECORD, score, Start.plain(backbone.sites, rank=4), recipe, "sorter")
    assert mean(rewards[:2]) < 0.6 and mean(rewards[-3:]) > 0.85
    bank = HeadBank(backbone.sites)
    bank.add(head)
    replies = Decoder(backbone, bank).decode([Call(prompt, RECORD, "sorter") for prompt in PROMPTS])
    assert sum(score(prompt, reply.values) for prompt, reply in zip(PROMPTS, replies, strict=True)) >= 5
    assert all(torch.equal(before[name], p) for name, p in backbone.model.named_parameters()), "the backbone is frozen"


@pytest.mark.parametrize("broken", ["sign", "shuffled"])
def test_from_scores_that_say_nothing_it_does_not(new_backbone: Callable[..., Backbone], broken: str) -> None:
    backbone, source = new_backbone(), torch.Generator().manual_seed(5)
    truth: list[float] = []

    def reward(prompt: Prompt, values: Mapping[str, Any]) -> float:
        truth.append(score(prompt, values))
        return -truth[-1] if broken == "sign" else float(torch.rand(1, generator=source))

    recipe = Reinforcement(steps=12, samples=8, layers="all")
    reinforce(backbone, PROMPTS, RECORD, reward, Start.plain(backbone.sites, rank=4), recipe)
    assert sum(truth[-144:]) / 144 < (0.15 if broken == "sign" else 0.55)


def test_the_same_seed_gives_the_same_head(backbones: Callable[..., Backbone]) -> None:
    start = Start.plain(backbones().sites, rank=2)
    runs = [reinforce(backbones(), PROMPTS[:2], RECORD, score, start, Reinforcement(3, 4, seed=s)) for s in (1, 1, 2)]
    same, other = (all(torch.equal(a, b) for pair in zip(runs[0][0].pairs.values(), runs[n][0].pairs.values(),
                   strict=True) for a, b in zip(*pair, strict=True)) for n in (1, 2))  # fmt: skip
    assert same and not other


@pytest.mark.parametrize(
    ("record", "prompts", "reward", "why"),
    [
        (Record((("said", Text(4)),)), PROMPTS, 1.0, "field 'said' is no choice"),
        (Record((("all", ListOf(Record((("said", Text(4)),)))),)), PROMPTS, 1.0, r"field 'all\[\].said' is no choice"),
        (RECORD, [], 1.0, "give one prompt or more"),
        (RECORD, PROMPTS, float("nan"), "prompt 1: the reward is not finite"),
        (Record((("one", Choice(("x",))),)), PROMPTS, 1.0, "leaves nothing to decide"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    backbones: Callable[..., Backbone], record: Record, prompts: list[Prompt], reward: float, why: str
) -> None:
    start = Start.plain(backbones().sites, rank=2)
    with pytest.raises(UnderstudyError, match=why):
        reinforce(backbones(), prompts, record, lambda prompt, values: reward, start, Reinforcement(2, 2))
