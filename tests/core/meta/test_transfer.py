"""Transfer: the merged head is the mean of the products, and the nearest heads are a better start than none."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from understudy.core.adaptation import adapt
from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.heads import Head
from understudy.core.meta.learner import spread
from understudy.core.meta.maml import inner_step
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.meta.transfer import mean_of, merged, nearness, support_losses, transferred
from understudy.core.prompts import Example, Prompt

RECORD = Record((("queue", Choice(("bug", "billing"))),))
WORDS = ("charged", "crashes", "password", "Lima", "euro", "France")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def role(flipped: bool) -> list[Example]:
    """Every other word is a bug, or the others are."""
    return [
        Example(Prompt(message=(("text", f"the {w} again"),)), RECORD, {"queue": "bug" if n % 2 == flipped else
                                                                       "billing"}) for n, w in enumerate(WORDS)
    ]  # fmt: skip


def test_the_nearest_weigh_most() -> None:
    losses = torch.tensor([1.0, 2.0, 4.0, float("nan")])
    torch.testing.assert_close(nearness(losses, 0.5)[:3], torch.softmax(-losses[:3] / 0.5, 0))
    assert float(nearness(losses, 0.5)[3]) == 0
    torch.testing.assert_close(nearness(losses, 0.5, 2)[:2], torch.softmax(torch.tensor([-2.0, -4.0]), 0))
    assert nearness(losses, 0.5, 2)[2:].tolist() == [0, 0] and float(nearness(losses, 1e-3)[0]) == pytest.approx(1)
    with pytest.raises(UnderstudyError, match="no head has a finite loss"):
        nearness(losses[3:])


def test_the_merged_head_is_the_mean_of_the_products() -> None:
    heads = HeadStack({"a": random(3, 9, 2)}, {"a": random(3, 2, 7, seed=1)})
    weights = torch.tensor([0.2, 0.5, 0.3])
    mean = torch.einsum("h,hir,hro->io", weights, heads.down["a"], heads.up["a"])
    whole = merged(heads, weights, 6)
    torch.testing.assert_close(whole.down["a"][0] @ whole.up["a"][0], mean, atol=1e-5, rtol=1e-5)
    best = merged(heads, weights, 2)
    assert best.down["a"].shape == (1, 9, 2) and best.up["a"].shape == (1, 2, 7)
    left = torch.linalg.svdvals(mean)[2:].square().sum().sqrt()
    off = (best.down["a"][0] @ best.up["a"][0] - mean).norm()
    assert float(off) == pytest.approx(float(left), rel=1e-4), "no head of this rank is nearer (Eckart and Young)"
    down, up = (mean_of(side, weights)["a"][0] for side in (heads.down, heads.up))
    assert float((down @ up - mean).norm()) > 1.2 * float(left), "the mean of the factors is something else"
    wide = merged(heads, weights, 20)
    torch.testing.assert_close(wide.down["a"][0] @ wide.up["a"][0], mean, atol=1e-5, rtol=1e-5)
    assert wide.down["a"].shape == (1, 9, 20)


def test_one_head_comes_out_as_it_is_and_factors_do_not_matter() -> None:
    heads = HeadStack({"a": random(1, 9, 2)}, {"a": random(1, 2, 7, seed=1)})
    turn = random(2, 2, seed=3)
    turned = HeadStack({"a": heads.down["a"] @ turn}, {"a": torch.linalg.inv(turn) @ heads.up["a"]})
    both = HeadStack.joined([heads, turned])
    found = merged(both, torch.tensor([0.5, 0.5]), 2)
    torch.testing.assert_close(found.down["a"] @ found.up["a"], heads.down["a"] @ heads.up["a"], atol=1e-4, rtol=1e-4)
    alone = merged(heads, torch.ones(1), 2).down["a"][0]
    assert float(alone.norm()) == pytest.approx(float(heads.down["a"].norm()), rel=1e-4), "A is as long as it was"


def test_what_began_at_one_start_is_averaged_as_it_is() -> None:
    tensors = {"w": random(3, 4, 2)}
    found = mean_of(tensors, torch.tensor([0.5, 0.25, 0.25]))["w"]
    torch.testing.assert_close(found[0], 0.5 * tensors["w"][0] + 0.25 * (tensors["w"][1] + tensors["w"][2]))


def learned(backbone: Backbone, examples: list[Example], start: Start, steps: int = 25) -> HeadStack:
    tasks = head_tasks(backbone, [(examples, examples)])
    rates = {name: torch.tensor(0.2) for name in start.tensors}
    parameters = {name: t.requires_grad_(True) for name, t in spread(start.tensors, 1).items()}
    for _ in range(steps):
        after = inner_step(tasks.support, parameters, rates)
        parameters = {name: t.detach().requires_grad_(True) for name, t in after.items()}
    return HeadStack.of_tensors({name: t.detach() for name, t in parameters.items()})


def test_it_starts_from_the_head_of_the_like_role(backbones: Callable[..., Backbone]) -> None:
    """Two roles that are each other's opposite were learned; a third is as the first, shown by two demonstrations."""
    backbone = backbones()
    plain = Start.plain(backbone.sites, rank=2)
    heads = [Head.of_stack(str(flipped), learned(backbone, role(flipped), plain)) for flipped in (False, True)]
    shown, asked = role(False)[:2], role(False)[2:]
    rates = {name: torch.tensor(0.1) for name in plain.tensors}
    start, weights = transferred(backbone, heads, shown, Start(plain.tensors, rates), temperature=0.05)
    assert weights.argmax() == 0 and float(weights[0]) > 0.9 and len(weights) == 3
    assert start.rates == rates and start.stack().down.keys() == backbone.sites.keys()
    every = [start.stack(), heads[0].stack(), heads[1].stack(), plain.stack()]
    ours, like, unlike, none = support_losses(backbone, HeadStack.joined(every), asked).tolist()
    assert ours < 0.7 * none and ours < 0.5 * unlike and ours == pytest.approx(like, abs=0.1)
    mean, _ = transferred(backbone, heads, shown, temperature=1e6)
    blind = float(support_losses(backbone, mean.stack(), asked))
    assert ours < 0.8 * blind, "without weights there is nothing gained"
    head, _ = adapt(backbone, shown, start, steps=1, layers="all", folds=0, readout=False)
    assert head.rank == 2


def test_heads_that_do_not_go_together_are_refused(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    whole, some = Start.plain(backbone.sites, rank=2), Start.plain(dict(list(backbone.sites.items())[:2]), rank=4)
    with pytest.raises(UnderstudyError, match="the heads are on different sites"):
        transferred(backbone, [whole.stack(), some.stack()], role(False))
    with pytest.raises(UnderstudyError, match="there is no head to start from"):
        transferred(backbone, [], role(False))
    larger = Start.plain(backbone.sites, rank=4)
    found, _ = transferred(backbone, [whole.stack(), larger.stack()], role(False))
    assert all(t.shape[2] == 4 for t in found.stack().down.values())


def test_a_merged_head_s_columns_are_as_long_as_those_of_the_heads_by_their_weights() -> None:
    heads = HeadStack({"a": random(2, 9, 2)}, {"a": random(2, 2, 7, seed=1)})
    heads.down["a"][1] *= 10
    weights = torch.tensor([0.75, 0.25])
    mean = float((weights * heads.down["a"].square().sum((1, 2)) / 2).sum().sqrt())
    for length in merged(heads, weights, 2).down["a"][0].norm(dim=0).tolist():
        assert length == pytest.approx(mean, rel=1e-4)


def test_so_many_heads_count_and_the_product_has_the_rank_that_is_asked_for(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    stacks = [
        HeadStack.of_tensors({name: t + 0.1 * random(*t.shape, seed=seed + i) for i, (name, t) in
                              enumerate(Start.plain(backbone.sites, rank=2).tensors.items())}) for seed in (0, 50, 99)
    ]  # fmt: skip
    found, weights = transferred(backbone, stacks, role(False), temperature=10.0, nearest=2, rank=1)
    assert sorted(weight > 0 for weight in weights.tolist()) == [False, True, True]
    assert all(t.shape[2] == 1 for t in found.stack().down.values())
