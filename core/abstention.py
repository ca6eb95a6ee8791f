"""Abstention: the confidence under which a role says nothing rather than something wrong.

A handful of left-out demonstrations proves little: a threshold at which none of five answers was wrong is soon found by
chance. So what they say is joined with what other roles have shown of the same confidences:

    p(right | c) = σ(a + b · logit c),    (a, b) ~ N(m, S)

a logistic calibration (Platt 1999) whose prior was measured on tasks that no weight has learned from, and whose
posterior mode the role's own left-out demonstrations give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Prior = tuple[Tensor, Tensor]
"""Mean [2] and covariance [2, 2] of (a, b)."""
PRIOR_MEAN = (0.04, 0.95)
PRIOR_COVARIANCE = ((0.88, 0.32), (0.32, 0.18))
"""m and S: `python -m benchmarks.calibration` over 48 tasks kept for choosing (choices, spans, several fields), 16
demonstrations each. Each family left out in its turn, where 5 % wrong were allowed 5.9 % were, of 9 % answered, and
where 20 % were allowed 24 %, of 29 % answered; counting allowed 10 % and gave 28 %."""
ERROR = 0.2
"""The share of a role's answers that may be expected to be wrong."""


def abstention_threshold(confidences: Sequence[float], right: Sequence[bool], error: float = 0.1) -> float:
    """The least confidence at which at most ``error`` of the answers given would have been wrong, by counting alone.

    For hundreds of answers; 0 when no threshold is needed, and above the highest wrong confidence when none keeps the
    error.
    """
    for threshold in [0.0, *sorted(set(confidences))]:
        answered = [ok for c, ok in zip(confidences, right, strict=True) if c >= threshold]
        if answered and answered.count(False) / len(answered) <= error:
            return threshold
    return min(1.0, max(confidences) + 1e-6)


def measured_prior() -> Prior:
    """m and S as tensors."""
    return torch.tensor(PRIOR_MEAN, dtype=torch.float64), torch.tensor(PRIOR_COVARIANCE, dtype=torch.float64)


def posterior(confidences: Sequence[float], right: Sequence[bool], prior: Prior, steps: int = 50) -> Prior:
    """The posterior mode of (a, b) and, by Laplace's approximation, its covariance.

    By Newton's method, each step halved until the posterior rises.
    """
    mean, covariance = prior
    precision = torch.linalg.inv(covariance)
    inputs = torch.stack([torch.ones(len(confidences), dtype=torch.float64), _logits(confidences)], dim=1)
    targets = torch.tensor([float(ok) for ok in right], dtype=torch.float64)

    def height(at: Tensor) -> float:
        likelihood = -F.binary_cross_entropy_with_logits(inputs @ at, targets, reduction="sum")
        return float(likelihood - (at - mean) @ precision @ (at - mean) / 2)

    found, curvature = mean.clone(), precision
    for _ in range(steps):
        chances = (inputs @ found).sigmoid()
        gradient = inputs.t() @ (targets - chances) - precision @ (found - mean)
        curvature = inputs.t() @ (inputs * (chances * (1 - chances)).unsqueeze(1)) + precision
        step = torch.linalg.solve(curvature, gradient)
        while height(found + step) < height(found) and float(step.abs().max()) > 1e-9:
            step = step / 2
        found = found + step
        if float(step.abs().max()) < 1e-9:
            break
    return found, torch.linalg.inv(curvature)


def calibration(
    confidences: Sequence[float], right: Sequence[bool], prior: Prior | None = None
) -> tuple[float, float]:
    """The posterior mode of (a, b); b is never negative, so that more confidence is never worse."""
    offset, slope = posterior(confidences, right, prior or measured_prior())[0].tolist()
    return offset, max(slope, 0.0)


def calibrated_threshold(
    confidences: Sequence[float], right: Sequence[bool], error: float = ERROR, prior: Prior | None = None
) -> float:
    """The least confidence at which at most ``error`` of the answers given are expected to be wrong.

    Where left-out demonstrations do not reach that, it is the confidence at which a single answer would, and 1 or more
    where no confidence does.
    """
    offset, slope = calibration(confidences, right, prior)
    chances = (offset + slope * _logits(confidences)).sigmoid().tolist()
    pairs = sorted(zip(confidences, chances, strict=True))
    for at, (confidence, _) in enumerate(pairs):
        some = [chance for _, chance in pairs[at:]]
        if sum(some) / len(some) >= 1 - error:
            return confidence if at else 0.0
    if slope < 1e-6:
        return 1.0 + 1e-6
    return 1 / (1 + math.exp(-(math.log((1 - error) / error) - offset) / slope))


def _logits(confidences: Sequence[float]) -> Tensor:
    return torch.tensor(list(confidences), dtype=torch.float64).clamp(1e-3, 1 - 1e-3).logit()
