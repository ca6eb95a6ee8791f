"""The verdict's arithmetic, against published examples and other ways to compute it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from understudy.paired import Paired


def test_published_examples() -> None:
    """Armitage and Berry 1994, p. 127 (two media for sputum), and Cavo et al. 2012 as in Fagerland et al. 2017."""
    assert Paired(20, 12, 2, 16).p == pytest.approx(0.0129, abs=5e-5)
    cavo = Paired(59, 6, 16, 80)
    assert cavo.difference == pytest.approx(-0.0621, abs=5e-5)
    assert cavo.interval == pytest.approx((-0.1186, -0.0046), abs=5e-5)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, 0), (6, 0), (9, 2), (2, 9), (40, 25), (300, 290)])
def test_the_test_is_that_of_a_fair_coin(first: int, second: int) -> None:
    paired = Paired(7, first, second, 3)
    expected = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    assert paired.p == pytest.approx(expected)
    assert paired.wins is (first > second and expected < 0.05)


def test_the_other_way_round_is_the_negative() -> None:
    one, other = Paired(10, 8, 3, 9), Paired(10, 3, 8, 9)
    assert one.difference == -other.difference
    assert one.interval == pytest.approx(tuple(-end for end in reversed(other.interval)))
    assert one.p == other.p


def test_pairs_are_counted() -> None:
    assert Paired.of([True, True, False, False, True], [True, False, True, False, False]) == Paired(1, 2, 1, 1)
    with pytest.raises(ValueError):
        Paired.of([True], [])
    nothing = Paired.of([], [])
    assert (nothing.difference, nothing.interval, nothing.p, nothing.wins) == (0.0, (-1.0, 1.0), 1.0, False)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    for chances in ((0.5, 0.2, 0.1, 0.2), (0.8, 0.1, 0.02, 0.08), (0.2, 0.4, 0.1, 0.3)):
        draws = rng.multinomial(60, chances, 1500)
        truth = chances[1] - chances[2]
        inside = [low <= truth <= high for low, high in (Paired(*map(int, draw)).interval for draw in draws)]
        assert 0.93 <= np.mean(inside) <= 0.985


def test_intervals_that_overlap_may_hide_a_clear_win() -> None:
    hidden = Paired(40, 8, 0, 12)
    assert hidden.wins and not hidden.apart
    assert Paired(20, 40, 0, 0).apart and not Paired(20, 5, 0, 0).wins


def test_what_a_table_shows() -> None:
    assert (Paired(20, 12, 2, 16).points, Paired(20, 12, 2, 16).chance) == ("+20 (+6 to +33)", "0.013")
    assert Paired(0, 30, 0, 0).chance == "< 0.001"
