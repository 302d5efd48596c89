"""Patches painted over: erasure and deletion of images, and agreement between explanations of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import course
from course.faithfulness.removal import FaithfulnessError, Removal
from course.vision.baselines import baseline_of
from course.vision.looking import look
from tests import tiny

IMAGE = np.random.default_rng(4).integers(0, 255, (24, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return tiny.eye()


@pytest.mark.parametrize("by", ["black", "mean"])
def test_the_probability_is_that_of_the_pixels_painted_by_hand(model, by):
    patches, inputs = look(model, IMAGE)
    held = Removal.of(model, course.attribute(model, IMAGE, method="occlusion"), by, batch_size=2)
    other, pixels = baseline_of(model, patches, by)[0], inputs["pixel_values"].clone()
    for row, column in ((0, 1), (5, 3)):
        pixels[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = other[
            ..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4
        ]
    with torch.no_grad():
        expected = model.module(pixel_values=pixels).logits.double().softmax(-1)[0, held.label]
        bare = model.module(pixel_values=other).logits.double().softmax(-1)[0, held.label]
    assert held.without([(1, 23)])[0] == pytest.approx(float(expected), abs=1e-6)
    assert held.without([range(24)])[0] == pytest.approx(float(bare), abs=1e-6)
    assert held.comprehensiveness(()) == 0 and held.sufficiency(range(24)) == 0
    assert held.probability == pytest.approx(course.rank(model, IMAGE).top.probability, abs=1e-6)


def test_explanations_of_digits_are_better_than_random_orders():
    digits = course.load("digits")
    found = course.attribute(digits, course.digit_images(1)[0].image)
    curve = course.deletion_curve(digits, found, orders=10)
    assert curve.area < curve.random_area.mean - 0.2 and "patches replaced by a black picture" in repr(curve)
    erased = course.erase(digits, found, orders=5, removal="mean")
    assert erased.size == 64 and erased.comprehensiveness > erased.random[0].mean
    ink = [light is not None and light > 0.25 for light in found.tokens.brightness]
    assert course.grade(found, ink).area > 0.7
    assert course.rank_agreement([found], [found]).interval.mean == pytest.approx(1)


def test_what_cannot_be_painted_over_is_refused(model):
    found = course.attribute(model, IMAGE)
    with pytest.raises(
        FaithfulnessError, match="removal must be one of 'black', 'white', 'mean', 'blur', not 'delete'"
    ):
        course.erase(model, found, removal="delete")
    other = (course.rank(model, IMAGE).entries[1]).label
    with pytest.raises(FaithfulnessError, match="explain that, without target="):
        course.erase(model, course.attribute(model, IMAGE, target=other))
    with pytest.raises(FaithfulnessError, match="the model is tiny classifier"):
        course.erase(tiny.classifier(), found)
