"""neuron_view() on every architecture: the page's numbers make the model's own attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import course
from course.attending import run
from course.neuron import neuron_view
from tests import tiny
from tests.views.projected import carried
from tests.views.synthetic import tokens_of

TEXT = "the cat sat on the mat"


def softmax(scores: np.ndarray) -> np.ndarray:
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def check(found, weights: torch.Tensor, projections, *, causal: bool) -> None:
    """Within the stated bounds of the model's numbers, and the vectors make the weights."""
    assert np.abs(found.weights - weights.numpy()).max() <= 1 / 131_070 + 1e-7
    for drawn, own in ((found.queries, projections.queries.numpy()), (found.keys, projections.keys.numpy())):
        largest = np.abs(own).max((2, 3), keepdims=True)
        assert (np.abs(drawn - own) <= largest / 65_534 * 1.001).all()
        assert largest.max() > 0.1
    scores = found.queries @ found.keys.swapaxes(-1, -2) / found.queries.shape[-1] ** 0.5
    if causal:
        scores[..., ~np.tri(*scores.shape[-2:], dtype=bool)] = -np.inf
    assert np.abs(softmax(scores) - weights.numpy()).max() < 1e-3
    assert weights.std() > 0.01, "nearly uniform weights would prove nothing"


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "gpt2"])
@pytest.mark.parametrize("pair", [None, "unbelievable rabbit"])
def test_page_carries_the_models_own_attention(name, pair):
    model = getattr(tiny, name)()
    (found,) = carried(neuron_view(model, TEXT, pair, layer=1, head=2))
    inputs = model.tokenizer(*(TEXT,) if pair is None else (TEXT, pair), return_tensors="pt")
    with torch.no_grad():
        own = torch.cat(model.module(**inputs, output_attentions=True).attentions)
    check(found, own, course.attend(model, TEXT, pair).projections, causal=model.causal)


@pytest.mark.parametrize("name", ["bart", "marian"])
def test_encoder_decoder_and_cross_attention(name, tmp_path):
    model = tiny.bart() if name == "bart" else tiny.marian(tmp_path)
    att = course.attend(model, "the cat sat", "vamos al gimnasio")
    view = neuron_view(model, "the cat sat", "vamos al gimnasio", layer=1, head=3, show="decoder")
    for found, part in zip(carried(view), (att.encoder, att.decoder, att.cross), strict=True):
        check(found, part.weights, part.projections, causal=part.causal)
    (alone,) = carried(neuron_view(att.decoder))
    check(alone, att.decoder.weights, att.decoder.projections, causal=True)


def test_images():
    model = tiny.vit()
    outputs, projections = run(model, {"pixel_values": torch.rand(1, 1, 16, 16)})
    tokens = tokens_of(("[CLS]", *(f"patch {i}" for i in range(16))))
    att = course.Attention.of(outputs.attentions, tokens, model=model.title, projections=projections["self"])
    (found,) = carried(neuron_view(att))
    check(found, torch.cat(outputs.attentions), projections["self"], causal=False)


def test_minilm_as_shipped():
    model = course.load("minilm", device="cpu")
    view = neuron_view(model, "The cat sat on the mat", layer=0, head=2, query="sat")
    att = course.attend(model, "The cat sat on the mat")
    (found,) = carried(view)
    check(found, att.weights, att.projections, causal=False)
    assert "query sat (token 3)" in view.alt
    assert "Strongest keys: cat 1.00" in view.alt  # a head that looks at the previous token


def test_an_attention_is_as_good_as_model_and_text():
    model = tiny.bert()
    assert neuron_view(model, TEXT).html == neuron_view(course.attend(model, TEXT)).html


def test_what_cannot_be_understood_is_refused():
    model = tiny.bert()
    att = course.attend(model, TEXT)
    for wrong in ({"text": TEXT}, {"pair": TEXT}, {"truncate": True}):
        with pytest.raises(course.ViewError, match="has its text already"):
            neuron_view(att, **wrong)
    with pytest.raises(course.ViewError, match=r"a model and a text, or what course\.attend returned, not Model alone"):
        neuron_view(model)
    with pytest.raises(course.AttentionError, match="layer must be a whole number from 0 to 1"):
        neuron_view(model, TEXT, layer=2)


def test_a_model_without_queries_and_keys_gives_an_error_and_no_picture(monkeypatch):
    monkeypatch.setattr("course.projections._NAMES", ())
    with pytest.raises(course.ViewError, match="not one whose queries and keys can be read: BERT"):
        neuron_view(tiny.bert(), TEXT)
