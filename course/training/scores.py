"""Scores with their 95 % intervals: Wilson's for a share of right answers, the bootstrap for everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from course.models.entries import Score


def share(name: str, right: Sequence[bool] | NDArray[np.bool_], data: str) -> Score:
    """The share of right answers, with Wilson's interval."""
    found, total = int(np.sum(right)), len(right)
    low, high = binomtest(found, total).proportion_ci(method="wilson")
    return Score(name, found / total, data, (float(low), float(high)))


def resampled(
    name: str, statistic: Callable[[NDArray[np.intp]], float], examples: int, data: str, resamples: int = 1000
) -> Score:
    """A statistic of examples, with the percentile interval of the bootstrap (Efron 1979), seed 0.

    ``statistic`` takes the numbers of the examples to measure; they repeat within a resample.
    """
    draw = np.random.default_rng(0)
    values = [statistic(draw.integers(0, examples, examples)) for _ in range(resamples)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Score(name, statistic(np.arange(examples)), data, (float(low), float(high)))
