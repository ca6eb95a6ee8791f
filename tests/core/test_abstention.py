"""When a role had better say nothing: by counting, and by calibration from a few left-out demonstrations."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy.optimize import minimize

from understudy.core.abstention import (
    ERROR,
    PRIOR_COVARIANCE,
    PRIOR_MEAN,
    calibrated_threshold,
    calibration,
)

SURE = [0.97, 0.9, 0.85, 0.7, 0.6, 0.5, 0.45, 0.4]


def test_without_demonstrations_it_is_the_prior() -> None:
    assert calibration([], []) == pytest.approx(PRIOR_MEAN)


@pytest.mark.parametrize("right", [[True] * 8, [False] * 8, [True] * 4 + [False] * 4, [True, False] * 4])
def test_it_is_the_mode_that_a_general_optimiser_finds(right: list[bool]) -> None:
    x = np.log(np.array(SURE) / (1 - np.array(SURE)))
    sign = np.where(right, 1.0, -1.0)
    precision = np.linalg.inv(np.array(PRIOR_COVARIANCE))

    def loss(at: np.ndarray) -> float:
        apart = at - np.array(PRIOR_MEAN)
        return float(np.logaddexp(0, -sign * (at[0] + at[1] * x)).sum() + apart @ precision @ apart / 2)

    theirs = minimize(loss, np.zeros(2)).x
    assert calibration(SURE, right) == pytest.approx((theirs[0], max(theirs[1], 0.0)), abs=1e-3)


def test_confidences_of_nought_and_one_are_no_trouble() -> None:
    assert all(map(math.isfinite, calibration([0.0, 1.0, 1.0], [True, False, True])))
    assert math.isfinite(calibrated_threshold([0.0, 1.0, 1.0], [True, False, True]))


def test_a_role_that_is_always_right_answers_and_one_that_is_always_wrong_does_not() -> None:
    assert calibrated_threshold([0.95] * 16, [True] * 16) == 0.0
    assert calibrated_threshold(SURE, [False] * 8) > max(SURE)


def test_one_right_answer_proves_little() -> None:
    assert calibrated_threshold([0.6, 0.55], [True, False]) > 0.6, "by counting it would be 0.6"


def test_a_threshold_falls_when_more_was_right() -> None:
    found = [calibrated_threshold(SURE, [True] * n + [False] * (8 - n)) for n in range(9)]
    assert found == sorted(found, reverse=True) and found[0] > found[8]


def test_what_is_promised_is_kept_where_the_prior_is_true() -> None:
    rng = random.Random(0)
    lower = np.linalg.cholesky(np.array(PRIOR_COVARIANCE))
    answered = wrong = 0
    for _ in range(400):
        drawn = np.array(PRIOR_MEAN) + lower @ np.array([rng.gauss(0, 1), rng.gauss(0, 1)])
        offset, slope = float(drawn[0]), max(float(drawn[1]), 0.0)

        def ask(count: int, offset: float = offset, slope: float = slope) -> tuple[list[float], list[bool]]:
            logits = [rng.gauss(0.5, 1.2) for _ in range(count)]
            sure = [1 / (1 + math.exp(-x)) for x in logits]
            return sure, [rng.random() < 1 / (1 + math.exp(-(offset + slope * x))) for x in logits]

        threshold = calibrated_threshold(*ask(16))
        for confidence, ok in zip(*ask(50), strict=True):
            answered += confidence >= threshold
            wrong += confidence >= threshold and not ok
    assert 0.6 * ERROR < wrong / answered < 1.3 * ERROR and answered > 1000
