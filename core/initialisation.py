"""Initialisation that already looks back: previous-token heads and the induction heads that build on them.

A transformer from nothing needs hundreds of millions of tokens before it copies from its prompt (Olsson et al. 2022).
The circuit is known, so it can be written down as initial weights, which training is free to change (mimetic
initialisation, Trockman and Kolter 2023):

    layer 0   head 0 looks one token back, head 1 two:  b_q = Rot(−δ θ) b_k, so that q_i·k_j peaks at j = i − δ
    layer 1   head 0: q reads the token, k the token before it    →  looks at what followed the same token earlier
              head 1: q reads the token before, k the one two before
              both copy what they look at into the residual stream

Names match by a random projection; only slowly turning RoPE pairs carry it, so that it holds at any distance.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

FAST = 7
"""RoPE pairs that turn fast enough to tell neighbouring positions apart."""


def _orthonormal(rows: int, wide: int, generator: torch.Generator) -> Tensor:
    columns: Tensor = torch.linalg.qr(torch.randn(wide, rows, generator=generator))[0]
    return columns.t().contiguous()


@torch.no_grad()
def look_back(model: PreTrainedModel, seed: int = 0) -> None:
    """Write the circuit into the first two layers of a Llama-like model with biases on its attention.

    All output projections begin at zero, so that nothing else writes before it has learned what.
    """
    config = model.config
    wide, heads = config.hidden_size, config.num_attention_heads
    size = wide // heads
    half = size // 2
    generator = torch.Generator().manual_seed(seed)
    layers: Any = model.base_model.layers
    for layer in layers:
        for output in (layer.self_attn.o_proj, layer.mlp.down_proj):
            output.weight.zero_()
            if output.bias is not None:
                output.bias.zero_()
    slow = [pair for pair in range(half) if _angle(config, pair, size) < 0.01]
    places = [*slow, *(pair + half for pair in slow)]
    names = _orthonormal(len(places), wide, generator)
    embedding: Any = model.get_input_embeddings()
    inside = float(embedding.weight.norm(dim=1).mean())
    written = inside / (wide**0.5 * (len(places) / wide) ** 0.5)
    spaces = [_orthonormal(len(places), wide, generator) for _ in range(2)]
    first = layers[0].self_attn
    for head, back in enumerate((1, 2)):
        rows = slice(head * size, (head + 1) * size)
        for projection in (first.q_proj, first.k_proj):
            projection.weight[rows] *= 0.1
            projection.bias[rows] = 0
        for pair in range(FAST):
            angle = torch.tensor(_angle(config, pair, size) * back)
            first.k_proj.bias[head * size + pair] = 7.0
            first.q_proj.bias[head * size + pair] = 7.0 * torch.cos(angle)
            first.q_proj.bias[head * size + pair + half] = -7.0 * torch.sin(angle)
        first.v_proj.weight[rows] = 0
        first.v_proj.weight[head * size : head * size + len(places)] = names
        first.o_proj.weight[:, head * size : head * size + len(places)] = written * spaces[head].t()
    second = layers[1].self_attn
    readers = ((names, spaces[0]), (spaces[0], spaces[1]))
    for head, (query, key) in enumerate(readers):
        rows = slice(head * size, (head + 1) * size)
        second.q_proj.weight[rows] = 0
        second.k_proj.weight[rows] = 0
        second.q_proj.weight[[head * size + place for place in places]] = 1.5 * query
        second.k_proj.weight[[head * size + place for place in places]] = 1.5 * key
        copied = _orthonormal(size, wide, generator)
        second.v_proj.weight[rows] = copied
        second.o_proj.weight[:, rows] = 0.1 * copied.t()


def _angle(config: object, pair: int, size: int) -> float:
    parameters = getattr(config, "rope_parameters", None) or {}
    base = float(parameters.get("rope_theta", getattr(config, "rope_theta", 10_000.0)))
    return float(base ** (-2 * pair / size))
