"""Early stopping: when it ends, what it keeps, what a saved one knows."""

import math
from pathlib import Path

import pytest
import torch

from understudy.core.errors import UnderstudyError
from understudy.core.meta.stopping import Stopping


def test_it_waits_and_keeps_the_best() -> None:
    stopping = Stopping(patience=3)
    learned = {"w": torch.zeros(2, requires_grad=True)}
    for step, metric in enumerate((5.0, 3.0, 4.0, 3.0, 2.0, math.nan, 2.5, 2.0)):
        assert not stopping.over
        with torch.no_grad():
            learned["w"].fill_(step)
        assert stopping.note(metric, learned) == (step in (0, 1, 4))
    assert stopping.over and stopping.best == 2.0
    assert learned["w"].tolist() == [7, 7], "what it keeps is a copy"
    stopping.put_back(learned)
    assert learned["w"].tolist() == [4, 4] and learned["w"].requires_grad


def test_a_little_better_can_be_no_better() -> None:
    stopping = Stopping(patience=2, least=0.5)
    assert [stopping.note(metric, {}) for metric in (3.0, 2.6, 2.4, 2.0)] == [True, False, True, False]


def test_a_saved_one_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "looks.safetensors"
    first, second = Stopping(patience=2), Stopping(patience=2)
    first.note(1.25, {"w": torch.tensor([1.0])})
    first.note(2.0, {"w": torch.tensor([2.0])})
    first.save(file)
    second.resume(file)
    assert (second.best, second.waited, second.kept["w"].tolist()) == (1.25, 1, [1.0])
    second.note(1.5, {"w": torch.tensor([3.0])})
    assert second.over
    with pytest.raises(UnderstudyError, match="the looks cannot be read"):
        second.resume(tmp_path / "none.safetensors")
    with pytest.raises(UnderstudyError, match="no look has brought a metric that is a number"):
        Stopping(patience=1).put_back({"w": torch.zeros(1)})
