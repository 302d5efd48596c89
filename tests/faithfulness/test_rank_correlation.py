"""rank_agreement(): correlations text by text, ties, constants and intervals."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from course.attributions.attribution import Attribution
from course.faithfulness.rank_correlation import is_constant, rank_agreement
from course.faithfulness.removal import FaithfulnessError
from course.tokens import Tokens


def explained(values, method="occlusion", level="tokens"):
    """With [CLS] and [SEP], which hold what would upset every order."""
    n = len(values)
    words = [f"w{i}" for i in range(n)]
    offsets = [(3 * i, 3 * i + 2) for i in range(n)]
    tokens = Tokens(
        texts=("[CLS]", *words, "[SEP]"), pieces=("[CLS]", *words, "[SEP]"), special=(True, *[False] * n, True),
        segments=(0,) * (n + 2), offsets=(None, *offsets, None), words=(None, *range(n), None),
        sources=(" ".join(words),),
    )  # fmt: skip
    values = torch.tensor([99.0, *values, -99.0], dtype=torch.double)
    return Attribution(values, tokens, "good", "logit", True, 1.0, method, "m", level=level)


def tau_b(one, other):
    """Counted pair by pair, as Kendall 1945 defines it."""
    pairs = [(i, j) for i in range(len(one)) for j in range(i)]
    sign = [(one[i] > one[j]) - (one[i] < one[j]) for i, j in pairs]
    more = [(other[i] > other[j]) - (other[i] < other[j]) for i, j in pairs]
    return sum(a * b for a, b in zip(sign, more, strict=True)) / math.sqrt(sum(map(abs, sign)) * sum(map(abs, more)))


def test_a_small_case_by_hand():
    first, second = [explained([3, 2, 1, 0])], [explained([3, 1, 2, 0])]
    assert rank_agreement(first, second).interval.mean == pytest.approx(4 / 6)
    assert rank_agreement(first, second, by="spearman").interval.mean == pytest.approx(1 - 6 * 2 / (4 * 15))


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=12))
def test_ties_are_those_of_tau_b_and_of_mean_ranks(pairs):
    one, other = ([float(v) for v in column] for column in zip(*pairs, strict=True))
    if len(set(one)) == 1 or len(set(other)) == 1:
        with pytest.raises(FaithfulnessError, match="no text has a correlation"):
            rank_agreement([explained(one)], [explained(other)])
        return
    for by, own in (("kendall", kendalltau), ("spearman", spearmanr)):
        found = rank_agreement([explained(one)], [explained(other)], by=by)
        assert found.values[0] == pytest.approx(own(one, other).statistic)
    assert rank_agreement([explained(one)], [explained(other)]).values[0] == pytest.approx(tau_b(one, other))


def test_constant_explanations_are_announced_and_left_out():
    first = [explained([1, 2, 3]), explained([1, 1, 1]), explained([5]), explained([3, 2, 1])]
    second = [explained([1, 2, 3]), explained([1, 2, 3]), explained([6]), explained([1, 2, 3])]
    found = rank_agreement(first, second)
    assert found.values == (1, None, None, -1) and found.undefined == (1, 2)
    assert found.interval.mean == 0 and "over 2 texts; 2 left out" in repr(found)


def test_rounding_makes_no_order():
    assert is_constant([0.1, 0.1 + 1e-12, 0.1]) and not is_constant([0.1, 0.1001]) and is_constant([0.0, 0.0])
    assert not is_constant([1e-300, 2e-300]) and is_constant([7.0])


def test_sizes_instead_of_values():
    first, second = [explained([-3, 2, 1])], [explained([3, 2, 1], "attention")]
    assert rank_agreement(first, second).interval.mean < 0
    found = rank_agreement(first, second, absolute=True)
    assert found.interval.mean == 1 and "of the sizes of tokens" in repr(found)
    assert "occlusion of m and attention of m: Kendall's tau-b 1.000" in repr(found)


def test_the_interval_is_over_texts_and_repeats():
    texts = [explained([1, 2, 3, 4])] * 30
    others = [explained([1, 2, 3, 4] if i % 3 else [4, 3, 2, 1]) for i in range(30)]
    found = rank_agreement(texts, others, seed=4)
    assert found.interval == rank_agreement(texts, others, seed=4).interval
    assert found.interval.mean == pytest.approx(1 / 3) and -0.1 < found.interval.low < 0.1 < found.interval.high < 0.75
    wider = rank_agreement(texts[:6], others[:6], seed=4).interval
    assert wider.high - wider.low > found.interval.high - found.interval.low
    single = rank_agreement(texts[:1], others[1:2]).interval
    assert single == (1, 1, 1)


def test_what_cannot_be_compared_is_refused():
    a, b = explained([1, 2, 3]), explained([1, 2, 3, 4])
    for arguments, options, says in (
        (([a], [b]), {}, "different tokens"),
        (([a], [a, a]), {}, "not 1 and 2 texts"),
        (([], []), {}, "not 0 and 0 texts"),
        ((a, a), {}, "two lists"),
        (([a], [a]), {"by": "pearson"}, "'kendall', 'spearman'"),
        (([a], [a]), {"confidence": 1.0}, "level"),
        (([a], [a]), {"resamples": 9}, "resamples"),
    ):
        with pytest.raises(FaithfulnessError, match=says):
            rank_agreement(*arguments, **options)
