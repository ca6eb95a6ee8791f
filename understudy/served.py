"""Served: a prompted model as a decoder, with what it took and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from .core.errors import UnderstudyError
from .endpoint import Endpoint
from .endpoint_values import InvalidAnswer


class Served:
    """A prompted model as a decoder, with what it took.

    Attributes:
        refused: what was said of each call that failed otherwise than by an answer that is not valid.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.refused: list[str] = []
        self._broken: UnderstudyError | None = None

    @property
    def taken(self) -> tuple[int, int, float]:
        """Calls whose first answer was valid, calls that were answered, and the sum of their seconds."""
        return self.endpoint.valid_first, self.endpoint.calls, self.endpoint.seconds

    def submit(self, call: Any, owner: str = "") -> Future[Any]:
        """Put one call in the line; up to four are asked at the same time."""
        future = self.endpoint.submit(call, owner)
        future.add_done_callback(self._note)
        return future

    def decode(self, calls: Sequence[Any], /) -> list[Any]:
        """The replies to ``calls``. Raises UnderstudyError for the first that stays invalid or fails."""
        return [future.result() for future in [self.submit(call) for call in calls]]

    def require_working(self) -> None:
        """Raise UnderstudyError where no call was answered and one failed: the address, key or model is not right."""
        if self._broken is not None:
            raise self._broken

    def close(self) -> None:
        """Give up the calls that wait; nothing can be asked any more."""
        self.endpoint.close()

    def _note(self, future: Future[Any]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None or isinstance(error, InvalidAnswer):
            return
        self.refused.append(str(error))
        if not self.endpoint.calls and isinstance(error, UnderstudyError):
            self._broken = error
