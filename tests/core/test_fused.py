"""The fused layers against transformers' own, module by module."""

from collections.abc import Callable

import pytest
import torch
from torch._dynamo.exc import TorchDynamoException
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.fused import FusedLayers, layer
from understudy.core.release import Shape, new_backbone


@pytest.fixture
def backbone(tokenizer: Fast) -> Backbone:
    made = new_backbone(Shape(len(tokenizer), 32, 2, 2, 48), tokenizer, "tiny")
    generator = torch.Generator().manual_seed(1)
    for parameter in made.model.parameters():  # the circuit's zeros would hide a map that is left out
        parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return made


def heads_of(backbone: Backbone) -> HeadStack:
    heads = HeadStack.random(backbone.sites, 3, 2)
    for number, tensor in enumerate(heads.up.values()):
        tensor.normal_(generator=torch.Generator().manual_seed(number))
    return heads


def compare(backbone: Backbone, fused: FusedLayers, heads: HeadStack | None) -> None:
    ids = torch.randint(9, 300, (4, 13), generator=torch.Generator().manual_seed(2))
    pairs, select = heads.beside(torch.tensor([0, 2, 1, 2])) if heads else (None, None)
    backbone.model.requires_grad_(True)
    gradients = []
    for own in (True, False):
        backbone.model.zero_grad()
        if own:
            states = fused.hidden(ids, pairs, select)
        else:
            with active(backbone.context, pairs, select=select):
                states = backbone.hidden(ids)
        states.pow(2).sum().backward()
        gradients.append((states.detach(), {n: p.grad.clone() for n, p in backbone.model.named_parameters()}))
    (states, mine), (wanted, theirs) = gradients
    torch.testing.assert_close(states, wanted, atol=1e-5, rtol=1e-5)
    for name, gradient in theirs.items():
        torch.testing.assert_close(mine[name], gradient, atol=1e-3, rtol=1e-3, msg=name)


@pytest.mark.parametrize("adapted", [True, False])
def test_states_and_gradients_are_those_of_the_model(backbone: Backbone, adapted: bool) -> None:
    compare(backbone, FusedLayers(backbone.model, compiled=False), heads_of(backbone) if adapted else None)


@pytest.mark.parametrize("kernel", [False, True])
def test_where_something_is_decided_alone_states_and_gradients_are_the_same(backbone: Backbone, kernel: bool) -> None:
    fused = FusedLayers(backbone.model, compiled=False)
    if kernel:
        fused._layer = lambda *inputs: layer(*inputs[:-1], True)
    heads = heads_of(backbone)
    ids = torch.randint(9, 300, (4, 13), generator=torch.Generator().manual_seed(2))
    row, at = torch.tensor([0, 2, 2, 0, 2, 3]), torch.tensor([12, 3, 1, 0, 7, 5])
    tensors = {name: tensor.requires_grad_(True) for name, tensor in heads.tensors().items()}
    found = []
    for decided in (None, (row, at)):
        pairs, select = heads.beside(torch.tensor([0, 2, 1, 2]))
        states = fused.hidden(ids, pairs, select, decided)
        states = states if decided else states[row, at]
        gradients = torch.autograd.grad(states.pow(2).sum(), list(tensors.values()))
        found.append((states.detach(), gradients))
    (whole, wanted), (some, mine) = found
    assert some.shape == (6, 32)
    torch.testing.assert_close(some, whole, atol=1e-6, rtol=1e-5)
    for one, other in zip(mine, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_the_fused_kernel_attends_alike(backbone: Backbone) -> None:
    """What a GPU takes, here on the CPU."""
    fused = FusedLayers(backbone.model, compiled=False)
    fused._layer = lambda *inputs: layer(*inputs[:-1], True)
    compare(backbone, fused, heads_of(backbone))


@pytest.mark.slow
def test_compiled_they_are_the_same(backbone: Backbone) -> None:
    compare(backbone, FusedLayers(backbone.model), heads_of(backbone))


def test_without_a_compiler_the_same_function_runs(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = FusedLayers(backbone.model, compiled=False)

    def broken(*inputs: object) -> torch.Tensor:
        raise TorchDynamoException("no g++ here")

    monkeypatch.setattr(fused, "_layer", broken)
    compare(backbone, fused, None)


def test_only_models_that_it_computes_are_fused(backbones: Callable[..., Backbone], backbone: Backbone) -> None:
    assert FusedLayers.able(backbone.model)
    for other in ("gpt2", "llama", "qwen2"):  # the tiny llama here shares keys among its heads
        assert not FusedLayers.able(backbones(other).model)
