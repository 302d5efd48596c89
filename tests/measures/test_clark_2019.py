"""The statistics of Clark et al. 2019, written out as sums over rows and columns."""

from __future__ import annotations

import math

import pytest
import torch

import course
from course import measures
from course.attention import AttentionError
from tests import tiny
from tests.measures.test_shares import pair
from tests.test_attention import record
from tests.views.synthetic import PAIR, SENTENCE, attention


def test_each_statistic_is_its_formula():
    att = attention(layers=1, heads=1, queries=PAIR, second=6)
    a, n = att.weights[0, 0].double().tolist(), len(PAIR)
    seps, stops = [5, 10], [4, 9]
    rest = [i for i in range(n) if i not in seps]
    found = {name: values.item() for name, values in measures.clark(att).items()}
    smooth = [[0.9999 * w + 0.0001 / n for w in row] for row in a]
    entropies = [-sum(w * math.log(w) for w in row) for row in smooth]
    expected = {
        "self": sum(a[i][i] for i in range(n)) / n,
        "left": sum(a[i][i - 1] for i in range(1, n)) / n,
        "right": sum(a[i][i + 1] for i in range(n - 1)) / n,
        "sep": sum(a[i][j] for i in range(n) for j in seps) / n,
        "sep_sep": sum(a[i][j] for i in seps for j in seps) / 2,
        "rest_sep": sum(a[i][j] for i in rest for j in seps) / (n - 2),
        "cls": sum(a[i][0] for i in range(n)) / n,
        "punct": sum(a[i][j] for i in range(n) for j in stops) / n,
        "entropy": sum(entropies) / n,
        "entropy_cls": entropies[0],
    }
    assert found == pytest.approx(expected, abs=1e-6)


def test_neighbours_are_divided_by_all_tokens():
    att = attention(queries=SENTENCE)
    ratio = measures.clark(att)["left"] / measures.previous_token_share(att)
    assert torch.allclose(ratio, torch.full_like(ratio, 7 / 8))


def test_smoothing_makes_entropy_larger():
    att = attention(queries=SENTENCE)
    assert (measures.clark(att)["entropy"] > measures.entropy(att)).all()


def test_other_names_of_the_special_tokens_serve():
    found = measures.clark(course.attend(tiny.roberta(), "the cat", "a turtle"))
    assert all(torch.isfinite(values).all() for values in found.values()) and found["sep"].min() > 0


def test_what_they_cannot_be_of_is_refused():
    with pytest.raises(AttentionError, match="begins with"):
        measures.clark(course.attend(tiny.gpt2(), "the cat sat"))
    with pytest.raises(AttentionError, match="begins with"):
        measures.clark(record([[[[0.5, 0.5], [0.5, 0.5]]]], "a", "b"))
    for att in (pair(*torch.full((9, 9), 1 / 9).tolist()).without_special(),
                course.attend(tiny.bart(), "the cat", "vamos al").cross):  # fmt: skip
        with pytest.raises(AttentionError, match="give it whole"):
            measures.clark(att)
