"""The faster number format is found by measuring, once."""

from collections.abc import Iterator

import pytest
import torch

from understudy.core import precision
from understudy.core.precision import FEW_ROWS, IMITATED, ROWS, adapting_precision, fast_precision


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    for found in (fast_precision, adapting_precision):
        found.cache_clear()
    yield
    for found in (fast_precision, adapting_precision):
        found.cache_clear()


@pytest.mark.parametrize("fast", [torch.bfloat16, torch.float32])
def test_the_faster_one_is_taken_and_measured_once(fast: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.dtype] = []

    def seconds(of: torch.dtype, rows: int = ROWS) -> float:
        if rows == ROWS:
            asked.append(of)
        return 1.0 if of is fast else 2.0

    monkeypatch.setattr(precision, "_seconds", seconds)
    assert fast_precision("cpu") is fast and fast_precision("cpu") is fast
    assert asked == [torch.bfloat16, torch.float32]


@pytest.mark.parametrize(("times", "taken"), [(IMITATED - 1, torch.bfloat16), (33.0, torch.float32)])
def test_heads_are_adapted_in_bf16_unless_it_is_imitated(
    times: float, taken: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def seconds(of: torch.dtype, rows: int = ROWS) -> float:
        asked.append(rows)
        return times if of is torch.bfloat16 else 1.0

    monkeypatch.setattr(precision, "_seconds", seconds)
    assert adapting_precision() is taken and adapting_precision() is taken
    assert asked == [FEW_ROWS, FEW_ROWS]
    if taken is torch.float32:  # the long measurement, seconds on such a chip, is spared
        assert fast_precision("cpu") is torch.float32 and ROWS not in asked


def test_times_are_measured() -> None:
    with torch.no_grad():  # as an optimiser asks
        assert 0 < precision._seconds(torch.float32) < 10
    assert fast_precision("mps") is torch.float32
