"""How far a training is: a bar on stderr, or a line now and then where that is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .cli_support import complain, stderr

if TYPE_CHECKING:
    from .core.pretraining import Progress as Standing


class TrainingBar:
    """Pretraining, then meta-training, as one bar; without a terminal a line on stderr every minute."""

    def __init__(self, pretraining: float, meta: float) -> None:
        self.minutes = (pretraining, meta)
        self.console = stderr()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task = self.progress.add_task("reading the data", total=pretraining + meta)
        self.told = 0.0

    @contextmanager
    def shown(self) -> Iterator[TrainingBar]:
        """The bar, on the screen inside the ``with`` block."""
        with self.progress:
            yield self

    def teacher(self, done: int, of: int) -> None:
        """Say how many sentences a teacher has read."""
        self._at(0, f"the teacher has read {done:,} of {of:,} sentences")

    def pretraining(self, standing: Standing) -> None:
        """Say how far pretraining is."""
        self._at(standing.seconds / 60, f"pretraining, step {standing.step}, loss {standing.loss:.3f}")

    def meta(self, step: int, seconds: float, losses: Any) -> None:
        """Say how far meta-training is."""
        self._at(self.minutes[0] + seconds / 60, f"meta-training, step {step}")

    def _at(self, minutes: float, what: str) -> None:
        self.progress.update(self.task, completed=minutes, description=what)
        if self.progress.disable and minutes - self.told >= 1:
            self.told = minutes
            complain(f"{minutes:.0f} of {sum(self.minutes):.0f} minutes: {what}")
