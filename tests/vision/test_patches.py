"""Patches as tokens: what can be done with them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import course
from course.measures import mean_distance, next_token_share, rollout, same_token_share
from tests import tiny

IMAGE = np.random.default_rng(1).integers(0, 255, (24, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return tiny.eye()


@pytest.fixture(scope="module")
def att(model):
    return course.attend(model, IMAGE)


def test_attention_over_patches_is_attention(att):
    assert len(att.tokens) == 25 and att.tokens.texts[0] == "[CLS]" and att.tokens.texts[-1] == "r5c3"
    found = att.identities()
    assert found.hold and found.recomputed is not None
    assert "[CLS] and 6 × 4 patches of an array, 16 × 24 pixels" in repr(att)
    assert "r0c0" not in repr(att)
    without = att.without_special()
    assert without.tokens.grid == (6, 4) and without.tokens.texts[0] == "r0c0" and without.tokens.places[5] == (1, 1)
    rows = rollout(att).weights
    assert torch.allclose(rows.sum(-1), torch.ones(2, 1, 25), atol=1e-6)


def test_there_are_no_words_and_no_order(att):
    with pytest.raises(course.InputError, match="no parts of words"):
        att.words()
    with pytest.raises(course.AttentionError, match="neighbours on four sides"):
        next_token_share(att)
    assert same_token_share(att).shape == (2, 4)


def test_distances_are_straight_across_the_image(att):
    """By hand: weights between patches alone, times the distance of their middles."""
    weights = att.weights[1, 2, 1:, 1:].double()
    weights = weights / weights.sum(-1, keepdim=True)
    expected = sum(
        float(weights[i, j]) * ((i // 4 - j // 4) ** 2 + (i % 4 - j % 4) ** 2) ** 0.5
        for i in range(24)
        for j in range(24)
    )
    assert float(mean_distance(att)[1, 2]) == pytest.approx(expected / 24, abs=1e-5)


def test_differences_are_of_one_image(model, att):
    assert course.diff(att, course.attend(tiny.eye(), IMAGE)).total_variation.max() < 1e-6
    with pytest.raises(course.DiffError, match="two different images"):
        course.diff(att, course.attend(model, IMAGE[::-1]))


def test_ranking_names_the_image(model, tmp_path):
    from PIL import Image

    Image.fromarray(IMAGE).save(tmp_path / "<b>x.png")
    found = course.rank(model, tmp_path / "<b>x.png")
    assert found.text == "<b>x.png" and "<b>" not in found._repr_html_() and len(found) == 3
    with torch.no_grad():
        pixels = model.tokenizer(Image.fromarray(IMAGE), return_tensors="pt")
        expected = model.module(**pixels).logits.softmax(-1)[0]
    assert found.top.probability == pytest.approx(float(expected.max()), abs=1e-6)


def test_heads_can_be_taken_out_and_attention_swapped(model):
    others = [IMAGE, IMAGE[::-1].copy(), IMAGE[:, ::-1].copy()]
    with course.ablated(model, [(0, 1)], by="mean", reference=others) as ablation:
        course.rank(model, IMAGE)
    assert ablation.changed
    for pattern in ("uniform", "another"):
        found = course.swap_attention(model, others, pattern)
        assert len(found.texts) == 3 and found.error < 1e-6
    same = course.swap_attention(model, [IMAGE, IMAGE, others[1]], "another")
    assert len(same.texts) == 3  # an equal image is not another one, but the third is


def test_texts_and_images_are_not_mixed_up(model, tmp_path):
    from PIL import Image

    Image.fromarray(IMAGE).save(tmp_path / "x.png")
    reader = tiny.classifier()
    for source in (IMAGE, Image.fromarray(IMAGE), tmp_path / "x.png", str(tmp_path / "x.png"), torch.tensor(IMAGE)):
        for function in (course.attend, course.rank, course.attribute):
            with pytest.raises(course.InputError, match="tiny classifier reads text, not images"):
                function(reader, source)
    assert len(course.rank(reader, "cat.png")) == 3  # a text, as there is no such file
    with pytest.raises(course.InputError, match="tiny eye reads images, and there is no file 'the cat'"):
        course.attend(model, "the cat")
    with pytest.raises(course.InputError, match="one image at a time"):
        course.attend(model, IMAGE, IMAGE)
    with pytest.raises(course.ProfileError, match="profile measures texts"):
        course.profile(model, [IMAGE])
    for refused in (lambda: course.lens(model, IMAGE), lambda: course.answer(model, IMAGE, IMAGE)):
        with pytest.raises(ValueError, match="tiny eye is a ViTForImageClassification"):
            refused()
    with pytest.raises(course.InputError, match="reads images, and this reads texts"):
        course.neurons(model, IMAGE)
