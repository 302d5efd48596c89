"""grade(): explanations against a known truth, with exact ties and random orders."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

import course
from course.faithfulness.grading import MEASURES, GradingError, grade, mean_grade
from course.planted import generate, truth
from tests import tiny
from tests.faithfulness.test_rank_correlation import explained


def flagged(*numbers, n):
    return [False, *(i in numbers for i in range(n)), False]


def of_order(flags, k):
    """The measures of one order without ties, from their definitions."""
    hits = [i for i, flag in enumerate(flags) if flag]
    others = [i for i, flag in enumerate(flags) if not flag]
    return {
        "precision": sum(flags[:k]) / k,
        "average_precision": sum((n + 1) / (i + 1) for n, i in enumerate(hits)) / len(hits),
        "area": sum(i < j for i in hits for j in others) / (len(hits) * len(others)),
    }


def over_all_orders(values, flags, k):
    """The mean over every order that sorts the values, tied ones in all ways."""
    orders = [
        order for order in permutations(range(len(values)))
        if all(values[a] >= values[b] for a, b in pairwise(order))
    ]  # fmt: skip
    found = [of_order([flags[i] for i in order], k) for order in orders]
    return {name: sum(one[name] for one in found) / len(found) for name in MEASURES}


def test_a_small_case_by_hand():
    found = grade(explained([0.1, 0.9, 0.5, 0.4, 0.2]), flagged(1, 3, n=5))
    assert found.k == 2 and found.precision == 1 / 2
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.area == pytest.approx(5 / 6)
    assert found.random["precision"].mean == pytest.approx(2 / 5) and found.random["area"].mean == pytest.approx(0.5)
    assert "2 of 5 tokens matter (w1, w3)" in repr(found) and "precision at 2 0.500" in repr(found)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=6), st.integers(1, 6))
def test_ties_are_the_mean_over_all_orders(pairs, k):
    values, flags = ([*column] for column in zip(*pairs, strict=True))
    if all(flags) or not any(flags):
        return
    k = min(k, len(flags))
    found = grade(explained(values), [False, *flags, False], k=k, draws=100)
    for name, expected in over_all_orders(values, flags, k).items():
        assert getattr(found, name) == pytest.approx(expected)
    for name, expected in over_all_orders([0] * len(flags), flags, k).items():
        assert found.random[name].mean == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1e300, -2.0, 0.0, 5e-324, 1.0, 1e300]), st.booleans()), min_size=2))
def test_the_area_is_scikit_learns_with_ties_and_average_precision_without(pairs):
    values, flags = ([*column] for column in zip(*pairs, strict=True))
    if all(flags) or not any(flags):
        with pytest.raises(GradingError, match="nothing can be found"):
            grade(explained(values), [False, *flags, False])
        return
    found = grade(explained(values), [False, *flags, False], by="value", draws=100)
    assert found.area == pytest.approx(roc_auc_score(flags, values))
    distinct = np.random.default_rng(0).permutation(len(flags)).astype(float)
    found = grade(explained(distinct.tolist()), [False, *flags, False], by="value", draws=100)
    assert found.average_precision == pytest.approx(average_precision_score(flags, distinct))
    assert found.area == pytest.approx(roc_auc_score(flags, distinct))


def test_an_explanation_without_an_order_has_what_chance_has():
    found = grade(explained([3.0] * 7), flagged(2, 5, n=7))
    for name in MEASURES:
        assert getattr(found, name) == pytest.approx(found.random[name].mean)


def test_random_intervals_are_those_of_all_orders():
    found = grade(explained([float(i) for i in range(6)]), flagged(0, 4, n=6), draws=20_000)
    every = [of_order(list(order), 2) for order in set(permutations([True] * 2 + [False] * 4))]
    for name in MEASURES:
        values = [one[name] for one in every]
        assert found.random[name].low == pytest.approx(np.quantile(values, 0.025, method="inverted_cdf"))
        assert found.random[name].high == pytest.approx(np.quantile(values, 0.975, method="inverted_cdf"))
    again = grade(explained([float(i) for i in range(6)]), flagged(0, 4, n=6), draws=20_000)
    assert again.random == found.random


def test_signs_count_or_do_not():
    values = explained([-5.0, 1.0, 2.0])
    assert grade(values, flagged(0, n=3)).area == 1 and grade(values, flagged(0, n=3), by="value").area == 0
    assert "largest first" in repr(grade(values, flagged(0, n=3), by="value"))


def test_a_rationale_is_flags_words_spans_or_a_truth():
    model, found = course.load("planted"), truth("The dog was NOT happy, on Sunday!")
    att = course.attribute(model, found.sentence, method="attention")
    flags = [text in ("not", "happy") for text in att.tokens]
    spans = [found.spans[i] for i in found.matters]
    words = [att.tokens.words[i] for i, flag in enumerate(flags) if flag]
    expected = grade(att, found)
    assert expected.flags == tuple(flags[1:-1]) and sum(expected.flags) == 2
    for rationale in (flags, spans, words, tuple(words), np.array(flags)):
        assert grade(att, rationale).__dict__ == expected.__dict__


def test_every_token_of_a_word_is_in_the_rationale():
    model = tiny.classifier()
    att = course.attribute(model, "the hopscotching cat", method="attention")
    parts = [i for i, word in enumerate(att.tokens.words) if word == 1]
    assert len(parts) > 1
    for found in (grade(att, [1]), grade(att, [(4, 16)])):
        assert [i + 1 for i, flag in enumerate(found.flags) if flag] == parts
    assert grade(att.words(), [1]).flags == grade(att.words(), [(6, 7)]).flags == (False, True, False)
    assert sum(grade(att.characters(), [(4, 16)]).flags) == 12


def test_spans_of_a_pair_are_of_its_first_text():
    model = tiny.classifier()
    att = course.attribute(model, "the cat", "the cat", method="attention")
    found = grade(att, [(4, 7)])
    places = [i for i, special in enumerate(att.tokens.special) if not special]
    marked = {att.tokens.segments[i] for i, flag in zip(places, found.flags, strict=True) if flag}
    assert marked == {0}


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_gradients_find_the_planted_rule(method):
    model = course.load("planted")
    truths = [one for one in generate(15, seed=3) if one.matters]
    grades = mean_grade([grade(course.attribute(model, one.sentence, method=method), one) for one in truths])
    assert grades.means["area"].low > grades.random["area"].high
    assert grades.texts == len(truths) and "random" in repr(grades)


def test_mean_grades_are_means_and_their_chance_is_narrower():
    grades = [grade(explained([1.0, 2.0, 3.0, 4.0]), flagged(i % 4, n=4)) for i in range(20)]
    found = mean_grade(grades)
    assert found.means["area"].mean == pytest.approx(np.mean([one.area for one in grades]))
    assert found.random["area"].mean == pytest.approx(0.5)
    assert 0.3 < found.random["area"].low < 0.5 < found.random["area"].high < 0.7
    assert found.random == mean_grade(grades).random
    for bad in ([], [grades[0], grade(explained([1.0, 2.0]), flagged(0, n=2), by="value")]):
        with pytest.raises(GradingError, match="at least one grade"):
            mean_grade(bad)


def test_what_cannot_be_graded_is_refused():
    att = explained([1.0, 2.0, 3.0])
    for rationale, options, says in (
        ([True, False, True], {}, "5 tokens, special ones included, but 3 flags"),
        ([True, *[False] * 4], {}, r"special tokens are no part.*\[CLS\] is flagged"),
        ([7], {}, "no word 7"),
        ([(100, 104)], {}, "no token has a character from 100 to 104"),
        ([(1, 1)], {}, "no token has a character"),
        (["w0"], {}, "a rationale is a flag for each token"),
        ([0, (0, 1)], {}, "a rationale is a flag for each token"),
        ([], {}, "nothing here matters"),
        ([0, 1, 2], {}, "everything here matters"),
        (truth("the dog was happy"), {}, "truth of another sentence"),
        ([0], {"k": 0}, "k must be"), ([0], {"k": 4}, "k must be"), ([0], {"by": "rank"}, "by must be"),
        ([0], {"draws": 10}, "draws must be"),
    ):  # fmt: skip
        with pytest.raises(GradingError, match=says):
            grade(att, rationale, **options)


def test_a_plain_sentence_has_nothing_to_find():
    found = truth("the dog met the cat")
    att = course.attribute(course.load("planted"), found.sentence, method="attention")
    with pytest.raises(GradingError, match="leave such texts out"):
        grade(att, found)


def test_values_on_special_tokens_do_not_count():
    att = explained([1.0, 2.0, 3.0])
    changed = att.values.clone()
    changed[0] = -1e6
    from dataclasses import replace

    assert grade(replace(att, values=changed), [2]).area == grade(att, [2]).area == 1
    assert torch.equal(att.values[1:4], changed[1:4])
