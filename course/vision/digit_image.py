"""A handwritten digit as a student has it in hand: what reads images knows it without what provides it."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL.Image import Image


@dataclass(frozen=True, repr=False)
class DigitImage:
    """A handwritten digit: the ``image`` (PIL, 8 x 8, white ink on black), its ``label``, and its ``number``.

    ``number`` is its place among the digits held out, from 0.
    """

    image: Image
    label: str
    number: int

    def __repr__(self) -> str:
        return f"a handwritten {self.label} (held-out digit {self.number} of scikit-learn's load_digits)"

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.image.resize((128, 128), 0).save(file, "PNG")
        return file.getvalue()
