"""Attention: PyTorch's fused kernel, in the precision in which it is fast.

    softmax(q kᵀ · s + causal) v

Learning runs in bf16, in which the kernel's backward pass takes three times as long as in fp32 on a CPU when rows are
as short as demonstrations are (benchmarks/heads.py). The choice is made at each call, so that a thread that learns
changes nothing for one that decodes with the same model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

KERNEL = "understudy"
LONGEST = 256
"""Rows with more tokens are as fast in bf16."""


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **more: Any
) -> tuple[Tensor, None]:
    """Transformers' attention function: query [B, H, T, d], key and value [B, H', S, d] → [B, T, H, d]."""
    narrow = query.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu")
    if not narrow or query.device.type != "cpu" or key.shape[2] > LONGEST:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **more)
    if attention_mask is not None and attention_mask.is_floating_point():
        attention_mask = attention_mask.float()
    with torch.autocast("cpu", enabled=False):
        out, _ = sdpa_attention_forward(module, query.float(), key.float(), value.float(), attention_mask, **more)
    return out.to(value.dtype), None


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021): x [..., T, d], the halves of which are the two parts of each pair."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


def choose_kernel(model: PreTrainedModel) -> None:
    """Have ``model`` attend by :func:`attention`, where it takes PyTorch's kernel now and can be given another."""
    config: Any = model.config
    if config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(KERNEL, attention)
    AttentionMaskInterface.register(KERNEL, sdpa_mask)
    try:
        model.set_attn_implementation(KERNEL)
    except ValueError:  # a model that knows PyTorch's kernel alone
        return
