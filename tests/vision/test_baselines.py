"""Baselines: pictures with nothing in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course.tokens import InputError
from course.vision.baselines import BASELINES, baseline_of
from course.vision.looking import look
from tests import tiny

IMAGE = np.random.default_rng(2).integers(0, 255, (24, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return tiny.eye()


@pytest.mark.parametrize(("name", "level"), [("black", 0), ("white", 255)])
def test_black_and_white_are_those_of_the_processor(model, name, level):
    found, said = baseline_of(model, look(model, IMAGE)[0], name)
    assert torch.allclose(found, look(model, np.full((24, 16, 3), level, np.uint8))[1]["pixel_values"], atol=1e-6)
    assert said == BASELINES[name]


def test_the_mean_is_of_each_colour(model):
    found, _ = baseline_of(model, look(model, IMAGE)[0], "mean")
    expected = look(model, IMAGE)[1]["pixel_values"].mean((2, 3), keepdim=True).expand(-1, -1, 24, 16)
    assert torch.allclose(found, expected, atol=1e-4)


def test_the_blurred_picture_keeps_its_brightness_and_loses_its_shapes(model):
    patches, inputs = look(model, IMAGE)
    found, _ = baseline_of(model, patches, "blur")
    assert found.shape == inputs["pixel_values"].shape
    assert torch.allclose(found.mean((2, 3)), inputs["pixel_values"].mean((2, 3)), atol=0.2)
    assert (found.std((2, 3)) < 0.25 * inputs["pixel_values"].std((2, 3))).all()


def test_an_image_of_your_own(model):
    found, said = baseline_of(model, look(model, IMAGE)[0], IMAGE[::-1])
    assert torch.equal(found, look(model, IMAGE[::-1])[1]["pixel_values"]) and "another picture, an array" in said
    with pytest.raises(InputError, match="one of 'black', 'white', 'mean', 'blur', or an image"):
        baseline_of(model, look(model, IMAGE)[0], "mask")
