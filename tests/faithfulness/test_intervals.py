"""Intervals of means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from course.faithfulness.intervals import Interval, bootstrapped, check_resampling, spread


def test_the_bootstrap_is_scipys():
    values = np.random.default_rng(1).normal(size=40)
    found = bootstrapped(values.tolist(), resamples=9000, seed=3)
    own = bootstrap(
        (values,), np.mean, n_resamples=9000, method="percentile", rng=np.random.default_rng(8)
    ).confidence_interval
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((own.low, own.high), abs=0.02)
    assert found == bootstrapped(values.tolist(), resamples=9000, seed=3)


def test_the_spread_is_percentiles():
    assert spread([float(i) for i in range(101)], 0.9) == pytest.approx((50, 5, 95))
    assert spread([2.0]) == bootstrapped([2.0]) == (2, 2, 2)


def test_it_prints_signs_of_their_own_length():
    assert str(Interval(-0.5, -0.75, 0.25)) == "−0.500 [−0.750, 0.250]"


def test_levels_and_resamples_are_checked():
    for level, resamples in ((0, 200), (1.5, 200), (0.9, 99), (0.9, True), (0.9, 200.0)):
        with pytest.raises(KeyError):
            check_resampling(KeyError, level, resamples)
