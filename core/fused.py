"""Fused layers: the layers of a Llama-like model as one pure function, compiled, for training.

    h = x + O(softmax(Rot(Q n) Rot(K n)ᵀ / √d + causal) V n),   n = RMSNorm(x)
    y = h + D(silu(G m) ⊙ U m),                                 m = RMSNorm(h)
    every map W z becomes  W z + ((z A) ⊙ select) B             (the heads side by side, HeadStack.beside)

Module by module, half of a training step goes into small elementwise passes over memory; as one function they are fused
(torch.compile), and because weights and heads are arguments, one compiled function serves all layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch.nn import functional as F
from transformers import LlamaForCausalLM, PreTrainedModel

from .attention import rotate
from .bank import Pair
from .last_layer import slots

SITES = (
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
)  # fmt: skip
Sites = tuple[tuple[Tensor, Tensor | None, Tensor | None, Tensor | None], ...]
Places = tuple[Tensor, Tensor]
"""Rows and positions of decisions, [M] each."""
STEP = 8
"""The most decisions of a row are rounded up to a multiple: CPU kernels are made once a shape."""


def _norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    wide = x.float()
    return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype)


def layer(
    x: Tensor, cos: Tensor, sin: Tensor, select: Tensor | None, norms: tuple[Tensor, Tensor], sites: Sites,
    heads: int, eps: float, at: Tensor | None = None, kernel: bool = False,
) -> Tensor:  # fmt: skip
    """One layer: x [B, T, D] → [B, T, D]. ``cos``, ``sin`` [T, d]; ``select`` [B, 1, H·R]; ``sites`` (W, b, A, B).

    ``at`` [B, P]: the positions alone at which the layer is wanted, → [B, P, D] (see :mod:`.last_layer`).
    ``kernel``: attend by PyTorch's fused kernel, which is faster on a GPU.
    """
    rows, length, width = x.shape

    def apply(site: int, z: Tensor) -> Tensor:
        weight, bias, down, up = sites[site]
        out = F.linear(z, weight, bias)
        if down is None or up is None or select is None:
            return out
        return out + ((z @ down) * select) @ up

    def split(z: Tensor) -> Tensor:
        return z.view(rows, -1, heads, width // heads).transpose(1, 2)

    n = here = _norm(x, norms[0], eps)
    later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
    turned = cos, sin
    if at is not None:
        x, here = (z.gather(1, at.unsqueeze(-1).expand(-1, -1, width)) for z in (x, n))
        turned = cos[at].unsqueeze(1), sin[at].unsqueeze(1)
        later = later[at].unsqueeze(1)
    query, key, value = split(apply(0, here)), split(apply(1, n)), split(apply(2, n))
    query, key = rotate(query, *turned), rotate(key, cos, sin)
    if kernel and at is None:
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    elif kernel:
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=~later)
    else:
        scores = query @ key.transpose(2, 3) * (width // heads) ** -0.5
        seen = scores.float().masked_fill(later, float("-inf")).softmax(-1).to(x.dtype) @ value
    h = x + apply(3, seen.transpose(1, 2).reshape(rows, -1, width))
    m = _norm(h, norms[1], eps)
    return h + apply(6, F.silu(apply(4, m)) * apply(5, m))


def places(row: Tensor, at: Tensor, rows: int) -> Places:
    """Each decision's number in its row [M], and the positions row by row [B, P], filled up with the first token."""
    number, most = slots(row, rows)
    found = torch.zeros(rows, -(-most // STEP) * STEP, dtype=torch.long, device=row.device)
    found[row, number] = at
    return number, found


class FusedLayers:
    """Hidden states of a Llama model, as :meth:`.backbone.Backbone.hidden` has them, by the compiled :func:`layer`.

    Args:
        model: the model whose weights are used, as they are at each call.
        compiled: False runs the same function uncompiled.
    """

    def __init__(self, model: PreTrainedModel, compiled: bool = True) -> None:
        self.model: Any = model
        self._layer: Callable[..., Tensor] = torch.compile(layer, dynamic=True) if compiled else layer

    def _apply(self, *inputs: Any) -> Tensor:
        try:
            return self._layer(*inputs)
        except TorchDynamoException:  # no compiler on this machine: the same function, slower
            self._layer = layer
            return layer(*inputs)

    @staticmethod
    def able(model: PreTrainedModel) -> bool:
        """Whether the function computes what this model does."""
        config: Any = model.config
        return (
            isinstance(model, LlamaForCausalLM)
            and config.num_key_value_heads == config.num_attention_heads
            and config.hidden_act == "silu"
        )

    def hidden(
        self, ids: Tensor, pairs: Mapping[str, Pair] | None = None, select: Tensor | None = None,
        decided: Places | None = None,
    ) -> Tensor:  # fmt: skip
        """Last hidden states [B, T, D] of ids [B, T], with the heads of :meth:`.bank.HeadStack.beside`.

        ``decided``: rows [M] and positions [M] at which alone they are wanted, → [M, D].
        """
        number, at = None, None
        if decided is not None:
            number, at = places(*decided, len(ids))
        body, config = self.model.model, self.model.config
        x: Tensor = body.embed_tokens(ids)
        cos, sin = body.rotary_emb(x, torch.arange(ids.shape[1], device=ids.device).unsqueeze(0))
        chosen = None if select is None else select.unsqueeze(1).to(x.dtype)
        for depth, block in enumerate(body.layers):
            sites = []
            for name in SITES:
                module = block.get_submodule(name)
                down, up = pairs[f"model.layers.{depth}.{name}"] if pairs else (None, None)
                sites.append((
                    module.weight, module.bias,
                    None if down is None else down.to(x.dtype), None if up is None else up.to(x.dtype),
                ))  # fmt: skip
            norms = block.input_layernorm.weight, block.post_attention_layernorm.weight
            x = self._apply(
                x, cos[0], sin[0], chosen, norms, tuple(sites), config.num_attention_heads, config.rms_norm_eps,
                at if depth == len(body.layers) - 1 else None, x.is_cuda,
            )
        if decided is not None:
            x = x[decided[0], number]
        return _norm(x, body.norm.weight, config.rms_norm_eps)
