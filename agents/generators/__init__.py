"""Training examples for the four roles, over invented worlds.

Each example is built by the code with which the role reads a call, so that what is learned is what will be asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from ...core.prompts import Example
from . import planning, querying, ranking, reading

#: Role name → a function from a random source to one example.
GENERATORS: dict[str, Callable[[random.Random], Example]] = {
    "planner": planning.example,
    "coder": querying.example,
    "qa": reading.example,
    "recommender": ranking.example,
}


def examples(role: str, seed: int) -> Iterator[Example]:
    """Endless examples for ``role``, the same for the same seed. Raises KeyError for a role without a generator."""
    generator = GENERATORS[role]
    rng = random.Random(seed)
    while True:
        yield generator(rng)


__all__ = ["GENERATORS", "examples"]
