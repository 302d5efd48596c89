from __future__ import annotations

import numpy as np
import pytest

from course.training.scores import resampled, share


def test_share_has_wilsons_interval() -> None:
    # Wilson 1927; 81 of 263 is Newcombe's (1998) example: 0.2553 to 0.3662.
    score = share("accuracy", [True] * 81 + [False] * 182, "made up")
    assert score.value == pytest.approx(81 / 263)
    assert score.interval == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_bootstrap_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=400)
    score = resampled("mean", lambda chosen: float(values[chosen].mean()), 400, "made up")
    low, high = score.interval or (0, 0)
    assert score.value == pytest.approx(values.mean())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_same_numbers_every_time() -> None:
    values = np.arange(10.0)
    first, again = (resampled("m", lambda c: float(np.median(values[c])), 10, "made up") for _ in range(2))
    assert first == again
