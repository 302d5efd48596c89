"""The colours of heat over a picture; the page draws the same with CSS (image.css, image.js)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.views.image_heats import Heat
from course.views.palette import Bytes, rgb

RISE, FALL, PLAIN = "#e06c00", "#1f6fe5", "#00a88f"
"""Orange raises and blue lowers, two hues for colour-blind readers, too; green is a weight. Seen on any grey."""
STRENGTH = 0.8
"""How much of the largest value is colour; the rest is picture."""
MARKED = 0.5
"""From this share of the scale on, a patch has a frame: unbroken where it raises, dotted where it lowers."""
CONTRAST = 0.55


def ink_of(heat: Heat, share: float) -> str:
    """The colour of a value."""
    if not heat.signed:
        return PLAIN
    return RISE if share > 0 else FALL


def greyed(picture: Bytes) -> NDArray[np.floating[Any]]:
    """Height x width x 3, 0 to 255: in grey and with less contrast, so that colours are seen on light and on dark."""
    light = picture.astype(float) @ np.array([0.2126, 0.7152, 0.0722])
    found: NDArray[np.floating[Any]] = np.repeat(((light - 127.5) * CONTRAST + 127.5)[..., None], 3, axis=2)
    return found


def frame_width(heat: Heat, side: float) -> int:
    """How wide the frame of a patch is where the picture is ``side`` wide: less where patches are small."""
    return 2 if side / heat.patches.grid[1] >= 30 else 1


def overlaid(heat: Heat, side: tuple[int, int], line: int) -> Bytes:
    """The picture in grey, ``side`` (width, height) pixels large, under its heat; frames are ``line`` pixels wide."""
    rows, columns = heat.patches.grid
    width, height = side
    sheet = _enlarged(greyed(heat.patches.picture.rgb), width, height)
    down, across = (np.round(np.linspace(0, size, n + 1)).astype(int) for size, n in ((height, rows), (width, columns)))
    for number, share in enumerate(heat.shares):
        row, column = divmod(number, columns)
        patch = sheet[down[row] : down[row + 1], across[column] : across[column + 1]]
        ink = rgb(ink_of(heat, share)).astype(float)
        patch += STRENGTH * abs(share) * (ink - patch)
        if heat.signed and abs(share) >= MARKED:
            _frame(patch, ink, line, dotted=share < 0)
    return np.round(sheet).clip(0, 255).astype(np.uint8)


def strip(heat: Heat, steps: int) -> Bytes:
    """The scale from its least to its largest value on the grey of the picture; 1 x steps x 3."""
    shares = np.linspace(-1 if heat.signed else 0, 1, steps)
    inks = np.array([rgb(ink_of(heat, share)) for share in shares], float)
    mixed = 127.5 + STRENGTH * np.abs(shares)[:, None] * (inks - 127.5)
    return np.round(mixed).astype(np.uint8)[None]


def _enlarged(picture: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """Every pixel as a square."""
    rows = np.arange(height) * len(picture) // height
    columns = np.arange(width) * picture.shape[1] // width
    return picture[rows][:, columns]


def _frame(patch: NDArray[Any], ink: NDArray[Any], line: int, *, dotted: bool) -> None:
    height, width = patch.shape[:2]
    y, x = np.mgrid[:height, :width]
    edge = (np.minimum(y, height - 1 - y) < line) | (np.minimum(x, width - 1 - x) < line)
    if dotted:
        edge &= (x // line % 2 == 0) & (y // line % 2 == 0)
    patch[edge] = ink
