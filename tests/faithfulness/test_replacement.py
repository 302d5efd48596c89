"""replaced(): attention put in from elsewhere, on every architecture, proven by what the model returns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import course
from course.faithfulness.interventions import InterventionError, blocks_of
from course.faithfulness.replacement import replaced
from tests import tiny
from tests.readings import NAMES, Reading, reading

TEXT, OTHER = "the cat sat on the mat", "the mat sat on the cat"
FIELDS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")


@pytest.fixture(scope="module", params=NAMES)
def read(request, tmp_path_factory) -> Reading:
    return reading(request.param, tmp_path_factory.mktemp("marian"))


def test_uniform_attention_is_even_over_what_each_token_may_see(read):
    with replaced(read.model) as replacement:
        outputs = read.outputs(output_attentions=True)
    returned = [layer for field in FIELDS for layer in getattr(outputs, field, None) or ()]
    assert len(returned) == replacement.fired == sum(map(len, blocks_of(read.model).values()))
    for layer in returned:
        queries, keys = layer.shape[-2:]
        decoder = read.model.causal or any(
            layer is other for other in getattr(outputs, "decoder_attentions", None) or ()
        )
        seen = torch.ones(queries, keys).tril() if decoder else torch.ones(queries, keys)
        assert torch.allclose(layer, (seen / seen.sum(-1, keepdim=True)).expand_as(layer), atol=1e-7)
    assert replacement.error == 0 and replacement.changed and replacement.passes == 1
    assert "uniform over what each token may see" in repr(replacement) and "up to 0.0e+00" in repr(replacement)


@pytest.mark.filterwarnings("ignore:no output changed")
def test_its_own_attention_put_in_gives_the_same_output(read):
    if read.model.tokenizer is None:
        return  # attend() reads texts
    pair = (TEXT, OTHER) if read.model.encoder_decoder else (TEXT,)
    before = course.attend(read.model, *pair)
    with replaced(read.model, before) as replacement:
        again = course.attend(read.model, *pair)
    assert replacement.error == 0 and replacement.change < 2e-6
    assert repr(again) == repr(before)


def test_the_model_is_restored_even_after_an_exception(read):
    before = read()
    parts = [part for part in read.model.module.modules() if hasattr(part, "config")]

    def broken() -> None:
        with replaced(read.model):
            read()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        broken()
    assert torch.equal(read(), before)
    assert {part.config._attn_implementation for part in parts} == {"eager"}
    hooks = [len(part._forward_pre_hooks) for part in read.model.module.modules()]
    with replaced(read.model):
        read()
    assert [len(part._forward_pre_hooks) for part in read.model.module.modules()] == hooks


def test_frozen_attention_of_another_text_is_what_the_model_returns():
    model = tiny.bert()
    frozen = course.attend(model, OTHER)
    with replaced(model, frozen) as replacement:
        inside = course.attend(model, TEXT)
    assert torch.equal(inside.weights, frozen.weights) and inside.queries != frozen.queries
    assert (
        replacement.error == 0
        and replacement.changed
        and "frozen as in tiny BERT on [CLS] the mat" in repr(replacement)
    )


def test_frozen_attention_of_a_translator_is_put_into_all_three_kinds():
    model = tiny.bart()
    frozen = course.attend(model, OTHER, TEXT)
    with replaced(model, frozen) as replacement:
        inside = course.attend(model, TEXT, OTHER)
    for kind in ("encoder", "decoder", "cross"):
        assert torch.equal(getattr(inside, kind).weights, getattr(frozen, kind).weights)
    assert replacement.error == 0 and replacement.fired == 7


def test_the_output_of_a_block_is_the_pattern_times_its_values():
    model = tiny.bert()
    block, kept = blocks_of(model)["self"][0], {}
    frozen = course.attend(model, OTHER)
    handles = [
        block.projection.register_forward_pre_hook(lambda _m, args: kept.update(heads=args[0][0].detach())),
        block.module.value.register_forward_hook(lambda _m, _a, out: kept.update(values=out[0].detach())),
    ]
    with replaced(model, frozen):
        course.attend(model, TEXT)
    for handle in handles:
        handle.remove()
    values = kept["values"].unflatten(-1, (4, -1)).transpose(0, 1)
    assert torch.allclose((frozen.weights[0] @ values).transpose(0, 1).flatten(1), kept["heads"], atol=1e-6)


def test_padding_gets_nothing_and_batched_equals_single():
    model = tiny.classifier()
    both = model.tokenizer([TEXT, "a rabbit"], return_tensors="pt", padding=True)
    single = model.tokenizer(["a rabbit"], return_tensors="pt")
    with torch.no_grad(), replaced(model):
        batched = model.module(**both, output_attentions=True)
        alone = model.module(**single).logits[0]
    real = int(both["attention_mask"][1].sum())
    assert torch.equal(batched.attentions[0][1, ..., real:], torch.zeros_like(batched.attentions[0][1, ..., real:]))
    assert torch.allclose(batched.attentions[0][1, ..., :real], torch.tensor(1 / real))
    assert torch.allclose(batched.logits[1], alone, atol=3e-6)


def test_a_frozen_pattern_does_not_look_at_padding():
    model = tiny.classifier()
    frozen = course.attend(model, TEXT)
    ids = model.tokenizer(TEXT, return_tensors="pt")
    ids["attention_mask"][0, -2:] = 0
    with pytest.raises(InterventionError, match="hides, such as padding"), replaced(model, frozen, compared=False):
        model.module(**ids)


def test_other_models_of_the_class_attend_as_ever():
    model, other = tiny.bert(), tiny.classifier()
    before = course.attend(other, TEXT).weights
    with replaced(model):
        course.attend(model, TEXT)
        assert torch.equal(course.attend(other, TEXT).weights, before)


def test_replacements_nest_and_the_outer_one_comes_back():
    model = tiny.bert()
    frozen = course.attend(model, OTHER)
    with replaced(model):
        with replaced(model, frozen):
            assert torch.equal(course.attend(model, TEXT).weights, frozen.weights)
        assert len(course.attend(model, TEXT).weights.unique()) == 1


def test_generation_attends_evenly_to_all_that_was_written():
    model = tiny.gpt2()
    inputs = model.tokenizer("the cat", return_tensors="pt")
    with replaced(model) as replacement:
        written = model.module.generate(
            **inputs, max_new_tokens=3, do_sample=False, pad_token_id=1, output_attentions=True,
            return_dict_in_generate=True,
        )  # fmt: skip
    last = written.attentions[-1][0]
    assert torch.allclose(last, torch.full_like(last, 1 / last.shape[-1]))
    assert replacement.fired == 2 * replacement.passes and replacement.error == 0


def test_gradients_pass_through():
    model = tiny.classifier()
    with replaced(model):
        assert course.attribute(model, TEXT).complete


def test_a_block_without_a_forward_pass_says_so():
    with pytest.raises(InterventionError, match="no forward pass of tiny BERT ran"), replaced(tiny.bert()):
        pass
    assert tiny.bert().module.config._attn_implementation == "eager"


def test_patterns_that_do_not_fit_are_refused():
    model = tiny.bert()
    att = course.attend(model, TEXT)
    for pattern, says in (
        ("even", "pattern must be 'uniform' or an Attention"),
        (att.weights, "not Tensor"),
        (course.attend(tiny.bart(), TEXT, TEXT), "has self attention, the pattern has encoder and decoder and cross"),
        (att.without_special(), "lacks its special tokens"),
        (
            replace(att, weights=att.weights[:1], projections=None),
            "2 layers × 4 heads of self attention, the pattern 1 × 4",
        ),
    ):
        with pytest.raises(InterventionError, match=says), replaced(model, pattern):
            raise AssertionError("never reached")
    with pytest.raises(InterventionError, match="an input of as many tokens"), replaced(model, att, compared=False):
        course.attend(model, "a rabbit")
