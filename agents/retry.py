"""Retries: how often a failed call is made again, and after what pause."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """A policy.

    Attributes:
        attempts: calls in all, the first among them.
        wait: seconds before the second call; each later pause is ``factor`` times as long, to ``longest``.
        on: the errors after which it is worth trying again.
    """

    attempts: int = 3
    wait: float = 0.1
    factor: float = 2.0
    longest: float = 10.0
    on: tuple[type[Exception], ...] = (Exception,)


async def attempt(call: Callable[[int], Awaitable[T]], retry: Retry | None) -> T:
    """``await call(1)``, after a failure ``call(2)`` and so on as ``retry`` says; raises the last error.

    Tenacity is entered only once the first call has failed: a policy costs more than a whole delivery.
    """
    try:
        return await call(1)
    except Exception as error:
        if retry is None or retry.attempts < 2 or not isinstance(error, retry.on):
            raise
        return await _again(call, retry, error)


async def _again(call: Callable[[int], Awaitable[T]], retry: Retry, first: Exception) -> T:
    import tenacity

    policy = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(retry.attempts),
        wait=tenacity.wait_exponential(retry.wait, retry.longest, retry.factor),
        retry=tenacity.retry_if_exception_type(retry.on),
        reraise=True,
    )
    number = 0

    async def later() -> T:
        # The first call has been made: tenacity is told of its failure, and waits and counts from there.
        nonlocal number
        number += 1
        if number == 1:
            raise first
        return await call(number)

    return await policy(later)
