"""The last layer where something is decided, and nowhere else.

    h[p] = x[p] + O(softmax(q[p] Kᵀ / √d + causal) V),   K, V from all positions, q from the positions p alone
    y[p] = h[p] + D(silu(G m) ⊙ U m),                    m = norm(h[p])

What the last layer gives at other positions is read by nobody. A demonstration of 40 tokens with one decision costs
there what its keys and values cost, a sixth of the layer; so do its gradients, and theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .attention import attention, rotate
from .bank import CallContext, active

_PARTS = (
    "input_layernorm", "post_attention_layernorm", "mlp",
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
)  # fmt: skip


def able(layer: nn.Module, keywords: Mapping[str, Any]) -> bool:
    """Whether the layer has the parts of a Llama-like one, and was called as such; whether it computes the same is to
    be measured."""
    parts = {name for name, _ in layer.named_modules()}
    rotation = keywords.get("position_embeddings")
    return parts.issuperset(_PARTS) and isinstance(rotation, tuple) and len(rotation) == 2


def slots(row: Tensor, rows: int) -> tuple[Tensor, int]:
    """For decisions in the rows ``row`` [M]: each one's number in its row [M], and the most that a row has, 1 at least.

    >>> slots(torch.tensor([0, 2, 2, 0, 2]), 3)
    (tensor([0, 0, 1, 1, 2]), 3)
    """
    counts = torch.bincount(row, minlength=rows)
    order = row.argsort(stable=True)
    numbers = torch.empty_like(row)
    numbers[order] = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row[order]]
    return numbers, max([1, *counts.tolist()])


def last_layer(
    layer: nn.Module, states: Tensor, row: Tensor, at: Tensor, keywords: Mapping[str, Any], context: CallContext
) -> Tensor:
    """What the layer gives for states [B, T, D] at the positions ``at`` [M] of the rows ``row`` [M]: [M, D].

    Args:
        keywords: with which the layer is called; ``position_embeddings`` and ``attention_mask`` are used.
        context: the heads that are active, whose terms come by the layer's own hooks.
    """
    block: Any = layer
    count, length = states.shape[:2]
    number, most = slots(row, count)
    places = torch.zeros(count, most, dtype=torch.long, device=states.device)  # [B, P], filled up with the first token
    places[row, number] = at
    cos, sin = (one.expand(count, -1, -1) for one in keywords["position_embeddings"])

    def split(z: Tensor) -> Tensor:
        return z.view(count, z.shape[1], -1, block.self_attn.head_dim).transpose(1, 2)

    def here(z: Tensor) -> Tensor:
        return z.gather(1, places.unsqueeze(-1).expand(-1, -1, z.shape[-1]))

    normed = block.input_layernorm(states)
    key = rotate(split(block.self_attn.k_proj(normed)), cos.unsqueeze(1), sin.unsqueeze(1))
    value = split(block.self_attn.v_proj(normed))
    mask = None if context.mask is None else context.mask.gather(1, places)
    with active(context, context.pairs, mask, context.select):
        query = split(block.self_attn.q_proj(here(normed)))
        query = rotate(query, here(cos).unsqueeze(1), here(sin).unsqueeze(1))
        seen = _seen(keywords.get("attention_mask"), places, length)
        read, _ = attention(block.self_attn, query, key, value, seen, scaling=block.self_attn.scaling)
        states = here(states) + block.self_attn.o_proj(read.flatten(2))
        states = states + block.mlp(block.post_attention_layernorm(states))
    return states[row, number]


def _seen(mask: Tensor | None, places: Tensor, length: int) -> Tensor:
    """[B, 1, P, T]: the mask's lines of the places; where there is none, each sees what stands before it and itself."""
    if mask is None:
        return (torch.arange(length, device=places.device) <= places.unsqueeze(-1)).unsqueeze(1)
    lines = mask.expand(len(places), *mask.shape[1:])
    return lines.gather(2, places[:, None, :, None].expand(-1, lines.shape[1], -1, lines.shape[-1]))
