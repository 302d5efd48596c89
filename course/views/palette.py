"""The few colours of a static picture: white, and shades of grey and of each colour that it uses.

A picture with one byte a pixel is a quarter of the size of one with three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]

INK, QUIET, EDGE = "#1f2328", "#59636e", "#c8d1da"

_MOST, _SHADES = 256, 20


class Palette:
    """``rows`` are its colours, at most 256 x RGB; number 0 is white, and then comes a ramp of shades a colour.

    A ramp has more of the pale shades, because the eye tells these apart best.
    """

    def __init__(self, colours: Sequence[str]) -> None:
        each = min(_SHADES, (_MOST - 1 - _SHADES) // len(colours))
        counts = {INK: _SHADES, **dict.fromkeys(colours, each)}
        self._shares = {colour: (np.arange(count + 1) / count) ** 1.3 for colour, count in counts.items()}
        self._starts = dict(zip(counts, np.cumsum([0, *counts.values()]), strict=False))
        ramps = [1 - shares[1:, None] * (1 - _floats(colour)) for colour, shares in self._shares.items()]
        self.rows: Bytes = np.round(255 * np.vstack([np.ones((1, 3)), *ramps])).astype(np.uint8)

    def shades(self, colour: str, shares: Floats) -> Bytes:
        """The numbers of the shades of ``colour`` nearest to ``shares`` of it, from 0 (white) to 1."""
        steps = self._shares[colour]
        found = np.searchsorted((steps[1:] + steps[:-1]) / 2, shares)
        return np.where(found > 0, found + self._starts[colour], 0).astype(np.uint8)

    def nearest(self, colours: Bytes) -> Bytes:
        """The numbers of those nearest to ``colours``, any x RGB."""
        goals = self.rows.astype(np.float32)
        # |a - b|² without |a|², which is the same for the whole palette
        distances: Floats = (goals**2).sum(1) - 2 * colours.astype(np.float32) @ goals.T
        found: Bytes = distances.argmin(1).astype(np.uint8)
        return found


def rgb(colour: str) -> Bytes:
    """The three bytes of a colour such as "#1f2328"."""
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)


def _floats(colour: str) -> Floats:
    return rgb(colour) / 255
