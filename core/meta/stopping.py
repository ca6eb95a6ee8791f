"""Early stopping: on a metric of tasks that nothing is learned from, with patience; the best is kept.

Prechelt 1998 (criterion UP, counted in looks instead of strips).
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import UnderstudyError
from .learner import Tensors


class Stopping:
    """Attributes:
        best: the least metric so far, infinite before the first look.
        kept: copies of what was learned then.
        waited: looks since.

    Args:
        patience: so many looks in a row may bring nothing better.
        least: by so much the metric has to fall to count as better.

    >>> stopping = Stopping(patience=2)
    >>> [stopping.note(loss, {"w": torch.tensor(loss)}) for loss in (3.0, 1.0, 2.0, 1.0)], stopping.over
    ([True, True, False, False], True)
    >>> stopping.kept["w"].item()
    1.0
    """

    def __init__(self, patience: int, least: float = 0.0) -> None:
        self.patience, self.least = patience, least
        self.best, self.waited = math.inf, 0
        self.kept: dict[str, Tensor] = {}

    def note(self, metric: float, tensors: Tensors) -> bool:
        """Take in a look: True where it is the best so far. A metric to be raised is given negative; NaN is no better.

        Args:
            tensors: what is learned, as :attr:`.outer.Outer.learned`; copied where it is the best.
        """
        if not metric < self.best - self.least:
            self.waited += 1
            return False
        self.best, self.waited = metric, 0
        self.kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        return True

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.waited >= self.patience

    @torch.no_grad()
    def put_back(self, tensors: Tensors) -> None:
        """Copy the best into ``tensors``. Raises UnderstudyError where nothing was kept."""
        if not self.kept:
            raise UnderstudyError("no look has brought a metric that is a number", mend="lower the rates")
        for name, tensor in tensors.items():
            tensor.copy_(self.kept[name])

    def save(self, file: Path) -> None:
        """Write all that it knows."""
        flat = {f"kept|{name}": tensor.cpu().contiguous() for name, tensor in self.kept.items()}
        numbers = torch.tensor([self.best, float(self.waited)], dtype=torch.float64)
        save_file({**flat, "numbers": numbers}, file)

    def resume(self, file: Path) -> None:
        """Go on from what :meth:`save` wrote. Raises UnderstudyError where it is missing or broken."""
        try:
            flat = load_file(file)
            self.best, self.waited = float(flat["numbers"][0]), int(flat["numbers"][1])
        except (OSError, SafetensorError, KeyError) as error:
            raise UnderstudyError(f"the looks cannot be read ({error})", where=str(file), mend="begin anew") from error
        self.kept = {name[len("kept|") :]: t for name, t in flat.items() if name.startswith("kept|")}
