"""The last layer at the decisions alone: states, gradients and second gradients are the whole layer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    MistralConfig,
    OlmoConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    StableLmConfig,
)  # fmt: skip

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.fields import Choice, Record
from understudy.core.last_layer import slots
from understudy.core.meta.learner import spread
from understudy.core.meta.maml import twice_differentiable
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import Trunk, upper_sites

ROWS = torch.tensor([3, 3, 0, 4])
ROW, AT = torch.tensor([0, 3, 1, 3, 3]), torch.tensor([10, 0, 4, 9, 5])
"""Decisions in no order: one row has three, one none."""


def ids_of(length: int = 11) -> Tensor:
    return torch.randint(9, 300, (5, length), generator=torch.Generator().manual_seed(0))


def heads_of(backbone: Backbone) -> HeadStack:
    stack = HeadStack.random({site: backbone.sites[site] for site in upper_sites(backbone)}, 2, 3).repeat(2)
    with torch.no_grad():
        for number, up in enumerate(stack.up.values()):
            up.normal_(generator=torch.Generator().manual_seed(number))
    return stack


@pytest.mark.parametrize(
    ("architecture", "sparse"), [("llama", True), ("qwen2", True), ("gpt2", False), ("phi", False)]
)
@pytest.mark.parametrize("masked", [False, True])
def test_decisions_get_what_the_whole_layer_gives_them(
    backbones: Callable[..., Backbone], architecture: str, sparse: bool, masked: bool
) -> None:
    backbone, ids = backbones(architecture), ids_of()
    stack = heads_of(backbone)
    mask = (torch.arange(11) > 4).float().repeat(4, 1) if masked else None
    trunk = Trunk.of(backbone, ids, stack.down)
    assert trunk is not None and trunk.sparse is sparse
    found = []
    for states in (lambda: trunk.decided(ROWS, ROW, AT), lambda: backbone.hidden(ids[ROWS])[ROW, AT]):
        with active(backbone.context, stack.grouped(), mask), twice_differentiable(True):
            decided = states()
        flat = list(stack.tensors().values())
        first = torch.autograd.grad(decided.pow(2).sum(), flat, create_graph=True)
        second = torch.autograd.grad(sum(one.pow(2).sum() for one in first), flat)
        found.append((decided, *first, *second))
    for mine, whole in zip(*found, strict=True):
        scale = float(whole.detach().abs().max())
        torch.testing.assert_close(mine, whole, atol=1e-4 * max(1, scale), rtol=1e-3)


def test_other_positions_reach_it_by_keys_and_values_alone(backbones: Callable[..., Backbone]) -> None:
    backbone, ids = backbones("llama"), ids_of()
    trunk = Trunk.of(backbone, ids, upper_sites(backbone))
    assert trunk is not None
    reached = []
    handles = [
        trunk.layers[-1].get_submodule(site).register_forward_hook(lambda _, given, __: reached.append(given[0].shape))
        for site in ("self_attn.k_proj", "self_attn.q_proj", "mlp.down_proj")
    ]
    trunk.decided(ROWS, ROW, AT)
    for handle in handles:
        handle.remove()
    assert [tuple(shape) for shape in reached] == [(4, 11, 32), (4, 3, 32), (4, 3, 48)]


LIKE: dict[str, Any] = {
    "vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 48, "max_position_embeddings": 64, "initializer_range": 0.25,
    "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip


def of(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast) -> Backbone:
    torch.manual_seed(0)
    return Backbone.of(AutoModelForCausalLM.from_config(config), tokenizer, config.model_type)


def test_a_window_of_attention_is_kept(tokenizer: PreTrainedTokenizerFast) -> None:
    backbone, ids = of(MistralConfig(**LIKE, sliding_window=4), tokenizer), ids_of(30)
    trunk = Trunk.of(backbone, ids, upper_sites(backbone))
    assert trunk is not None and trunk.sparse
    at = torch.tensor([29, 3, 20, 11, 5])
    torch.testing.assert_close(trunk.decided(ROWS, ROW, at), backbone.hidden(ids[ROWS])[ROW, at], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        Qwen3Config(**LIKE, head_dim=8),  # normalises queries and keys
        StableLmConfig(**LIKE, partial_rotary_factor=0.5),  # turns a part of each
        OlmoConfig(**{**LIKE, "initializer_range": 0.02}, clip_qkv=2.0),  # clips what heads make large
    ],
    ids=lambda config: config.model_type,
)
@pytest.mark.parametrize("length", [2, 11])
def test_architectures_that_only_look_alike_are_run_whole(
    config: PreTrainedConfig, length: int, tokenizer: PreTrainedTokenizerFast
) -> None:
    backbone, ids = of(config, tokenizer), ids_of(length)
    Trunk.of(backbone, ids_of(1), upper_sites(backbone))  # one token tells nothing, and must not settle it
    stack = heads_of(backbone)
    trunk = Trunk.of(backbone, ids, stack.down)
    assert trunk is not None and not trunk.sparse
    at = AT % length
    with active(backbone.context, stack.grouped()):
        given, whole = trunk.decided(ROWS, ROW, at), backbone.hidden(ids[ROWS])[ROW, at]
    torch.testing.assert_close(given, whole, atol=1e-4, rtol=1e-4)


def test_learning_runs_the_last_layer_at_decisions_alone(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones("llama")
    record = Record((("queue", Choice(("bug", "billing"))),))
    shown = [Example(Prompt(message=(("text", f"a {word}"),)), record, {"queue": "bug"}) for word in ("bug", "crash")]
    reached: list[int] = []
    last = backbone.model.get_submodule("model.layers.1.mlp.down_proj")
    sites = upper_sites(backbone)
    tasks = head_tasks(backbone, [(shown, shown)] * 2, sites)
    handle = last.register_forward_hook(lambda _, given, __: reached.append(given[0].shape[1]))
    tasks.query(spread(Start.plain(backbone.sites).on(sites).tensors, 2))
    handle.remove()
    assert reached == [1]


def test_a_layer_that_computes_something_else_is_run_whole(new_backbone: Callable[..., Backbone]) -> None:
    backbone = new_backbone("llama")
    layer = backbone.model.get_submodule("model.layers.1")
    plain = layer.forward
    layer.forward = lambda *given, **named: plain(*given, **named).tanh()
    trunk = Trunk.of(backbone, ids_of(), upper_sites(backbone))
    assert trunk is not None and not trunk.sparse
    whole = backbone.hidden(ids_of()[ROWS])[ROW, AT]
    torch.testing.assert_close(trunk.decided(ROWS, ROW, AT), whole, atol=1e-5, rtol=1e-5)


def test_where_nothing_is_decided_there_is_nothing(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones("llama")
    trunk = Trunk.of(backbone, ids_of(), upper_sites(backbone))
    none = torch.zeros(0, dtype=torch.long)
    assert trunk is not None and trunk.decided(ROWS, none, none).shape == (0, 32)
    assert slots(none, 0)[1] == 1
