"""Text as pixels, in the font that matplotlib brings."""

from __future__ import annotations

from bisect import bisect
from functools import cache, lru_cache
from pathlib import Path
from threading import get_ident
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags
from numpy.typing import NDArray

SCALE = 1.5
"""Pixels of a PNG in a CSS pixel."""

_INVISIBLE = "\u200c\u200d\ufe0e\ufe0f"  # they join emoji and letters, and have no glyph of their own


class Run(NamedTuple):
    """A text in pixels: how much of each is covered (0 to 255), where these begin, and how wide it is.

    ``base`` is the row on whose upper edge the letters stand.
    """

    coverage: NDArray[np.uint8]
    left: int
    base: int
    width: float


@lru_cache(1024)  # the numbers of heads and layers come again and again
def run(text: str, size: float, bold: bool) -> Run:
    """``text`` in one line, ``size`` in CSS pixels."""
    font = _font(bold, get_ident())
    font.set_size(size * SCALE, 72)  # a point is a pixel then
    font.set_text(text, 0.0, flags=LoadFlags.DEFAULT)
    font.draw_glyphs_to_bitmap(antialiased=True)
    coverage = np.array(font.get_image())
    coverage.flags.writeable = False
    base = len(coverage) - 1 - font.get_descent() // 64
    return Run(coverage, font.get_bitmap_offset()[0] // 64, base, font.get_width_height()[0] / 64)


def width_of(text: str, size: float, bold: bool) -> float:
    """How wide ``text`` will be, in CSS pixels."""
    return run(drawable(text), size, bold).width / SCALE


def ascent(size: float, bold: bool) -> float:
    """How far an l rises above the base line, in CSS pixels."""
    return (run("l", size, bold).base - 1) / SCALE  # less the empty row over the letters


def fitting(text: str, width: float, size: float, bold: bool) -> str:
    """``text``, or as much of its beginning as fits the width, and an ellipsis."""
    text = drawable(text)
    if width_of(text, size, bold) <= width:
        return text
    fits = bisect(range(1, len(text)), width, key=lambda length: width_of(f"{text[:length]}…", size, bold))
    return f"{text[: max(1, fits)]}…"


def drawable(text: str) -> str:
    """``text`` with what the font lacks as code points: "U+1F60D", at most two of them, then an ellipsis."""
    known = _characters()
    words, missing = [""], 0
    for character in text:
        if character in _INVISIBLE:
            continue
        if ord(character) in known:
            words[-1] += character
            continue
        missing += 1
        if missing <= 2:
            words += [f"U+{ord(character):04X}", ""]
        elif missing == 3:
            words[-1] += "…"
    return " ".join(word.strip() for word in words if word.strip()).replace(" …", "…") or "␣"


def font_file(bold: bool) -> str:
    """Where the font is."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name)


@cache
def _font(bold: bool, _thread: int) -> Any:  # two threads would write into each other's text
    return FT2Font(font_file(bold))


@cache
def _characters() -> frozenset[int]:
    return frozenset(_font(False, get_ident()).get_charmap())
