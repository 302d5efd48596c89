from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertModel,
)

import course
from course.models import Model, ModelError, load

HEAD = {"classifier.weight", "classifier.bias"}


def differing(one: Model, other: Model) -> set[str]:
    """The names of the tensors that two models of one architecture do not share, bit for bit."""
    first, second = one.module.state_dict(), other.module.state_dict()
    assert first.keys() == second.keys()
    return {key for key, tensor in first.items() if not torch.equal(tensor, second[key])}


@pytest.fixture
def at(own):
    """Load the judge at a stage."""
    return lambda stage, **options: load("judge", stage=stage, device="cpu", catalogue=own.path, **options)


def test_before_fine_tuning_the_body_is_the_base_and_the_head_is_fresh(own, at) -> None:
    judge, base = at("pretrained"), load("base", device="cpu", catalogue=own.path)
    body = judge.module.bert.state_dict()
    assert all(torch.equal(body[key], tensor) for key, tensor in base.module.state_dict().items())
    assert differing(judge, at("trained")) >= HEAD
    assert not judge.module.classifier.bias.any() and judge.module.classifier.weight.std() < 0.05


@pytest.mark.parametrize("stage", ["pretrained", "random"])
def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before(at, stage: str) -> None:
    torch.manual_seed(1)
    first = at(stage, seed=3)
    torch.manual_seed(2)
    torch.rand(5)
    assert not differing(first, at(stage, seed=3))
    assert differing(first, at(stage)) == differing(first, at(stage, seed=0))


@pytest.mark.parametrize("stage", ["trained", "pretrained", "random"])
def test_random_numbers_go_on_as_if_nothing_had_been_loaded(at, own, stage: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    at(stage)
    load("base", catalogue=own.path)
    assert torch.equal(torch.rand(3), expected)


def test_another_seed_changes_the_head_and_nothing_of_the_body(at) -> None:
    assert differing(at("pretrained", seed=0), at("pretrained", seed=1)) == {"classifier.weight"}


def test_nothing_is_learnt_at_random(at) -> None:
    fresh, trained = at("random", seed=2), at("trained")
    drawn = {key for key in trained.module.state_dict() if "LayerNorm" not in key and not key.endswith("bias")}
    assert differing(fresh, trained) >= drawn
    assert differing(fresh, at("random", seed=1)) == drawn
    assert fresh.module.bert.encoder.layer[0].attention.self.query.weight.std() < 0.04  # drawn with 0.02


def test_all_stages_are_models_alike(at) -> None:
    trained = at("trained")
    for stage in ("pretrained", "random"):
        model = at(stage)
        assert type(model.module) is type(trained.module) is BertForSequenceClassification
        assert (model.labels, model.task, model.limits) == (trained.labels, trained.task, trained.limits)
        assert model.module.config._attn_implementation == "eager" and not model.module.training
        assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
        assert all(parameter.requires_grad for parameter in model.module.parameters())
        assert model.tokenizer.get_vocab() == trained.tokenizer.get_vocab()
        assert model.tokenizer("the cat sat").input_ids == trained.tokenizer("the cat sat").input_ids


def test_a_model_says_its_stage_and_seed_and_claims_no_score(at) -> None:
    trained, before, fresh = at("trained"), at("pretrained", seed=4), at("random")
    assert [(model.stage, model.seed) for model in (trained, before, fresh)] == [
        ("trained", None),
        ("pretrained", 4),
        ("random", 0),
    ]
    assert repr(trained).startswith("judge (shipped): ") and "accuracy 0.500 on a coin" in repr(trained)
    assert repr(before).startswith("judge (shipped, pretrained, seed 4): BertForSequenceClassification, ")
    assert repr(before).endswith("; a fresh head on weights from the tests")
    assert repr(fresh).startswith("judge (shipped, random, seed 0): ")
    assert repr(fresh).endswith("; nothing learnt, all weights fresh")
    for model in (before, fresh):
        assert not model.scores and "accuracy" not in repr(model) + model._repr_html_()


def test_attention_says_which_stage_it_comes_from(at) -> None:
    names = [course.attend(at(stage, **options), "the cat").model for stage, options in (
        ("trained", {}), ("pretrained", {}), ("random", {}), ("random", {"seed": 1}),
    )]  # fmt: skip
    assert names == ["judge", "judge (pretrained, seed 0)", "judge (random, seed 0)", "judge (random, seed 1)"]


def test_at_random_no_weights_are_read(own, at) -> None:
    for file in own.weights.rglob("*.safetensors"):
        file.write_bytes(b"damaged, and not read")
    assert at("random").parameters == 1560 + 3 * 8 + 3
    with pytest.raises(ModelError, match=r"^base \(shipped\): model.safetensors of the folder .* is altered"):
        at("pretrained")


# What is asked for.


def test_an_unknown_stage_is_answered_with_the_valid_ones(at) -> None:
    with pytest.raises(
        ModelError,
        match=r"^there is no stage 'pretraind', only 'trained', 'pretrained', 'random'; did you mean 'pretrai",
    ):
        at("pretraind")


def test_a_model_trained_from_scratch_has_no_earlier_training(own) -> None:
    with pytest.raises(ModelError) as refused:
        load("base", stage="pretrained", catalogue=own.path)
    assert str(refused.value) == (
        "base (shipped) has no stage 'pretrained', for nothing was trained on top of another model; "
        'use stage="trained" or stage="random"'
    )
    fresh = load("base", stage="random", seed=1, device="cpu", catalogue=own.path)
    assert differing(fresh, load("base", device="cpu", catalogue=own.path))


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True, 2**63])
def test_a_seed_that_is_none_is_refused(at, seed: object) -> None:
    with pytest.raises(ModelError, match=r"^the seed must be a whole number from 0 to 2 \*\* 63 - 1, not .*; leave it"):
        at("random", seed=seed)


def test_a_seed_of_numpy_is_a_seed(at) -> None:
    assert at("random", seed=np.int64(3)).seed == 3
    assert not differing(at("random", seed=np.int64(3)), at("random", seed=3))


# A checkpoint of the hub, and the one that it was fine-tuned from.


@pytest.fixture
def fine_tuned(hub, saved, tiny_config, catalogue):
    """Publish a classifier without its weights, and what it was fine-tuned from; gives the catalogue."""

    def publish(before: torch.nn.Module, task="sequence-classification", kind=BertForSequenceClassification, **config):
        files = saved(kind(BertConfig(**tiny_config.to_dict() | config)))
        files.pop("model.safetensors")
        hub.publish(files, repo="school/after")
        hub.publish({name: saved(before)[name] for name in ("config.json", "model.safetensors")}, repo="school/before")
        pretrained = {"title": "before", "licence": "MIT", "size": 1, "source": "elsewhere", "repo": "school/before"}
        return catalogue(hub={
            "repo": "school/after", "task": task, "architecture": kind.__name__,
            "files": ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"],
            "pretrained": {**pretrained, "files": ["model.safetensors", "config.json"]},
        })  # fmt: skip

    return publish


def test_before_fine_tuning_the_hub_gives_the_checkpoint_it_started_from(fine_tuned, tiny_config) -> None:
    before = BertForPreTraining(tiny_config)
    catalogue = fine_tuned(before, num_labels=5)
    one, two = (
        load("tiny", profile="hub", stage="pretrained", seed=i, device="cpu", catalogue=catalogue) for i in (0, 1)
    )
    assert differing(one, two) == {"classifier.weight"} and len(one.labels) == 5
    body = one.module.bert.state_dict()
    assert all(torch.equal(body[key], tensor) for key, tensor in before.bert.state_dict().items())
    assert (one.licence, one.source, one.title) == ("MIT", "elsewhere", "tiny (pretrained, seed 0)")


def test_of_a_masked_language_model_the_pooler_is_fresh_too(fine_tuned, tiny_config) -> None:
    catalogue = fine_tuned(BertForMaskedLM(tiny_config))
    one, two = (load("tiny", profile="hub", stage="pretrained", seed=i, catalogue=catalogue) for i in (0, 1))
    assert differing(one, two) == {"classifier.weight", "bert.pooler.dense.weight"}


def test_question_answering_has_no_pooler(fine_tuned, tiny_config) -> None:
    catalogue = fine_tuned(BertModel(tiny_config), task="question-answering", kind=BertForQuestionAnswering)
    one, two = (load("tiny", profile="hub", stage="pretrained", seed=i, catalogue=catalogue) for i in (0, 1))
    assert differing(one, two) == {"qa_outputs.weight"}


def test_before_fine_tuning_and_at_random_the_final_weights_are_not_asked_for(fine_tuned, hub, tiny_config) -> None:
    catalogue = fine_tuned(BertModel(tiny_config))
    load("tiny", profile="hub", stage="random", catalogue=catalogue)
    assert not any("safetensors" in request or "before" in request for request in hub.asked)
    load("tiny", profile="hub", stage="pretrained", catalogue=catalogue)
    assert not any("after" in request and "safetensors" in request for request in hub.asked)


def test_a_body_without_a_layer_is_refused(fine_tuned, tiny_config) -> None:
    catalogue = fine_tuned(BertModel(BertConfig(**tiny_config.to_dict() | {"num_hidden_layers": 1})))
    with pytest.raises(
        ModelError, match=r"^tiny \(hub\): the checkpoint lacks 16 of the parameters of BertForSequenceC"
    ):
        load("tiny", profile="hub", stage="pretrained", catalogue=catalogue)


def test_a_checkpoint_that_has_the_head_already_is_none_from_before(fine_tuned, tiny_config) -> None:
    catalogue = fine_tuned(BertForSequenceClassification(tiny_config))
    with pytest.raises(ModelError, match=r"^tiny \(hub\) lacks no parameter before fine-tuning; give the catalogue an"):
        load("tiny", profile="hub", stage="pretrained", catalogue=catalogue)


def test_both_repositories_are_locked_on_first_use(fine_tuned, tiny_config) -> None:
    from course.models.lock import locked

    load("tiny", profile="hub", stage="pretrained", catalogue=fine_tuned(BertModel(tiny_config)))
    assert set(locked("school/after").sha256) == {"config.json", "tokenizer.json", "tokenizer_config.json"}
    assert set(locked("school/before").sha256) == {"config.json", "model.safetensors"}
