"""The attention kernel is chosen call by call: the same numbers as transformers' own, in any mode."""

from collections.abc import Callable

import pytest
import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from understudy.core.attention import KERNEL, LONGEST, attention, choose_kernel
from understudy.core.backbone import Backbone


def rows(length: int, kind: torch.dtype, kept: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    shapes = ((2, 4, length, 8), (2, kept, length, 8), (2, kept, length, 8))
    return [torch.randn(shape, generator=generator).to(kind).requires_grad_(True) for shape in shapes]


class Layer(torch.nn.Module):
    num_key_value_groups = 2
    is_causal = True


@pytest.mark.parametrize("masked", [False, True])
def test_in_bf16_it_is_transformers_own_attention_and_its_gradient(masked: bool) -> None:
    """Closer to the fp32 result than the kernel in bf16 is."""
    three = rows(17, torch.bfloat16)
    mask = torch.ones(17, 17, dtype=torch.bool).tril().expand(2, 1, 17, 17) if masked else None
    exact = [one.detach().float().requires_grad_(True) for one in three]
    found = []
    for ours, some in ((attention, three), (sdpa_attention_forward, three), (sdpa_attention_forward, exact)):
        out, _ = ours(Layer(), *some, mask)
        found.append([out.detach(), *torch.autograd.grad(out.float().pow(2).sum(), some)])
    assert found[0][0].dtype == torch.bfloat16
    for mine, narrow, wide in zip(*found, strict=True):
        assert float((mine.float() - wide).abs().max()) <= float((narrow.float() - wide).abs().max()) + 1e-3
        torch.testing.assert_close(mine.float(), wide, atol=3e-2, rtol=3e-2)


def test_under_autocast_it_stays_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = torch.nn.functional.scaled_dot_product_attention

    def noted(query: torch.Tensor, *others: object, **more: object) -> torch.Tensor:
        seen.append((query.dtype, torch.is_autocast_enabled("cpu")))
        return plain(query, *others, **more)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", noted)
    with torch.autocast("cpu", torch.bfloat16):
        attention(Layer(), *rows(8, torch.float32), None)
        attention(Layer(), *rows(LONGEST + 1, torch.bfloat16), None)
    attention(Layer(), *rows(8, torch.float32), None)
    assert seen == [(torch.float32, False), (torch.bfloat16, True), (torch.float32, False)]


def test_every_backbone_attends_by_it_and_gives_the_same_states(any_backbone: Backbone) -> None:
    model = any_backbone.model
    assert model.config._attn_implementation == KERNEL
    ids = torch.randint(9, 300, (3, 12), generator=torch.Generator().manual_seed(0))
    mask = torch.ones(3, 12, dtype=torch.long)
    mask[0, :4] = 0
    with torch.no_grad():
        mine = any_backbone.hidden(ids, attention_mask=mask)
        model.set_attn_implementation("sdpa")
        theirs = any_backbone.hidden(ids, attention_mask=mask)
    choose_kernel(model)
    torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-6)
    assert model.config._attn_implementation == KERNEL and AttentionInterface()[KERNEL] is attention


def test_a_model_that_was_given_another_kernel_keeps_it(new_backbone: Callable[..., Backbone]) -> None:
    model = new_backbone("llama").model
    model.set_attn_implementation("eager")
    choose_kernel(model)
    assert model.config._attn_implementation == "eager"
