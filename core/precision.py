"""Precision: the number format in which this machine trains faster."""

from __future__ import annotations

import time
from functools import cache

import torch
from torch.nn import functional as F

ROWS, WIDTH, WIDER = 2048, 256, 1024
"""A linear map as a small backbone has many."""


@cache
def fast_precision(device: str) -> torch.dtype:
    """bf16 on an accelerator that has it; on a CPU the faster of bf16 and fp32, measured once: the chip decides.

    On a CPU with AVX512-BF16 a training step was 1.4 times as fast in fp32.
    """
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device != "cpu":
        return torch.float32
    return min((torch.bfloat16, torch.float32), key=_seconds)


def _seconds(precision: torch.dtype) -> float:
    """The least of five times of a linear map, forth and back."""
    x = torch.randn(ROWS, WIDTH, dtype=precision, requires_grad=True)
    weight = torch.randn(WIDER, WIDTH, dtype=precision, requires_grad=True)
    times = []
    for _ in range(6):
        began = time.perf_counter()
        F.silu(F.linear(x, weight)).sum().backward()
        times.append(time.perf_counter() - began)
    return min(times[1:])
