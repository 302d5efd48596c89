"""Ink on paper for a model that has learnt light on dark: it is said, and can be mended."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import ImageOps

import course
from course.vision.looking import look


@pytest.fixture(scope="module")
def model():
    return course.load("digits")


def test_dark_on_light_is_said_wherever_it_is_read(model):
    digit = course.digit_images(label=7)[0].image
    paper = ImageOps.invert(digit)
    for function in (course.rank, course.attend, course.attribute):
        with pytest.warns(UserWarning, match=r"dark on light.*course\.inverted\(image\)"):
            function(model, paper)
    with pytest.warns(UserWarning, match="dark on light"):
        assert "dark on light" in look(model, paper)[0].picture.notes[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert course.rank(model, course.inverted(paper)).entries == course.rank(model, digit).entries


def test_no_digit_that_comes_with_the_course_is_warned_of(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one in course.digit_images()[::15]:
            look(model, one.image)


def test_a_picture_without_a_stroke_is_said(model):
    for light in (0.0, 0.1):
        with pytest.warns(UserWarning, match="nearly of one brightness"):
            course.rank(model, np.full((8, 8), light))


def test_other_models_have_no_polarity():
    from tests import tiny

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look(tiny.eye(), np.ones((8, 8)))
