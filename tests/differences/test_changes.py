"""Changes over texts and models: means, intervals, and what does not belong together."""

from __future__ import annotations

import pytest
import torch

from course.differences.attention_diff import diff
from course.differences.changes import Change
from course.differences.comparing import DiffError
from tests.views.synthetic import attention, encoder_decoder

TEXTS = [tuple(f"{word}{i}" for word in "abcde") for i in range(12)]


def differences(seed: int, *, texts=TEXTS, **settings):
    """The change between two made-up models on each text."""
    return [
        diff(
            attention(2, 3, text, seed=1000 * seed + i, model="one", **settings),
            attention(2, 3, text, seed=1000 * seed + 500 + i, model="other", **settings),
        )
        for i, text in enumerate(texts)
    ]


def test_values_are_those_of_each_difference():
    one, other = differences(1), differences(2)
    found = Change.of([one, other])
    assert found.values.shape == (2, 12, 2, 3) and (found.pairs, found.texts) == (2, 12)
    assert torch.equal(found.values[1, 3], other[3].total_variation.double())
    by_hand = torch.stack([d.total_variation.double() for d in one + other]).mean(0)
    assert torch.allclose(found.mean, by_hand)
    means = torch.stack([torch.stack([d.total_variation.double() for d in pair]).mean(0) for pair in (one, other)])
    assert torch.allclose(found.lowest, means.amin(0)) and torch.allclose(found.highest, means.amax(0))
    assert "one → other and 1 more: 2 layers × 3 heads, 12 texts, 2 pairs of models" in repr(found)


def test_one_pair_needs_no_second_list_and_generators_serve():
    flat = Change.of(d for d in differences(1))
    assert torch.equal(flat.values, Change.of([differences(1)]).values) and flat.pairs == 1
    assert torch.equal(flat.values, Change.of(iter([iter(differences(1))])).values)


def test_jensen_shannon_can_be_taken_instead():
    found = Change.of(differences(1), by="jensen_shannon")
    assert torch.equal(found.values[0, 0], differences(1)[0].jensen_shannon.double()) and "jensen shannon" in repr(
        found
    )
    with pytest.raises(DiffError, match="by must be 'total_variation' or 'jensen_shannon'"):
        Change.of(differences(1), by="change")


def test_interval_holds_the_mean_and_is_as_wide_as_the_standard_error_says():
    found = Change.of(differences(1))
    low, high = found.interval()
    assert (low < found.mean).all() and (found.mean < high).all()
    error = found.values[0].std(0, correction=0) / 12**0.5
    assert torch.allclose(high - low, 2 * 1.96 * error, rtol=0.15)
    assert all(torch.equal(a, b) for a, b in zip(found.interval(), found.interval(), strict=True))
    assert not torch.equal(found.interval(seed=1)[0], low)


def test_resampled_means_are_means_of_texts_with_pairs_and_heads_in_place():
    found = Change.of([differences(1, texts=TEXTS[:10]), differences(2, texts=TEXTS[:10])])
    found.values[:] = torch.arange(12.0).view(2, 1, 2, 3)
    assert torch.allclose(found.resampled(50, 0), torch.arange(12.0, dtype=torch.double).view(1, 2, 2, 3))


def test_few_texts_have_a_mean_and_no_interval():
    found = Change.of(differences(1, texts=TEXTS[:9]))
    assert torch.isfinite(found.mean).all()
    with pytest.raises(DiffError, match="9 texts are too few for an interval: give at least 10"):
        found.interval()


def test_what_does_not_belong_together_is_refused():
    one = differences(1)
    for given, message in (
        ([], "there are no differences"),
        (one[0], "give a list with a difference for each text"),
        ([one, []], "at least one to a pair"),
        ([one, one[:-1]], "the same texts, in the same order"),
        ([one, one[::-1]], "the same texts, in the same order"),
        ([*one, differences(1, kind="encoder")[0]], "one kind and one architecture"),
        ([attention()], "a Attention is among the differences"),
        ([diff(encoder_decoder(), encoder_decoder())], "an encoder–decoder"),
    ):
        with pytest.raises(DiffError, match=message):
            Change.of(given)
