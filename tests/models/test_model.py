from __future__ import annotations

from html.parser import HTMLParser

import pytest
import torch
import transformers
from transformers import BertConfig, BertModel

from course.models import Limits, Model, ModelError, wrap
from course.models.entries import Score

SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
DISTILBERT = {"dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8}
GPT2 = {"n_embd": 8, "n_head": 2, "n_layer": 1, "n_positions": 30, "bos_token_id": 0, "eos_token_id": 0}
PAIRED = {
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
    "max_position_embeddings": 30,
}


def build(kind: str, **fields: object) -> transformers.PreTrainedModel:
    """A model with random weights: "Bert.ForSequenceClassification" with the config's fields."""
    family, head = kind.split(".")
    config = getattr(transformers, f"{family}Config")(**fields)
    cls = getattr(transformers, family + head)
    return cls._from_config(config, attn_implementation="eager")


@pytest.fixture
def bert(tiny_config: BertConfig) -> BertModel:
    return BertModel._from_config(tiny_config, attn_implementation="eager")


@pytest.fixture
def tokenizer(checkpoint) -> object:
    return transformers.AutoTokenizer.from_pretrained(checkpoint)


def test_a_wrapped_model_is_in_evaluation_mode_and_keeps_its_gradients(bert) -> None:
    bert.train()
    model = wrap(bert, None)
    assert not model.module.training
    assert all(parameter.requires_grad for parameter in model.module.parameters())


def test_shape_of_a_wrapped_model(bert, tokenizer) -> None:
    model = wrap(bert, tokenizer, name="mine")
    assert (model.layers, model.heads, model.decoder_layers) == (2, 2, None)
    embeddings, layer, pooler = (12 + 20 + 2 + 2) * 8, 4 * 72 + 144 + 136 + 32, 72
    assert model.parameters == embeddings + 2 * layer + pooler == 1560
    assert model.device == torch.device("cpu")
    assert (model.encoder_decoder, model.causal) == (False, False)
    assert repr(model) == ("mine: BertModel, 2 layers × 2 heads, 1,560 parameters, on cpu; from your own code")


def test_a_tied_parameter_counts_once() -> None:
    tied = build("GPT2.LMHeadModel", vocab_size=20, **GPT2)
    assert wrap(tied, None).parameters == wrap(tied.transformer, None).parameters


@pytest.mark.parametrize(
    ("kind", "fields", "task", "causal"),
    [
        ("Bert.Model", SMALL, "encoder", False),
        ("Bert.ForSequenceClassification", SMALL, "sequence-classification", False),
        ("DistilBert.ForQuestionAnswering", DISTILBERT, "question-answering", False),
        ("ViT.ForImageClassification", {**SMALL, "image_size": 32}, "image-classification", False),
        ("GPT2.Model", GPT2, "encoder", True),
        ("GPT2.LMHeadModel", GPT2, "causal-lm", True),
        ("Bert.LMHeadModel", {**SMALL, "is_decoder": True}, "causal-lm", True),
        ("Marian.MTModel", PAIRED, "translation", False),
        ("Bart.ForConditionalGeneration", PAIRED, "translation", False),
    ],
)  # fmt: skip
def test_what_a_model_does_is_read_from_its_class(kind: str, fields: dict, task: str, causal: bool) -> None:
    model = wrap(build(kind, vocab_size=20, **fields) if "ViT" not in kind else build(kind, **fields), None)
    assert (model.task, model.causal) == (task, causal)


def test_an_encoder_decoder_states_both_stacks() -> None:
    model = wrap(build("Marian.MTModel", vocab_size=20, **PAIRED), None)
    assert model.encoder_decoder
    assert (model.layers, model.decoder_layers) == (1, 2)
    assert "MarianMTModel, 1 + 2 layers × 2 heads" in repr(model)


@pytest.mark.parametrize(
    ("kind", "fields", "longest"),
    [
        ("Bert.Model", {**SMALL, "max_position_embeddings": 30}, 30),
        ("DistilBert.Model", {**DISTILBERT, "max_position_embeddings": 30}, 30),
        ("Roberta.Model", {**SMALL, "max_position_embeddings": 30, "pad_token_id": 1}, 28),
        ("XLMRoberta.Model", {**SMALL, "max_position_embeddings": 30, "pad_token_id": 1}, 28),
        ("Camembert.Model", {**SMALL, "max_position_embeddings": 30, "pad_token_id": 1}, 28),
        ("MPNet.Model", {**SMALL, "max_position_embeddings": 30}, 28),
        ("GPT2.Model", GPT2, 30),
        ("Marian.Model", PAIRED, 30),
        ("Bart.Model", PAIRED, 30),
    ],
)  # fmt: skip
def test_the_longest_input_fits_and_one_token_more_does_not(kind: str, fields: dict, longest: int) -> None:
    model = wrap(build(kind, vocab_size=20, **fields), None)
    assert model.limits == Limits(longest)
    words = {"input_ids": torch.full((1, longest), 5)}
    extra = {"decoder_input_ids": torch.zeros(1, 1, dtype=torch.long)} if model.encoder_decoder else {}
    model.module(**words, **extra)
    with pytest.raises((IndexError, RuntimeError)):
        model.module(input_ids=torch.full((1, longest + 1), 5), **extra)


def test_relative_positions_and_images_have_no_longest_input() -> None:
    assert wrap(
        build("T5.Model", d_model=8, d_kv=4, num_layers=1, num_heads=2, d_ff=8, vocab_size=20), None
    ).limits == Limits(None)
    assert wrap(build("ViT.Model", **SMALL, image_size=32), None).limits == Limits(None)


def test_a_tokenizer_that_stops_earlier_decides(bert, tokenizer) -> None:
    assert wrap(bert, tokenizer).limits == Limits(16)
    tokenizer.model_max_length = int(1e30)
    assert wrap(bert, tokenizer).limits == Limits(20)


def test_nothing_is_cut_or_padded_in_silence(bert, tokenizer) -> None:
    tokenizer.backend_tokenizer.enable_truncation(5)
    tokenizer.backend_tokenizer.enable_padding(length=5)
    wrapped = wrap(bert, tokenizer).tokenizer
    text = "the cat sat " * 100
    assert len(wrapped.backend_tokenizer.encode(text).ids) == 302
    assert len(wrapped(text, verbose=False).input_ids) == 302
    assert wrapped("the").input_ids == [2, 5, 3]
    assert len(tokenizer.backend_tokenizer.encode(text).ids) == 5, "the user's own tokenizer stays as it is"


def test_other_attention_than_eager_is_refused(tiny_config) -> None:
    module = BertModel._from_config(tiny_config, attn_implementation="sdpa")
    with pytest.raises(ModelError) as refused:
        wrap(module, None)
    assert str(refused.value) == (
        "custom computes attention with 'sdpa', which does not return its weights; "
        'load it with attn_implementation="eager"'
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_numbers_than_float32_are_refused(bert, dtype: torch.dtype) -> None:
    bert.pooler.to(dtype)
    with pytest.raises(
        ModelError, match=r"^mine has \w+ parameters \(pooler.dense.\w+\); load it with dtype=torch.float32"
    ):
        wrap(bert, None, name="mine")


def test_a_model_spread_over_devices_is_refused(bert) -> None:
    bert.pooler.to("meta")
    with pytest.raises(
        ModelError, match=r"^custom has parameters on cpu and meta; load it on one device, such as cpu$"
    ):
        wrap(bert, None)
    with pytest.raises(ModelError, match=r"^custom has parameters on meta;"):
        wrap(bert.to("meta"), None)


@pytest.mark.parametrize("other", [torch.nn.Linear(2, 2), torch.nn.Sequential(), "minilm", None])
def test_anything_but_a_transformers_model_is_refused(other: object) -> None:
    with pytest.raises(ModelError, match=r"^custom is a \w+; give wrap\(\) a transformers model$"):
        wrap(other, None)


def test_two_models_in_one_are_refused(bert) -> None:
    decoder = build("Bert.LMHeadModel", vocab_size=20, **SMALL, is_decoder=True, add_cross_attention=True)
    both = transformers.EncoderDecoderModel(encoder=bert, decoder=decoder)
    with pytest.raises(ModelError, match=r"^custom is made of several models; give wrap\(\) one of them$"):
        wrap(both, None)


def test_a_model_without_parameters_is_refused(bert) -> None:
    for name in ("embeddings", "encoder", "pooler"):
        setattr(bert, name, torch.nn.Identity())
    with pytest.raises(ModelError, match=r"^custom has no parameters; give wrap\(\) a whole model$"):
        wrap(bert, None)


def test_labels_of_a_classifier() -> None:
    classifier = build("Bert.ForSequenceClassification", vocab_size=20, **SMALL, id2label={0: "no", 1: "yes"})
    assert wrap(classifier, None).labels == ("no", "yes")
    assert wrap(classifier, None, labels=["a", "b"]).labels == ("a", "b")
    with pytest.raises(ModelError, match=r"^custom has 2 outputs, but 3 labels; give one label for each output$"):
        wrap(classifier, None, labels=["a", "b", "c"])


def test_an_encoder_has_no_labels(bert) -> None:
    assert wrap(bert, None).labels == ()
    with pytest.raises(ModelError, match=r"^custom is no classifier; leave out labels$"):
        wrap(bert, None, labels=["a"])


def test_a_model_is_shown_as_a_table_with_hostile_text_as_text(bert) -> None:
    hostile = "</table><script>alert(1)</script>"
    model = Model(
        role=hostile, profile=hostile, title=hostile, architecture=hostile, task="encoder", source=hostile,
        module=bert, tokenizer=None, labels=(hostile,), licence=hostile, scores=(Score(hostile, 1.0, hostile),),
    )  # fmt: skip
    tags = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(model._repr_html_())
    assert set(tags) == {"table", "tr", "th", "td"}
    assert tags.count("tr") == 6


def test_models_are_compared_by_identity(bert) -> None:
    assert wrap(bert, None) != wrap(bert, None)
