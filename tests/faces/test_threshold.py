"""The confidence under which a shipped role abstains is found by asking it as its role asks, the reader summing up."""

from __future__ import annotations

import asyncio

import pytest

from understudy import training
from understudy.core.backbone import Backbone
from understudy.core.heads import Head
from understudy.origin import HEADS, folder_of


@pytest.fixture(scope="module")
def shipped() -> tuple[Backbone, Head]:
    folder = folder_of("default")
    return Backbone.load(str(folder)), Head.load(HEADS / folder.name / "qa")


def test_it_is_found_by_whoever_has_a_loop_running(shipped: tuple[Backbone, Head]) -> None:
    async def here() -> float:
        return training.threshold(*shipped, examples=6)

    assert 0.0 <= asyncio.run(here()) <= 1.0


def test_the_reader_s_confidence_is_its_sum(shipped: tuple[Backbone, Head], monkeypatch: pytest.MonkeyPatch) -> None:
    """With answers that are all wrong the threshold lies above the surest of them: here what the sum gave."""
    asked = 0

    async def marginal(*arguments: object) -> tuple[None, float]:
        nonlocal asked
        asked += 1
        return None, asked / 10

    monkeypatch.setattr(training, "marginal", marginal)
    monkeypatch.setattr(training, "_told", lambda values: {"answer": id(values)})
    assert training.threshold(*shipped, examples=5) == pytest.approx(0.5, abs=1e-5)
    assert asked == 5
