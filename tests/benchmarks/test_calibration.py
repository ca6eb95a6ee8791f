"""The prior of abstention is found again where it is known."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

pytest.importorskip("zstandard")

from benchmarks.calibration import left_out, prior_of, read  # noqa: E402
from understudy.few_shot import METHOD, Outcome  # noqa: E402

ARM = "meta-learned start · top third"


def simulated(tasks: int, mean: tuple[float, float], spread: float) -> list[Outcome]:
    """Tasks whose (a, b) are drawn around ``mean``, asked 80 questions of all confidences."""
    rng = random.Random(0)
    found = []
    for task in range(tasks):
        a, b = (rng.gauss(middle, spread) for middle in mean)

        def asked(count: int, a: float = a, b: float = b) -> tuple[float, ...]:
            logits = [rng.uniform(-2, 4) for _ in range(count)]
            chances = torch.tensor([a + b * x for x in logits]).sigmoid().tolist()
            sure = torch.tensor(logits).sigmoid().tolist()
            return tuple(c if rng.random() < p else -c for c, p in zip(sure, chances, strict=True))

        named = f"t{task}", f"f{task % 6}", "", "choice", 16, 0, ARM
        found.append(Outcome(*named, 0.5, 80, 1.0, 1.0, asked(80), asked(16)))
    return found


def test_a_known_prior_is_found_again() -> None:
    mean, covariance = prior_of(simulated(60, (-0.5, 0.8), 0.3))
    assert mean.tolist() == pytest.approx([-0.5, 0.8], abs=0.15)
    assert covariance.diagonal().sqrt().tolist() == pytest.approx([0.3, 0.3], abs=0.15)


def test_what_is_promised_of_families_that_were_not_seen_is_kept() -> None:
    share, wrong = left_out(simulated(60, (-0.5, 0.8), 0.3), 0.2)
    assert 0.1 < share < 0.9 and wrong == pytest.approx(0.2, abs=0.07)


def test_outcomes_of_other_backbones_and_methods_do_not_count(tmp_path: Path) -> None:
    some = simulated(4, (0.0, 1.0), 0.1)
    file = tmp_path / "few-shot.jsonl"
    keys = [f"old|t0|80|{METHOD}|x", f"new|t1|80|{METHOD - 1}|x", f"new|t2|80|{METHOD}|x", f"new|t3|80|{METHOD}|x"]
    lines = [json.dumps({"key": key} | asdict(one)) for key, one in zip(keys, some, strict=True)]
    file.write_text("\n".join(["{}", *lines, lines[-1][:40]]), encoding="utf-8")
    assert [outcome.task for outcome in read(file, ARM, 16)] == ["t2", "t3"]
    assert read(tmp_path / "none.jsonl", ARM, 16) == []
