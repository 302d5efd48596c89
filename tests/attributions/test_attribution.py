"""The record: values with their tokens, sums that stay, and a gap that is never hidden."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.attributions.attribution import Attribution
from course.attributions.embedded import AttributionError
from course.tokenising import tokenise
from tests import tiny

TEXT = "unbelievable tokens stop"


def record(values=None, text=TEXT, **settings) -> Attribution:
    tokens, _ = tokenise(tiny.bert(), text)
    values = torch.arange(len(tokens)) * (-1.0) ** torch.arange(len(tokens)) if values is None else values
    known = {
        "target": "good", "of": "logit", "predicted": True, "score": 3.0, "method": "integrated_gradients",
        "model": "Tiny", "baseline": "[MASK] everywhere", "baseline_score": 1.0, "tolerance": 1e-3, "steps": 32,
    }  # fmt: skip
    return Attribution(values, tokens, **known | settings)


def test_the_gap_is_what_the_values_miss_of_the_change():
    tokens, _ = tokenise(tiny.bert(), "cat")
    exact = record(torch.tensor([0.0, 2.0, 0.0]), "cat")
    assert len(tokens) == 3 and exact.change == 2 and exact.gap == 0 and exact.complete
    off = record(torch.tensor([0.0, 2.1, 0.0]), "cat")
    assert off.gap == pytest.approx(0.1) and not off.complete
    assert "NOT within 0.10% of the change after 32 steps: raise most_steps" in repr(off)
    assert "within 0.10% of the change after 32 steps" in repr(exact) and "NOT" not in repr(exact)
    assert record(torch.tensor([0.0, 2.1, 0.0]), "cat", tolerance=0.1).complete


def test_methods_that_promise_nothing_say_so():
    other = record(method="occlusion", tolerance=None, steps=None)
    assert other.complete is None and other.gap is not None and "this method promises none smaller" in repr(other)
    plain = record(method="attention", baseline="layer 1, from [CLS]", baseline_score=None, tolerance=None, steps=None)
    assert plain.gap is None and plain.change is None and not plain.signed and "layer 1, from [CLS]" in repr(plain)


def test_rounding_is_no_gap():
    assert record(torch.tensor([0.0, 1e-8, 0.0]), "cat", score=1.0).complete


def test_words_and_characters_keep_the_sum_and_the_places():
    tokens = record()
    words, characters = tokens.words(), tokens.characters()
    total = float(tokens.values.sum())
    assert words.level == "words" and characters.level == "characters"
    for found in (words, characters):
        assert float(found.values.sum()) == pytest.approx(total) and found.gap == pytest.approx(tokens.gap)
    assert words.tokens.texts == ("[CLS]", "unbelievable", "tokens", "stop", "[SEP]")
    assert words.tokens.offsets[1] == (0, 12) and len(characters) == len(TEXT) + 2
    assert characters.words().values.sum() == pytest.approx(total) and characters.characters() is characters
    first = [float(characters.values[i]) for i, o in enumerate(characters.tokens.offsets) if o and o[1] <= 12]
    assert sum(first) == pytest.approx(float(words.values[1]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12))
def test_sums_stay_for_any_values(values):
    tokens, _ = tokenise(tiny.bert(), TEXT)
    found = record(torch.tensor((values * 3)[: len(tokens)], dtype=torch.float64))
    total, size = float(found.values.sum()), float(found.values.abs().sum()) + 1
    assert float(found.words().values.sum()) == pytest.approx(total, abs=1e-12 * size)
    assert float(found.characters().values.sum()) == pytest.approx(total, abs=1e-12 * size)


def test_strongest_is_by_size_or_by_one_sign_and_never_lists_a_zero():
    found = record(torch.tensor([0.0, 2.0, -3.0, 2.0, 0.0]), "the cat mat")
    assert [(one.position, one.value) for one in found.strongest(9)] == [(2, -3.0), (1, 2.0), (3, 2.0)]
    assert [one.position for one in found.strongest(1, "for")] == [1]
    assert [one.position for one in found.strongest(9, "against")] == [2]
    assert found.strongest(0) == [] and str(found.strongest(1)[0]).endswith("−3.000")
    with pytest.raises(AttributionError, match="only must be"):
        found.strongest(1, "rises")


def test_what_does_not_fit_is_refused():
    with pytest.raises(AttributionError, match="one for each of"):
        record(torch.zeros(2))
    with pytest.raises(AttributionError, match="NaN or infinity"):
        record(torch.tensor([0.0, float("nan"), 0.0]), "cat")
    with pytest.raises(AttributionError, match="method must be one of"):
        record(method="shap")


def test_it_shows_itself_and_says_why_where_it_cannot(monkeypatch):
    data, metadata = record()._repr_mimebundle_()
    assert {"text/html", "image/png", "text/plain"} == set(data) and metadata["image/png"]["alt"]
    monkeypatch.setattr("course.views.view.BUDGET", 1000)
    data, _ = record()._repr_mimebundle_()
    assert set(data) == {"text/plain"} and "no picture: this picture would put" in data["text/plain"]


def test_printing_names_what_has_no_shape():
    assert "integrated gradients of Tiny: " in repr(record()) and "the model's own choice" in repr(record())
    assert "own choice" not in repr(record(predicted=False)) and "−3.000" in repr(record(score=-3.0))
