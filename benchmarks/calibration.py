"""The prior of abstention, measured: what confidences are worth on roles that no weight has learned from.

    python -m benchmarks.calibration build/tables/few-shot.jsonl --arm "meta-learned start · top third"

reads the outcomes that ``understudy train tables --only few-shot --split choosing`` has kept and prints the mean and
the covariance of (a, b) in p(right | c) = σ(a + b · logit c) over tasks, by empirical Bayes (EM with Laplace's
approximation for each task, as in Gelman et al., Bayesian Data Analysis, ch. 5 and 13); and, each family left out in
its turn, how much would be answered and how much of that is wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from understudy.core.abstention import Prior, posterior
from understudy.few_shot import METHOD, Outcome, kept_outcomes

ROUNDS = 30
ERRORS = (0.05, 0.2)


def read(file: Path, arm: str, size: int) -> list[Outcome]:
    """An arm's kept outcomes that say how sure it was, of the last line's backbone and of today's method."""
    kept = dict(kept_outcomes(file))
    if not kept:
        return []
    backbone = next(reversed(kept)).split("|")[0]
    found = [o for key, o in kept.items() if key.startswith(f"{backbone}|") and f"|{METHOD}|" in key]
    return [o for o in found if o.arm == arm and o.size == size and o.confidences]


def prior_of(outcomes: Sequence[Outcome]) -> Prior:
    """m and S by EM over tasks."""
    prior = torch.tensor([0.0, 1.0], dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    for _ in range(ROUNDS):
        each = [posterior([abs(c) for c in o.confidences], [c > 0 for c in o.confidences], prior) for o in outcomes]
        modes = torch.stack([mode for mode, _ in each])
        mean = modes.mean(0)
        spread = (modes - mean).t() @ (modes - mean) / len(modes)
        prior = mean, spread + torch.stack([covariance for _, covariance in each]).mean(0)
    return prior


def left_out(outcomes: Sequence[Outcome], error: float) -> tuple[float, float]:
    """Share answered and, of these, wrong, where each family is calibrated by the prior of the others."""
    shares, wrongs = [], []
    for family in sorted({o.family for o in outcomes}):
        prior = prior_of([o for o in outcomes if o.family != family])
        mine = [o for o in outcomes if o.family == family]
        kept = [o.answered(error, prior) or [] for o in mine]
        shares.append(sum(len(one) / o.questions for one, o in zip(kept, mine, strict=True)) / len(mine))
        wrongs.append(sum(one.count(False) / o.questions for one, o in zip(kept, mine, strict=True)) / len(mine))
    return sum(shares) / len(shares), sum(wrongs) / max(sum(shares), 1e-9)


def main() -> None:
    """Print the prior, and how it does on families that it has not seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--arm", default="meta-learned start · top third")
    parser.add_argument("--size", type=int, default=16)
    asked = parser.parse_args()
    outcomes = read(asked.file, asked.arm, asked.size)
    if len({outcome.family for outcome in outcomes}) < 2:
        parser.error(f"{asked.file} has no outcomes of two families for this arm and size")
    mean, covariance = prior_of(outcomes)
    print(f"{len(outcomes)} outcomes, {len({o.task for o in outcomes})} tasks")
    print("mean", [round(v, 2) for v in mean.tolist()])
    print("covariance", [[round(v, 2) for v in row] for row in covariance.tolist()])
    for error in ERRORS:
        share, wrong = left_out(outcomes, error)
        print(f"{error:.0%} wrong allowed: {share:.1%} answered, {wrong:.1%} of these wrong")


if __name__ == "__main__":
    main()
