"""Precision: the number formats in which this machine trains and adapts fast."""

from __future__ import annotations

from functools import cache
from time import perf_counter

import torch
from torch.nn import functional as F

ROWS, WIDTH, WIDER = 2048, 256, 1024
"""A linear map as a small backbone has many."""
FEW_ROWS = 64
IMITATED = 4.0
"""How many times as slow as fp32 bf16 is, at least, where a CPU has no instructions for it (33 times with AVX2)."""


@cache
def fast_precision(device: str) -> torch.dtype:
    """bf16 on an accelerator that has it; on a CPU the faster of bf16 and fp32, measured once: the chip decides.

    On a CPU with AVX512-BF16 a training step was 1.4 times as fast in fp32.
    """
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device != "cpu":
        return torch.float32
    if adapting_precision() is torch.float32:  # which is known sooner
        return torch.float32
    return min((torch.bfloat16, torch.float32), key=_seconds)


@cache
def adapting_precision() -> torch.dtype:
    """bf16, in which heads are adapted; fp32 on a CPU that only imitates it, measured once in a tenth of a second."""
    imitated = _seconds(torch.bfloat16, FEW_ROWS) > IMITATED * _seconds(torch.float32, FEW_ROWS)
    return torch.float32 if imitated else torch.bfloat16


@torch.enable_grad()
def _seconds(precision: torch.dtype, rows: int = ROWS) -> float:
    """The least of five times of a linear map, forth and back, on one thread: others may be busy elsewhere."""
    x = torch.randn(rows, WIDTH, dtype=precision, requires_grad=True)
    weight = torch.randn(WIDER, WIDTH, dtype=precision, requires_grad=True)
    times = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(6):
            began = perf_counter()
            F.silu(F.linear(x, weight)).sum().backward()
            times.append(perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return min(times[1:])
