"""Arrays as images: shapes and ranges that leave no doubt, and a word for the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course.tokens import InputError
from course.vision.sources import picture_of

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5) * 10
RGB = np.arange(60, dtype=np.uint8).reshape(4, 5, 3) * 4


def seen(source):
    return np.asarray(picture_of(source)[0])


@pytest.mark.parametrize(
    "whole", [GREY, GREY[..., None], GREY[None], GREY.tolist(), torch.tensor(GREY), GREY.astype(np.int64)]
)
def test_grey_images_in_every_shape(whole):
    assert np.array_equal(seen(whole), np.repeat(GREY[..., None], 3, 2))


@pytest.mark.parametrize("whole", [RGB, RGB.transpose(2, 0, 1), torch.tensor(RGB).permute(2, 0, 1), RGB.tolist()])
def test_colours_come_last_or_first(whole):
    assert np.array_equal(seen(whole), RGB)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, torch.bfloat16, torch.float32])
def test_fractions_go_from_black_to_white(kind):
    values = [[0.0, 0.5, 1.0]]
    given = (
        torch.tensor(values, dtype=kind, requires_grad=True)
        if isinstance(kind, torch.dtype)
        else np.array(values, kind)
    )
    assert seen(given)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (np.zeros((0, 3)), "has shape .0, 3."),
        ([], "has shape .0,."),
        (np.zeros(5), "has shape .5,."),
        (np.zeros((1, 3, 4, 4)), "give one image of the batch"),
        (np.zeros((3, 8, 3)), "channels first or last"),
        (np.zeros((1, 8, 1)), "channels first or last"),
        (np.zeros((8, 8, 2)), "has shape .8, 8, 2."),
        (np.zeros((8, 8, 4)), "for transparency give a PIL image"),
        ([[1, 2], [3]], "not of one length"),
        (np.array([["a"]]), "has numbers, not <U1"),
        (np.zeros((2, 2), complex), "has numbers, not complex"),
        (np.ones((2, 2), bool), r"give array.astype\(float\)"),
        ([[0.5, float("nan")]], "NaN or infinite"),
        ([[0.5, float("inf")]], "NaN or infinite"),
        ([[-0.5, 0.5]], "normalised for a model already"),
        ([[0.0, 16.0]], "these go from 0 to 16: divide by what is white, such as array / 16"),
        ([[0.0, 200.0]], "array / 255"),
        (np.array([[0, 60000]], np.uint16), "array / 65535"),
        ([[0, 1], [1, 0]], "all 0 or 1, which is black on a scale to 255"),
    ],
)
def test_what_may_mean_two_things_or_nothing_is_refused(source, says):
    with pytest.raises(InputError, match=says):
        picture_of(source)


def test_digits_as_scikit_learn_has_them_are_refused_with_the_divisor():
    from sklearn.datasets import load_digits

    raw = load_digits().images[0]
    with pytest.raises(InputError, match="array / 16"):
        picture_of(raw)
    assert seen(raw / 16).max() > 230
