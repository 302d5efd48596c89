"""erase(): comprehensiveness and sufficiency as ERASER defines them."""

from __future__ import annotations

import doctest
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import course
from course.faithfulness.erasure import THRESHOLDS, erase, mean_erasure, random_orders
from course.faithfulness.removal import FaithfulnessError, Removal
from tests import tiny
from tests.faithfulness.conftest import TEXT


@pytest.mark.parametrize("removal", ["delete", "mask"])
def test_every_point_is_worked_out_by_hand(planted, found, removal):
    record = erase(planted, found, removal=removal)
    held = Removal.of(planted, found, removal)
    values = found.values[1:-1].tolist()
    order = sorted(range(9), key=lambda i: -values[i])
    for point, share, taken in zip(record.points, THRESHOLDS, (1, 1, 1, 2, 5), strict=True):
        assert (point.threshold, point.taken) == (share, taken)
        assert point.comprehensiveness == pytest.approx(held.comprehensiveness(order[:taken]), abs=1e-6)
        assert point.sufficiency == pytest.approx(held.sufficiency(order[:taken]), abs=1e-6)
        assert held.sufficiency(order[:taken]) == held.probability - held.without([order[taken:]])[0]
    assert record.comprehensiveness == pytest.approx(sum(p.comprehensiveness for p in record.points) / 5)
    assert record.sufficiency == pytest.approx(sum(p.sufficiency for p in record.points) / 5)
    assert record.probability == pytest.approx(course.rank(planted, TEXT).top.probability, abs=1e-6)


def test_the_token_that_decides_is_comprehensive_and_sufficient(planted, found):
    record = erase(planted, found)
    assert record.comprehensiveness > 0.95 and record.sufficiency < 0.05
    assert record.comprehensiveness > record.random[0].mean and record.sufficiency < record.random[1].mean
    assert "20% = 2 of 9" in repr(record) and "tokens deleted, later tokens move up" in repr(record)
    reversed_ = erase(planted, replace(found, values=-found.values))
    assert reversed_.comprehensiveness < 0.1


def test_a_share_of_nothing_and_of_everything(planted, found):
    nothing, everything = erase(planted, found, thresholds=(0, 1)).points
    assert nothing.taken == 0 and nothing.comprehensiveness == 0.0
    assert everything.taken == 9 and everything.sufficiency == 0.0
    assert nothing.sufficiency == everything.comprehensiveness


def test_shares_are_decimals_and_rounded_up(planted):
    long = course.attribute(planted, "the dog met the cat and " * 5, method="attention")
    taken = [point.taken for point in erase(planted, long, thresholds=(0.1, 0.3, 0.7, 0.34), orders=0).points]
    assert len(long) - 2 == 30 and taken == [3, 9, 21, 11]


def test_random_orders_are_the_same_again_and_different_for_another_seed(planted, found):
    first, again, other = (erase(planted, found, seed=seed, orders=5) for seed in (0, 0, 1))
    assert first.random == again.random != other.random
    assert erase(planted, found, orders=0).random is None
    held = Removal.of(planted, found)
    means = [
        sum(held.comprehensiveness(order[:k]) for k in (1, 1, 1, 2, 5)) / 5 for order in random_orders(9, 5, seed=0)
    ]
    assert first.random[0].mean == pytest.approx(sum(means) / 5) and min(means) <= first.random[0].low


def test_words_and_one_token_and_pairs(planted):
    model = tiny.classifier()
    for attribution in (
        course.attribute(model, "unbelievable tokens", method="attention").words(),
        course.attribute(model, "cat", method="attention"),
        course.attribute(model, "the cat sat", "a rabbit stops", method="attention"),
    ):
        record = erase(model, attribution)
        assert all(-1 <= number <= 1 for point in record.points for number in point[2:])
        assert record.level in repr(record)
    assert erase(model, course.attribute(model, "cat", method="attention")).size == 1


def test_means_over_texts_and_what_is_gained(planted):
    texts = [TEXT, "the dog was not happy", "the ugly cat passed the merry doctor"]
    records = [erase(planted, course.attribute(planted, text), orders=4) for text in texts]
    found = mean_erasure(records)
    assert found.comprehensiveness.mean == pytest.approx(sum(one.comprehensiveness for one in records) / 3)
    gains = [one.random[1].mean - one.sufficiency for one in records]
    assert found.gain[1].mean == pytest.approx(sum(gains) / 3)
    assert min(gains) <= found.gain[1].low <= found.gain[1].high <= max(gains)
    assert found.gain[0].mean == pytest.approx(found.comprehensiveness.mean - found.random[0].mean)
    assert "3 texts" in repr(found) and "lower is better; gain" in repr(found)
    masked = erase(planted, course.attribute(planted, TEXT), orders=4, removal="mask")
    for bad in ([], [*records, masked], [replace(records[0], random=None)]):
        with pytest.raises(FaithfulnessError, match="at least one erasure"):
            mean_erasure(bad)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 5e-324]), min_size=9, max_size=9))
def test_ties_and_extremes_give_numbers(planted, found, values):
    extreme = replace(found, values=torch.tensor([0.0, *values, 0.0], dtype=torch.double))
    record = erase(planted, extreme, orders=1)
    assert -1 <= record.comprehensiveness <= 1 and -1 <= record.sufficiency <= 1 and repr(record)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"thresholds": ()}, "shares of the tokens"), ({"thresholds": (1.5,)}, "shares of the tokens"),
        ({"thresholds": (True,)}, "shares of the tokens"), ({"thresholds": (float("nan"),)}, "shares of the tokens"),
        ({"orders": -1}, "orders must be"), ({"removal": "blank"}, "removal must be"),
    ],
)  # fmt: skip
def test_options_that_do_not_exist_are_refused(planted, found, options, says):
    with pytest.raises(FaithfulnessError, match=says):
        erase(planted, found, **options)


@pytest.mark.parametrize(
    "module", ["ablation", "deletion", "erasure", "grading", "rank_correlation", "replacement", "swapping"]
)
def test_examples_in_docstrings_run(module):
    __import__(f"course.faithfulness.{module}")
    results = doctest.testmod(sys.modules[f"course.faithfulness.{module}"])
    assert results.attempted and not results.failed
