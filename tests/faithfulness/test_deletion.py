"""deletion_curve(): probabilities as tokens go, against random orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import course
from course.faithfulness.deletion import DeletionCurve, area_under, deletion_curve
from course.faithfulness.erasure import random_orders
from course.faithfulness.intervals import Interval
from course.faithfulness.removal import FaithfulnessError, Removal
from tests import tiny


def test_the_curve_is_the_model_without_the_first_tokens(planted, found):
    record = deletion_curve(planted, found, orders=3)
    held = Removal.of(planted, found)
    order = torch.sort(found.values[1:-1], descending=True, stable=True).indices.tolist()
    expected = [held.without([order[:k]])[0] for k in range(10)]
    assert record.curve == pytest.approx(expected, abs=1e-6) and record.curve[0] > 0.99
    assert record.removed == tuple(found.tokens.texts[i + 1] for i in order)
    curves = [[held.without([o[:k]])[0] for k in range(10)] for o in random_orders(9, 3, seed=0)]
    assert [one.mean for one in record.random] == pytest.approx(np.mean(curves, 0).tolist(), abs=1e-6)
    assert list(record.areas) == pytest.approx([float(np.trapezoid(c, dx=1 / 9)) for c in curves], abs=1e-6)


def test_all_orders_begin_and_end_alike(planted, found):
    for removal in ("delete", "mask"):
        record = deletion_curve(planted, found, removal=removal, orders=4)
        for end in (0, -1):
            ends = record.random[end]
            assert ends.low == pytest.approx(ends.high) == pytest.approx(record.curve[end])


def test_the_explanation_beats_random_orders_and_its_reverse_does_not(planted, found):
    record = deletion_curve(planted, found)
    assert record.area < record.random_area.low + 1e-9 and record.chance < 0.2
    worst = deletion_curve(planted, replace(found, values=-found.values))
    assert worst.area > worst.random_area.mean and worst.chance > 0.8
    assert "−happy 0.000" in repr(record) and "without all 9" in repr(record)


def test_chance_counts_the_record_itself():
    intervals = (Interval(1, 1, 1), Interval(0, 0, 0))
    record = DeletionCurve(("a",), (1.0, 0.0), intervals, (0.4, 0.5, 0.6), "x", "tokens", "occlusion", "m", "deleted")
    assert record.area == 0.5 and record.chance == (1 + 2) / (1 + 3)
    assert repr(record).count("\n") == 2


def test_the_area_is_the_trapezoidal_rule():
    values = [0.9, 0.3, 0.5, 0.1]
    assert area_under(values) == pytest.approx(float(np.trapezoid(values, dx=1 / 3)))


def test_seeds_repeat_and_one_token_is_enough(planted, found):
    assert deletion_curve(planted, found, orders=3).areas == deletion_curve(planted, found, orders=3).areas
    model = tiny.classifier()
    one = deletion_curve(model, course.attribute(model, "cat", method="attention"), orders=2)
    assert len(one.curve) == 2 and one.chance == 1


def test_no_random_order_is_no_test(planted, found):
    with pytest.raises(FaithfulnessError, match="orders must be a whole number from 1"):
        deletion_curve(planted, found, orders=0)
