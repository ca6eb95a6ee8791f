"""Curves of a training, read back as TensorBoard reads them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from understudy.board import Board
from understudy.core.pretraining import Progress


def test_curves_are_written_every_tenth_step(tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = Board(tmp_path)
    for step in range(1, 31):
        board.pretraining(Progress(step=step, tokens=step * 100, loss=1 / step, right={"qa": step / 100}))
    board.meta(1, [0.5, 0.25])
    board.close()
    read = reading.EventAccumulator(str(tmp_path))
    read.Reload()
    loss = [(event.step, event.value) for event in read.Scalars("pretraining/loss")]
    assert [step for step, _ in loss] == [10, 20, 30] and loss[-1][1] == pytest.approx(1 / 30)
    assert read.Scalars("pretraining/right/qa")[0].value == pytest.approx(0.1)
    assert read.Scalars("meta/query loss after step 2")[0].value == 0.25
    assert "pretraining/cosine" not in read.Tags()["scalars"], "nothing was distilled"


def test_without_tensorboard_a_training_has_no_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    board = Board(tmp_path)
    board.pretraining(Progress(step=10, loss=1.0))
    board.meta(1, [1.0])
    board.close()
    assert not list(tmp_path.iterdir())
