"""swap_attention(): which predictions survive attention from elsewhere."""

from __future__ import annotations

import pytest

import course
from course.faithfulness.interventions import InterventionError
from course.faithfulness.swapping import swap_attention
from course.planted import generate
from tests import tiny

TEXTS = ["the cat sat on the mat", "the mat sat on the cat", "a rabbit stops", "who reads 10 words reads"]


def test_a_models_own_attention_keeps_every_prediction(planted):
    found = swap_attention(planted, [one.sentence for one in generate(8, seed=2)], planted)
    assert found.kept == (1, 1, 1) and found.distance.mean < 1e-6 and found.error == 0
    assert all(one.probability_before == pytest.approx(one.probability_after, abs=1e-6) for one in found.texts)


def test_the_planted_model_needs_its_attention(planted):
    truths = [one for one in generate(40, seed=2) if one.matters][:12]
    for pattern in ("uniform", course.load("planted", stage="random")):
        found = swap_attention(planted, [one.sentence for one in truths], pattern)
        assert found.kept.mean < 0.5 and found.distance.mean > 0.5 and found.error == 0
        assert found.kept.mean == sum(one.survived for one in found.texts) / len(truths)
    assert "(random)" in repr(found) and len(found.texts) == 12


def test_another_text_of_as_many_tokens_is_the_next_one():
    model = tiny.classifier()
    found = swap_attention(model, [*TEXTS, "the cat sat on the cat"], "another")
    assert [one.other for one in found.texts] == [TEXTS[1], "the cat sat on the cat", TEXTS[0]]
    assert found.skipped == (TEXTS[2], TEXTS[3]) and "left out: 2 texts" in repr(found)
    twice = swap_attention(model, [TEXTS[0], TEXTS[0], TEXTS[1]], "another")
    assert [one.other for one in twice.texts] == [TEXTS[1], TEXTS[1], TEXTS[0]]  # the same text is no other
    again = swap_attention(model, [TEXTS[0], TEXTS[1]], "another")
    assert again.texts[0] == found.texts[0]


def test_numbers_are_those_of_the_model_inside_a_replacement():
    model = tiny.classifier()
    found = swap_attention(model, TEXTS[:1]).texts[0]
    before = course.rank(model, TEXTS[0])
    with course.replaced(model):
        after = course.rank(model, TEXTS[0])
    assert found.before == before.top.label and found.after == after.top.label
    assert found.probability_after == pytest.approx(after[before.top.label], abs=1e-7)
    distance = sum(abs(before[label] - after[label]) for label in model.labels) / 2
    assert found.distance == pytest.approx(distance, abs=1e-7)


def test_chance_is_worked_out_from_the_labels():
    from course.faithfulness.intervals import Interval
    from course.faithfulness.swapping import AttentionSwap, Swapped

    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "a")]
    texts = tuple(Swapped("t", before, after, 0.9, 0.5, 0.4, "") for before, after in pairs)
    found = AttentionSwap(texts, (), Interval(0.5, 0, 1), Interval(0.4, 0.4, 0.4), "m", "uniform attention", 0.0)
    assert found.chance == (3 * 3 + 1 * 1) / 16
    assert "before: 3 a, 1 b; after: 3 a, 1 b" in repr(found)


def test_what_cannot_be_swapped_is_refused(planted):
    model = tiny.classifier()
    for arguments, says in (
        ((tiny.bert(), TEXTS), "takes a classifier of texts or images"),
        ((model, TEXTS[0]), "a list of at least one text"),
        ((model, []), "a list of at least one text"),
        ((model, TEXTS, "frozen"), "'uniform', 'another' or a model"),
        ((model, TEXTS[2:], "another"), "no two of these texts"),
        ((model, TEXTS, planted), "read different tokens"),
    ):
        with pytest.raises(InterventionError, match=says):
            swap_attention(*arguments)
    with pytest.raises(InterventionError, match="resamples"):
        swap_attention(model, TEXTS, resamples=3)
