"""Intervals: how far a mean over texts, or over random orders, may be off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A mean with its lower and upper end."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]".replace("-", "−")


def check_resampling(error: type[ValueError], level: float, resamples: int) -> None:
    """Raise ``error`` unless 0 < level < 1 and there are at least 100 resamples."""
    if not 0 < level < 1:
        raise error(f"level must be between 0 and 1, not {level!r}")
    if isinstance(resamples, bool) or not isinstance(resamples, int) or resamples < 100:
        raise error(f"resamples must be a whole number from 100, not {resamples!r}: fewer say nothing of the ends")


def spread(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of values, and between which of them the middle ``level`` of them lie (percentiles, linear)."""
    found = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(found.mean()), float(low), float(high))


def bootstrapped(values: Sequence[float], *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> Interval:
    """The mean of values, one a text, and where it would lie for other texts of the kind.

    The percentile bootstrap (Efron 1979): texts are drawn anew, with replacement. It is too narrow for fewer than
    about 20 texts, and where texts are alike; of one text it has no width.
    """
    found = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(found), size=(resamples, len(found)))
    return Interval(float(found.mean()), *spread(found[draws].mean(1).tolist(), level)[1:])
