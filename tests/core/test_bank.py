"""Many heads on one backbone: the same as one at a time, in value, gradient and learning."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank, HeadStack, active
from understudy.core.errors import UnderstudyError
from understudy.core.heads import Head

NAMES = ["one", "two", "", "one", "three"]


@pytest.fixture
def ids(any_backbone: Backbone) -> Tensor:
    return torch.randint(9, 300, (5, 11), generator=torch.Generator().manual_seed(3))


def stack_of(heads: list[Head]) -> HeadStack:
    stacks = [head.stack().tensors() for head in heads]
    return HeadStack.of_tensors({n: torch.cat([s[n] for s in stacks]).requires_grad_(True) for n in stacks[0]})


def score(backbone: Backbone, ids: Tensor, stack: HeadStack, rows: list[int]) -> Tensor:
    with active(backbone.context, stack.gather(torch.tensor(rows))):
        return backbone.logits(backbone.hidden(ids))


def merged(backbone: Backbone, ids: Tensor, head: Head) -> Tensor:
    """The oracle without any hook: A·B is added to the weights themselves, and taken out again."""
    before = {}
    try:
        for site, (down, up) in head.pairs.items():
            weight = backbone.model.get_parameter(f"{site}.weight")
            before[site] = weight.data.clone()
            delta = down @ up
            weight.data += delta if type(backbone.model.get_submodule(site)).__name__ == "Conv1D" else delta.t()
        with torch.no_grad():
            return backbone.model(ids).logits
    finally:
        for site, weight in before.items():
            backbone.model.get_parameter(f"{site}.weight").data.copy_(weight)


def test_each_row_of_a_batch_gets_its_own_head(
    any_backbone: Backbone, ids: Tensor, new_head: Callable[..., Head]
) -> None:
    heads = {name: new_head(any_backbone, name, seed) for seed, name in enumerate(["one", "two", "three"], 1)}
    bank = HeadBank(any_backbone.sites, rank=4)
    for head in heads.values():
        bank.add(head)
    with torch.no_grad(), active(any_backbone.context, bank.gather(NAMES)):
        together = any_backbone.logits(any_backbone.hidden(ids))
    for row, name in enumerate(NAMES):
        alone = ids[row : row + 1]
        expected = merged(any_backbone, alone, heads[name]) if name else any_backbone.model(alone).logits
        torch.testing.assert_close(
            together[row : row + 1], expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-4
        )
    bare = any_backbone.model(ids).logits
    assert float((together[0] - bare[0]).abs().max()) > 0.1, "a head that changes nothing proves nothing"
    torch.testing.assert_close(together[2], bare[2], atol=1e-5, rtol=1e-4)


def test_gradients_and_two_steps_of_adam_are_those_of_each_head_alone(
    any_backbone: Backbone, ids: Tensor, new_head: Callable[..., Head]
) -> None:
    heads = [new_head(any_backbone, str(seed), seed) for seed in (1, 2, 3)]
    rows = [0, 1, 2, 0, 1]

    def two_steps(stack: HeadStack, ids: Tensor, rows: list[int]) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        flat = stack.tensors()
        adam = torch.optim.Adam(list(flat.values()), lr=1e-2)
        first: dict[str, Tensor] = {}
        for _ in range(2):
            adam.zero_grad()
            logits = score(any_backbone, ids, stack, rows)[:, :-1].flatten(0, 1)
            losses = torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
            losses.view(len(ids), -1).mean(1).sum().backward()
            first = first or {name: t.grad.clone() for name, t in flat.items() if t.grad is not None}
            adam.step()
        return first, flat

    gradients, after = two_steps(stack_of(heads), ids, rows)
    for index, head in enumerate(heads):
        mine = torch.tensor([row == index for row in rows])
        gradient, stepped = two_steps(stack_of([head]), ids[mine], [0] * int(mine.sum()))
        for name in after:
            scale = max(1.0, float(gradient[name].abs().max()))
            torch.testing.assert_close(gradients[name][index], gradient[name][0], atol=1e-5 * scale, rtol=1e-3)
            # Adam divides by the gradient's size: where that is nothing but rounding, its steps are not comparable.
            clear = gradient[name][0].abs() > 1e-4 * scale
            torch.testing.assert_close(after[name][index][clear], stepped[name][0][clear], atol=1e-4, rtol=1e-3)


# Conv1D and Linear; Llama and Qwen normalise in fp32 whatever their weights are, so that differences say little there.
@pytest.mark.parametrize("architecture", ["gpt2", "gpt_neox"])
def test_gradients_are_what_finite_differences_say(architecture: str, new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone(architecture)
    backbone.model.double()
    stack = HeadStack.random(backbone.sites, 3, 2)
    flat = {name: tensor.double() for name, tensor in stack.tensors().items()}
    for number, (name, tensor) in enumerate(flat.items()):
        if name.endswith("|up"):
            tensor.normal_(generator=torch.Generator().manual_seed(number))
        tensor.requires_grad_(True)
    ids = torch.randint(9, 300, (4, 6), generator=torch.Generator().manual_seed(0))
    rows = torch.tensor([0, 2, 0, 1])
    mask = torch.ones(4, 6, dtype=torch.float64)
    mask[1, :3] = 0

    def loss() -> torch.Tensor:
        with active(backbone.context, HeadStack.of_tensors(flat).gather(rows), mask):
            return backbone.logits(backbone.hidden(ids)).log_softmax(-1)[..., 7].mean()

    gradients = dict(zip(flat, torch.autograd.grad(loss(), list(flat.values())), strict=True))
    generator, step = torch.Generator().manual_seed(5), 1e-6
    for name in sorted(flat)[::3]:
        direction = torch.randn(flat[name].shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            flat[name] += step * direction
            above = float(loss())
            flat[name] -= 2 * step * direction
            below = float(loss())
            flat[name] += step * direction
        slope = float((gradients[name] * direction).sum())
        assert (above - below) / (2 * step) == pytest.approx(slope, rel=1e-4, abs=1e-9), name
        assert abs(slope) > 1e-8, f"{name} has no part in it"


def test_heads_beside_each_other_are_heads_gathered(
    any_backbone: Backbone, ids: Tensor, new_head: Callable[..., Head]
) -> None:
    stack = stack_of([new_head(any_backbone, str(seed), seed) for seed in (1, 2)])
    rows = torch.tensor([0, 1, 1, 0, 1])
    pairs, select = stack.beside(rows)
    with torch.no_grad():
        with active(any_backbone.context, pairs, select=select):
            beside = any_backbone.hidden(ids)
        with active(any_backbone.context, stack.gather(rows)):
            torch.testing.assert_close(beside, any_backbone.hidden(ids), atol=1e-4, rtol=1e-4)


def test_heads_in_groups_of_rows_are_heads_gathered(
    any_backbone: Backbone, ids: Tensor, new_head: Callable[..., Head]
) -> None:
    stack = stack_of([new_head(any_backbone, str(seed), seed) for seed in (1, 2)])
    with torch.no_grad():
        with active(any_backbone.context, stack.grouped()):
            grouped = any_backbone.hidden(ids[:4])
        with active(any_backbone.context, stack.gather(torch.tensor([0, 0, 1, 1]))):
            torch.testing.assert_close(grouped, any_backbone.hidden(ids[:4]), atol=1e-4, rtol=1e-4)
        for rows, each in ([0, 0, 1, 1], 2), ([0, 1, 0, 1], 4), ([1, 1, 0, 0], 4), ([0, 0, 0, 1], 4), ([0, 1, 1], 3):
            pairs = stack.of_rows(torch.tensor(rows))
            assert all(len(down) == each for down, _ in pairs.values()), rows
            with active(any_backbone.context, stack.gather(torch.tensor(rows))):
                gathered = any_backbone.hidden(ids[: len(rows)])
            with active(any_backbone.context, pairs):
                torch.testing.assert_close(any_backbone.hidden(ids[: len(rows)]), gathered, atol=1e-4, rtol=1e-4)
        with (
            pytest.raises(UnderstudyError, match="5 rows do not fall into 2 groups"),
            active(any_backbone.context, stack.grouped()),
        ):
            any_backbone.hidden(ids)


def test_a_mask_keeps_a_head_off_the_tokens_before_its_marker(
    any_backbone: Backbone, ids: Tensor, new_head: Callable[..., Head]
) -> None:
    stack = stack_of([new_head(any_backbone)])
    mask = torch.ones(5, 11)
    mask[:, :6] = 0
    with torch.no_grad():
        bare = any_backbone.hidden(ids)
        with active(any_backbone.context, stack.gather(torch.zeros(5, dtype=torch.long)), mask):
            masked = any_backbone.hidden(ids)
        torch.testing.assert_close(any_backbone.hidden(ids), bare)  # off again after the block
    torch.testing.assert_close(masked[:, :6], bare[:, :6], atol=1e-5, rtol=1e-5)
    assert float((masked[:, 6:] - bare[:, 6:]).abs().max()) > 0.01


def test_an_error_in_the_block_leaves_the_backbone_bare(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    with (
        pytest.raises(ZeroDivisionError),
        active(backbone.context, new_head(backbone).stack().gather(torch.tensor([0]))),
    ):
        1 / 0  # noqa: B018
    assert backbone.context.pairs is None


def test_an_unknown_head_raises_and_names_the_known(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    bank = HeadBank(backbones().sites)
    with pytest.raises(UnderstudyError, match="no head named 'qa'.*none"):
        bank.index("qa")
    bank.add(new_head(backbones(), "coder"))
    with pytest.raises(UnderstudyError, match="known heads: coder"):
        bank.gather(["coder", "qa"])


def test_capacity_and_rank_grow_without_touching_the_heads(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    bank = HeadBank(backbone.sites, rank=2)
    heads = [new_head(backbone, f"head {i}", i, rank=1 + i % 5) for i in range(11)]
    assert [bank.add(head) for head in heads] == list(range(1, 12))
    assert bank.names() == tuple(head.name for head in heads)
    assert bank.rank == 5
    ids = torch.arange(9, 20).unsqueeze(0)
    for head in heads:
        with torch.no_grad(), active(backbone.context, bank.gather([head.name])):
            padded = backbone.hidden(ids)
        with torch.no_grad(), active(backbone.context, head.stack().gather(torch.tensor([0]))):
            torch.testing.assert_close(padded, backbone.hidden(ids), atol=1e-5, rtol=1e-5)


def test_a_head_that_comes_again_replaces_the_former(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    backbone = backbones()
    bank = HeadBank(backbone.sites, rank=4)
    bank.add(new_head(backbone, "qa", 1, rank=4))
    second = new_head(backbone, "qa", 2, rank=2)
    assert bank.add(second) == bank.index("qa") == 1
    assert bank.head("qa") is second and bank.head("") is None
    for site, (down, up) in bank.gather(["qa"]).items():
        torch.testing.assert_close(down[0] @ up[0], second.pairs[site][0] @ second.pairs[site][1])


def test_a_head_of_another_backbone_is_refused(
    backbones: Callable[..., Backbone], new_head: Callable[..., Head]
) -> None:
    bank = HeadBank(backbones("llama").sites)
    for other in ("gpt2", "qwen2", "phi"):
        head = new_head(backbones(other), "stranger")
        if set(head.pairs) >= set(bank.sites):
            continue  # the same sites with the same widths: told apart by the digest alone
        with pytest.raises(UnderstudyError, match="head stranger: .*another backbone"):
            bank.add(head)
    narrow = new_head(backbones("llama"), "narrow")
    site = next(iter(bank.sites))
    pairs = {**narrow.pairs, site: (torch.zeros(7, 4), narrow.pairs[site][1])}
    with pytest.raises(UnderstudyError, match=f"site {site}"):
        bank.add(Head("narrow", pairs))
    assert bank.names() == ()


def test_a_stack_and_its_flat_tensors_are_the_same_thing() -> None:
    stack = HeadStack.random({"a": (3, 5), "b": (4, 2)}, heads=2, rank=2, seed=7)
    assert len(stack) == 2
    assert stack.tensors()["a|down"] is stack.down["a"]
    again = HeadStack.of_tensors(stack.tensors())
    assert again.down.keys() == stack.down.keys() and again.up["b"] is stack.up["b"]
    assert not stack.up["a"].any()
    copies = stack.repeat(3)
    assert len(copies) == 3 and copies.down["a"].requires_grad and torch.equal(copies.down["a"][2], stack.down["a"][0])
    picked = stack.pick(1)
    assert torch.equal(picked.down["b"][0], stack.down["b"][1]) and picked.down["b"] is not stack.down["b"]
