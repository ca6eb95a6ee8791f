"""Every example in a docstring of ``understudy.*`` runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import understudy

FLOORS = ("core", "knowledge", "agents", "workflows", "testing")


def modules() -> Iterator[str]:
    """The names of all modules of the package, found in the folders themselves."""
    yield "understudy"
    face = [entry for entry in understudy.__path__ if entry.rstrip("/\\").endswith("understudy")]
    for found in pkgutil.iter_modules(face[:1], "understudy."):
        if found.name != "understudy.__main__" and not found.ispkg:
            yield found.name
    for floor in FLOORS:
        package = importlib.import_module(f"understudy.{floor}")
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield found.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    outcome = doctest.testmod(module, optionflags=options)
    assert outcome.failed == 0, f"{outcome.failed} of {outcome.attempted} examples in {name} fail"


def test_the_walk_finds_every_floor() -> None:
    found = set(modules())
    for name in ("core.errors", "agents.messages", "workflows.graph", "knowledge.store", "evaluation"):
        assert f"understudy.{name}" in found


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip(), f"{name} has no docstring"
