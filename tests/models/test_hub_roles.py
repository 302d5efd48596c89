"""Each role's hub entry, loaded from a hub on this machine that has small random models in the same layout."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from PIL import Image
from transformers import BertModel

import course
from course.models import ModelError, load, read_catalogue
from course.models.pull import pull
from tests import mirror

HUB_ROLES = [role.name for role in read_catalogue().values() if role.hub]
EARLIER = [role.name for role in read_catalogue().values() if role.hub and role.hub.pretrained]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """The course's own catalogue, but for the revisions and hashes of the real files."""
    path = tmp_path / "catalogue.toml"
    path.write_text(mirror.catalogue(), encoding="utf-8")
    return path


@pytest.fixture
def published(hub, catalogue: Path) -> Callable[[str], Any]:
    """Publish a role's repositories under their real names; gives its entry."""

    def publish(role: str):
        for repo, files in mirror.repositories(role).items():
            hub.publish(files, repo=repo)
        return read_catalogue(catalogue)[role].hub

    return publish


def test_every_role_of_the_catalogue_is_tried_here() -> None:
    assert list(mirror.CHECKPOINTS) == HUB_ROLES
    assert list(mirror.BEFORE) == EARLIER


@pytest.mark.parametrize("role", HUB_ROLES)
def test_the_hub_checkpoint_of_a_role(role: str, published, hub, catalogue: Path) -> None:
    entry = published(role)
    model = load(role, profile="hub", device="cpu", catalogue=catalogue)
    assert type(model.module).__name__ == model.architecture == entry.architecture
    assert (model.task, model.licence, model.stage) == (entry.task, entry.licence, "trained")
    assert model.labels == {
        "sentiment": ("negative", "positive"),
        "paraphrase": ("not equivalent", "equivalent"),
        "emoji-es": read_catalogue()["emoji-es"].hub.labels,
        "digits": tuple(mirror.IMAGENET.values()),
    }.get(role, ())
    asked = {request.rpartition("/")[2] for request in hub.asked}
    assert asked == set(entry.files)  # nothing that is not listed was read


@pytest.mark.parametrize("role", [role for role in HUB_ROLES if role != "digits"])
def test_the_hub_checkpoint_of_a_role_attends_and_ranks(role: str, published, catalogue: Path) -> None:
    published(role)
    model = load(role, profile="hub", device="cpu", catalogue=catalogue)
    attention = course.attend(model, "the cat sat on the mat", *(["vamos"] if role in ("paraphrase", "qa") else []))
    parts = (attention.encoder, attention.cross) if role == "translate-en-de" else (attention,)
    for part in parts:
        part.identities()
    if model.labels:
        assert len(course.rank(model, "the cat")) == len(model.labels)


def test_images_are_prepared_as_the_checkpoint_says(published, catalogue: Path) -> None:
    published("digits")
    model = load("digits", profile="hub", device="cpu", catalogue=catalogue)
    picture = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    pixels = model.tokenizer(picture, return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, 224, 224)
    assert model.module(pixels, output_attentions=True).attentions[0].shape == (1, 12, 197, 197)
    attention = course.attend(model, picture)
    found = course.attribute(model, picture, baseline="white", most_steps=2)
    assert attention.tokens.texts[:3] == ("[CLS]", "r0c0", "r0c1") and attention.tokens.texts[-1] == "r13c13"
    assert attention.identities().hold and found.target == course.rank(model, picture, k=1).top.label


@pytest.mark.parametrize("role", EARLIER)
def test_before_fine_tuning_a_role_is_the_same_kind_of_model(role: str, published, catalogue: Path) -> None:
    entry = published(role)
    trained, before, fresh = (
        load(role, profile="hub", stage=stage, device="cpu", catalogue=catalogue) for stage in entry.stages
    )
    assert type(before.module) is type(fresh.module) is type(trained.module)
    assert before.labels == fresh.labels == trained.labels
    assert (before.licence, before.source) == (entry.pretrained.licence, entry.pretrained.source)
    for model in (before, fresh):
        assert type(model.tokenizer) is type(trained.tokenizer)


@pytest.mark.parametrize("role", sorted(set(HUB_ROLES) - set(EARLIER)))
def test_a_role_that_nothing_was_fine_tuned_into_loads_at_random(role: str, published, catalogue: Path) -> None:
    published(role)
    fresh = load(role, profile="hub", stage="random", device="cpu", catalogue=catalogue)
    course.attend(fresh, "the cat sat on the mat")
    with pytest.raises(ModelError, match=r"has no stage 'pretrained'"):
        load(role, profile="hub", stage="pretrained", catalogue=catalogue)


PICKLED = ["sentiment", "paraphrase", "translate-en-de"]
"""The roles whose repositories have pickled weights only."""


@pytest.fixture
def pickled(published, hub) -> Callable[[str], tuple[Any, dict[str, torch.Tensor]]]:
    """Publish a role with its weights as a pickle only, under all of their names; gives its entry and these weights."""

    def publish(role: str):
        entry = published(role)
        files = hub.repositories[entry.mirrors[0].repo]["a1" * 20]
        state = safetensors.torch.load(files.pop("model.safetensors"))
        if role == "translate-en-de":  # safetensors has one of the tied names; a pickle has all
            shared = state["model.shared.weight"]
            state |= dict.fromkeys(
                ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"], shared
            )
        content = io.BytesIO()
        torch.save(state, content)
        files["pytorch_model.bin"] = content.getvalue()
        return entry, state

    return publish


@pytest.mark.parametrize("role", PICKLED)
def test_a_repository_with_pickled_weights_only_still_loads_at_random(role: str, pickled, catalogue) -> None:
    pickled(role)
    command = f"; run python -m course models pull {role} --profile hub --convert to have safetensors made of them"
    with pytest.raises(ModelError, match=rf"at revision a1a1a1a1a1a1, only pickled weights .*{command} once$"):
        load(role, profile="hub", catalogue=catalogue)
    assert load(role, profile="hub", stage="random", catalogue=catalogue).layers == entry_layers(role)
    with pytest.raises(ModelError, match=rf"{command} once, or delete .* to accept what is there now$"):
        load(role, profile="hub", catalogue=catalogue)


@pytest.mark.parametrize("role", PICKLED)
def test_pickled_weights_are_the_same_after_conversion(role: str, pickled, hub, catalogue: Path, monkeypatch) -> None:
    entry, state = pickled(role)
    pull(entry, convert=True)
    hub.status = 503
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    model = load(role, profile="hub", device="cpu", catalogue=catalogue)
    loaded = model.module.state_dict()
    assert state.keys() <= loaded.keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    architecture = getattr(transformers, entry.architecture)
    original = architecture._from_config(model.module.config, attn_implementation="eager")
    original.load_state_dict(state, strict=False)
    inputs = model.tokenizer(["the cat sat on the mat"], return_tensors="pt")
    if role == "translate-en-de":
        inputs["decoder_input_ids"] = inputs["input_ids"]
    aligned = copy.deepcopy(model.module)  # in mapped memory, numbers begin elsewhere, and sums differ by 1e-9
    with torch.no_grad():
        assert torch.equal(aligned(**inputs).logits, original.eval()(**inputs).logits)
    course.attend(model, "the cat sat on the mat", *(["vamos"] if role == "paraphrase" else []))


def entry_layers(role: str) -> int:
    return 12 if role == "paraphrase" else 6


def test_a_translators_tokenizer_can_be_copied(published, catalogue: Path) -> None:
    published("translate-en-de")
    tokenizer = load("translate-en-de", profile="hub", catalogue=catalogue).tokenizer
    assert copy.deepcopy(tokenizer)("the cat").input_ids == tokenizer("the cat").input_ids


def test_an_encoder_loses_a_pretraining_head(published, catalogue: Path) -> None:
    published("minilm")
    assert type(load("minilm", profile="hub", catalogue=catalogue).module) is BertModel
