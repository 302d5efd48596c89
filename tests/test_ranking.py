"""Labels by probability: softmax, sigmoid, ties, and what cannot be ranked."""

from __future__ import annotations

import pytest
import torch

import course
from course.ranking import Ranked, Ranking, RankingError
from tests import tiny


def with_logits(*logits: float, **config) -> course.Model:
    """A classifier that answers with these logits to everything."""
    model = tiny.classifier(len(logits), **config)
    with torch.no_grad():
        model.module.classifier.weight.zero_()
        model.module.classifier.bias.copy_(torch.tensor(logits))
    return model


def test_softmax_in_falling_order_as_lines():
    ranking = course.rank(with_logits(0.0, 2.0, 1.0, id2label={0: "a", 1: "😍", 2: "c"}), "the cat")
    expected = torch.tensor([0.0, 2.0, 1.0]).softmax(0)
    assert [entry.label for entry in ranking] == ["😍", "c", "a"] and ranking.exclusive
    assert ranking.top.probability == pytest.approx(float(expected[1])) and ranking["a"] == pytest.approx(
        float(expected[0])
    )
    assert repr(ranking) == "1) 😍 0.6652\n2) c 0.2447\n3) a 0.09"
    assert sum(entry.probability for entry in ranking) == pytest.approx(1)


def test_several_labels_at_once_have_a_sigmoid_each():
    ranking = course.rank(with_logits(0.0, 2.0, problem_type="multi_label_classification"), "the cat")
    assert not ranking.exclusive and ranking.top.probability == pytest.approx(0.8808, abs=1e-4)
    assert ranking["LABEL_0"] == pytest.approx(0.5)


def test_ties_keep_the_models_order():
    ranking = course.rank(with_logits(1.0, 1.0, 1.0, 1.0), "the cat", labels=["d", "b", "c", "a"])
    assert [entry.label for entry in ranking] == ["d", "b", "c", "a"]


def test_k_keeps_the_first_and_a_pair_is_ranked():
    ranking = course.rank(with_logits(0.0, 2.0, 1.0), "the cat", "the mat", k=2)
    assert len(ranking) == 2 and ranking.total == 3 and ranking.text == "the cat | the mat"
    assert len(course.rank(with_logits(0.0, 1.0), "the cat", k=99)) == 2


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "2"])
def test_a_senseless_k_is_refused(k):
    with pytest.raises(RankingError, match="k must be a whole number from 1 to 3"):
        course.rank(tiny.classifier(), "the cat", k=k)


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c", "d"], "abc"])
def test_the_number_of_labels_must_fit(labels):
    with pytest.raises(RankingError, match=r"3 labels, but \d names"):
        course.rank(tiny.classifier(), "the cat", labels=labels)


def test_a_model_without_labels_says_what_is_needed():
    with pytest.raises(RankingError, match="BertModel, which gives no label scores"):
        course.rank(tiny.bert(), "the cat")
    with pytest.raises(RankingError, match="nothing to rank"):
        course.rank(tiny.classifier(1), "the cat")


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(RankingError, match="not numbers"):
        course.rank(with_logits(float("nan"), 1.0), "the cat")


def test_text_that_cannot_be_read_is_refused():
    with pytest.raises(course.InputError, match="empty"):
        course.rank(tiny.classifier(), " ")


def test_the_table_escapes_what_people_type():
    html = Ranking((Ranked("<script>alert(1)</script>", 0.5),), "<img src=x>", "m & m", True, 1)._repr_html_()
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html and "m &amp; m" in html


def test_an_unknown_label_says_which_there_are():
    with pytest.raises(KeyError, match="'z' is not among LABEL_"):
        course.rank(tiny.classifier(), "the cat")["z"]
