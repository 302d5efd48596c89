"""Handwriting: scikit-learn's handwritten digits, and which of them the shipped model has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

from course.tokens import InputError
from course.vision.digit_image import DigitImage

HELD_OUT, WATCHED = 450, 150
"""Digits that the score is measured on, and digits that training watches; the others are learnt."""


@dataclass(frozen=True)
class Digits:
    """Pictures of 8 x 8 grey pixels, white ink on black, and the digit on each."""

    pictures: tuple[Image.Image, ...]
    labels: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, chosen: Sequence[int] | NDArray[np.intp]) -> Digits:
        """The digits of these numbers."""
        return Digits(tuple(self.pictures[i] for i in chosen), self.labels[np.asarray(chosen, dtype=np.intp)])


def read() -> Digits:
    """All 1,797 digits, which travel with scikit-learn."""
    bunch = load_digits()
    grey = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return Digits(tuple(Image.fromarray(pixels) for pixels in grey), bunch.target.astype(np.intp))


def split(digits: Digits) -> tuple[Digits, Digits, Digits]:
    """Learnt, watched and held out: always the same, with each digit's share about equal in the three."""
    learnt, held_out = train_test_split(
        np.arange(len(digits)), test_size=HELD_OUT, stratify=digits.labels, random_state=0
    )
    learnt, watched = train_test_split(learnt, test_size=WATCHED, stratify=digits.labels[learnt], random_state=0)
    return digits.take(learnt), digits.take(watched), digits.take(held_out)


def digit_images(count: int | None = None, *, label: str | int | None = None) -> list[DigitImage]:
    """Handwritten digits that ``course.load("digits")`` was not trained on: the 450 on which it was scored.

    The first ``count`` of them, and only those of one ``label`` if given. They come with scikit-learn (a part of UCI's
    Optical Recognition of Handwritten Digits; Alpaydin and Kaynak 1998), so no network is needed, and are always the
    same in the same order. The model was chosen by others than these.

    Raises InputError for a label that is no digit, or a count below 1.

    >>> import course
    >>> digit = course.digit_images(label=3)[0]
    >>> course.rank(course.load("digits"), digit.image).top.label
    '3'
    """
    if label is not None and (isinstance(label, bool) or str(label) not in list("0123456789")):
        raise InputError(f"label must be a digit from 0 to 9, not {label!r}")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise InputError(f"count must be a whole number from 1, not {count!r}")
    held_out: Any = split(read())[2]
    found = [
        DigitImage(image, str(digit), number)
        for number, (image, digit) in enumerate(zip(held_out.pictures, held_out.labels, strict=True))
        if label is None or str(digit) == str(label)
    ]
    return found[:count]
