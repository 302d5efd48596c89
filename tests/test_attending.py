"""attend() on every architecture: the right weights, with the right tokens, or a clear refusal."""

from __future__ import annotations

import pytest
import torch

import course
from course.attending import run
from course.projections import ProjectionError, captured, collect
from tests import tiny

ENCODERS = ("bert", "distilbert", "roberta", "gpt2")


def own_attentions(model: course.Model, **inputs: torch.Tensor):
    with torch.no_grad():
        return model.module(**inputs, output_attentions=True).attentions


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("pair", [None, "unbelievable rabbit"])
def test_weights_are_the_models_own_and_equal_softmax_of_its_queries_and_keys(name, pair):
    model = getattr(tiny, name)()
    att = course.attend(model, "the cat sat on the mat", pair)
    texts = ("the cat sat on the mat",) if pair is None else ("the cat sat on the mat", pair)
    expected = torch.cat(own_attentions(model, **model.tokenizer(*texts, return_tensors="pt")))
    assert torch.equal(att.weights, expected)
    identities = att.identities(tolerance=1e-5)
    assert identities.hold and identities.recomputed is not None
    assert att.causal == (name == "gpt2") == (identities.later is not None)
    assert att.tokens.is_pair == (pair is not None)
    assert float(att.weights.std()) > 0.01, "nearly uniform weights would prove nothing"


def test_images_models_are_recomputed_too():
    model = tiny.vit()
    outputs, projections = run(model, {"pixel_values": torch.rand(1, 1, 16, 16)})
    error = (projections["self"].weights(causal=False) - torch.cat(outputs.attentions)).abs().max()
    assert error < 1e-5 and len(outputs.attentions) == 2


@pytest.mark.parametrize("name", ["bart", "marian"])
def test_encoder_decoder_gives_three_records_with_unequal_layers(name, tmp_path):
    model = tiny.bart() if name == "bart" else tiny.marian(tmp_path)
    both = course.attend(model, "the cat sat", "vamos al gimnasio")
    assert (both.encoder.layers, both.decoder.layers, both.cross.layers) == (3, 2, 2)
    assert both.cross.weights.shape[2:] == (len(both.decoder.tokens), len(both.encoder.tokens))
    assert both.cross.queries is both.decoder.tokens and both.cross.keys is both.encoder.tokens
    for identities in both.identities(1e-5).values():
        assert identities.hold and identities.recomputed is not None
    assert both.decoder.causal and not both.cross.causal
    assert {part.kind for part in (both.encoder, both.decoder, both.cross)} == {"encoder", "decoder", "cross"}
    for changed in (both.words(), both.without_special()):
        assert all(identities.hold for identities in changed.identities().values())


def test_the_decoder_reads_the_target_shifted_by_one():
    model = tiny.bart()
    both = course.attend(model, "the cat", "vamos al")
    labels = model.tokenizer(text_target="vamos al", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        outputs = model.module(**model.tokenizer("the cat", return_tensors="pt"), labels=labels, output_attentions=True)
    assert torch.equal(both.cross.weights, torch.cat(outputs.cross_attentions))
    assert torch.equal(both.decoder.weights, torch.cat(outputs.decoder_attentions))
    assert both.decoder.tokens.texts[0] == "</s>" and len(both.decoder.tokens) == labels.shape[1]


def test_an_own_translation_that_never_ends_is_read_as_far_as_the_model_reads(tmp_path, monkeypatch):
    """Read again, 62 written tokens can be more than 64."""
    monkeypatch.setattr("course.attending._translate", lambda _model, _inputs: "the cat sat " * 12)
    written = course.attend(tiny.marian(tmp_path), "the cat sat").decoder.tokens
    assert len(written) == 64 and written.dropped > 0


def test_without_a_target_the_models_own_translation_is_used(tmp_path):
    both = course.attend(tiny.marian(tmp_path), "the cat sat")
    assert both.cross.queries.sources[0].strip()


def test_nothing_stays_hooked_after_a_run_or_an_error():
    model = tiny.bert()
    course.attend(model, "the cat")
    with pytest.raises(RuntimeError, match="stop"), captured(model.module):
        raise RuntimeError("stop")
    hooks = [hook for module in model.module.modules() for hook in module._forward_hooks.values()]
    assert not [hook for hook in hooks if hook.__module__ == "course.projections"]


def test_a_model_without_separate_projections_says_so():
    with captured(torch.nn.Linear(2, 2)) as sites, pytest.raises(ProjectionError, match="supported are BERT"):
        collect(sites.get("self", []), layers=1)
    with captured(tiny.bert().module) as sites, pytest.raises(ProjectionError, match="0 of 2 attention blocks"):
        collect(sites["self"], layers=2)


def test_empty_attention_is_never_returned():
    model = course.wrap(tiny.bert().module, tiny.word_pieces(), name="was eager")
    model.module.config._attn_implementation = "sdpa"
    try:
        with pytest.raises((course.AttentionError, ValueError), match="eager"):
            course.attend(model, "the cat")
    finally:
        model.module.config._attn_implementation = "eager"


def test_the_shipped_model_keeps_its_identities_on_everyday_and_unusual_text():
    model = course.load("minilm", device="cpu")
    for text in ("The cat sat on the mat", "שלום עולם", "😍", "word " * 500):
        att = course.attend(model, text)
        assert att.weights.shape[:2] == (6, 12) and att.identities(1e-5).hold
    with pytest.raises(course.InputError, match="10002 tokens"):
        course.attend(model, "word " * 10000)
    assert course.attend(model, "The cat sat on the mat").strongest(0, 2, 1)[0][2] > 0.99
