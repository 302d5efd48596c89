"""Digits to look at: those that the shipped model has never seen."""

from __future__ import annotations

import numpy as np
import pytest

import course
from course.vision.handwriting import read, split


def test_they_are_the_held_out_digits_and_no_others():
    found = course.digit_images()
    learnt, watched, held_out = split(read())
    assert [one.image for one in found] == list(held_out.pictures) and len(found) == 450
    assert [one.label for one in found] == [str(label) for label in held_out.labels]
    known = {np.asarray(picture).tobytes() for part in (learnt, watched) for picture in part.pictures}
    assert not any(np.asarray(one.image).tobytes() in known for one in found)
    assert found == course.digit_images()


def test_some_of_them():
    threes = course.digit_images(4, label="3")
    assert [one.label for one in threes] == ["3"] * 4 and threes == course.digit_images(label=3)[:4]
    model = course.load("digits")
    assert course.rank(model, threes[0]).entries == course.rank(model, threes[0].image).entries
    assert course.rank(model, threes[0]).text == "a handwritten 3"
    assert "a handwritten 3 (held-out digit" in repr(threes[0]) and threes[0]._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("options", [{"label": 10}, {"label": "x"}, {"label": True}, {"count": 0}, {"count": 1.5}])
def test_what_there_is_not_is_refused(options):
    with pytest.raises(course.InputError, match="must be"):
        course.digit_images(**options)
