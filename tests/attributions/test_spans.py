"""Spans from start and end logits: valid ones only, best first, with honest probabilities."""

import pytest
import torch

from course.attributions.spans import best_span, best_spans, span_scores

ALL = torch.ones(4, dtype=torch.bool)


def test_an_end_before_the_start_is_never_chosen():
    starts, ends = torch.tensor([0.0, 0.0, 9.0, 0.0]), torch.tensor([9.0, 0.0, 0.0, 1.0])
    best = best_span(starts, ends, ALL)
    assert (best.first, best.last, best.score) == (2, 3, 10.0)


def test_all_spans_by_hand():
    starts, ends = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    valid = torch.tensor([True, True])
    found = best_spans(starts, ends, valid, k=9)
    assert [(one.first, one.last, one.score) for one in found] == [(0, 1, 3.0), (1, 1, 2.0), (0, 0, 1.0)]
    expected = torch.tensor([3.0, 2.0, 1.0]).softmax(0)
    assert [one.probability for one in found] == pytest.approx(expected.tolist())
    assert best_spans(starts, ends, valid, k=1)[0] == found[0] == best_span(starts, ends, valid)


def test_no_answer_takes_its_share():
    starts, ends = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    found = best_spans(starts, ends, torch.tensor([True, True]), k=3, null=3.0)
    expected = torch.tensor([3.0, 2.0, 1.0, 3.0]).softmax(0)
    assert [one.probability for one in found] == pytest.approx(expected[:3].tolist())


def test_length_and_validity_limit_the_spans():
    sums = span_scores(torch.zeros(2, 4), torch.zeros(2, 4), torch.tensor([True, True, True, False]), longest=2)
    assert sums.shape == (2, 4, 4)
    assert [tuple(place) for place in (sums[0] == 0).nonzero().tolist()] == [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)]


def test_equal_spans_keep_their_order_and_nothing_valid_is_refused():
    assert [(s.first, s.last) for s in best_spans(torch.zeros(2), torch.zeros(2), ALL[:2], k=3)] == [
        (0, 0), (0, 1), (1, 1),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no token"):
        best_spans(torch.zeros(2), torch.zeros(2), ~ALL[:2], k=3)
