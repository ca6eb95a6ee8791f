"""The faster number format is found by measuring, once."""

from collections.abc import Iterator

import pytest
import torch

from understudy.core import precision
from understudy.core.precision import fast_precision


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    fast_precision.cache_clear()
    yield
    fast_precision.cache_clear()


@pytest.mark.parametrize("fast", [torch.bfloat16, torch.float32])
def test_the_faster_one_is_taken_and_measured_once(fast: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.dtype] = []

    def seconds(of: torch.dtype) -> float:
        asked.append(of)
        return 1.0 if of is fast else 2.0

    monkeypatch.setattr(precision, "_seconds", seconds)
    assert fast_precision("cpu") is fast and fast_precision("cpu") is fast
    assert asked == [torch.bfloat16, torch.float32]


def test_times_are_measured() -> None:
    assert 0 < precision._seconds(torch.float32) < 10
    assert fast_precision("mps") is torch.float32
