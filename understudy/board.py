"""TensorBoard: how a training goes, as curves; nothing where TensorBoard is not installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.pretraining import Progress

EVERY = 10


class Board:
    """Writes scalars into ``folder`` (``tensorboard --logdir FOLDER``), every tenth step of pretraining.

    A training that goes on after a kill goes on with its curves, because steps are counted through.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # it is in the extra `train`
            return
        self._writer = SummaryWriter(str(folder))

    def pretraining(self, standing: Progress) -> None:
        """Loss, cosine to the teacher, tokens so far, and of each stream the share of rows that were right."""
        if self._writer and standing.step % EVERY == 0:
            values = {"loss": standing.loss, "cosine": standing.cosine, "tokens": standing.tokens}
            values |= {f"right/{name}": share for name, share in standing.right.items()}
            for name, value in values.items():
                if value == value:
                    self._writer.add_scalar(f"pretraining/{name}", value, standing.step)

    def meta(self, step: int, losses: Sequence[float]) -> None:
        """The query loss after each inner step."""
        if self._writer:
            for number, loss in enumerate(losses, start=1):
                self._writer.add_scalar(f"meta/query loss after step {number}", loss, step)

    def close(self) -> None:
        """Write what is still in memory."""
        if self._writer:
            self._writer.close()
