"""A sheet to draw a static picture on: matplotlib without pyplot, without the reader's own settings.

Everything is in CSS pixels from the top left; the PNG has `SCALE` times as many. The style is matplotlib's
default whatever a matplotlibrc says, and the font is the one that matplotlib brings. A `Twin` is a picture
that can be had in two forms.
"""

from __future__ import annotations

import io
import re
from bisect import bisect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating[Any]]

SCALE = 1.5
INK, QUIET, EDGE = "#1f2328", "#59636e", "#c8d1da"

_DPI = 100
_POINTS = 72 / _DPI  # points in a CSS pixel
_GREYS = 20
_INVISIBLE = "\u200c\u200d\ufe0e\ufe0f"  # they join emoji and letters, and have no glyph of their own


def fixed_style() -> AbstractContextManager[Any]:
    """matplotlib's own defaults for as long as a picture is drawn."""
    style = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")}
    return matplotlib.rc_context(style)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Twin:
    """The static twin of a page: drawn when it is asked for, and always the same.

    ``width`` and ``height`` are in CSS pixels. ``draw`` draws on a sheet of this size, with ``colours`` beside
    grey.
    """

    width: int
    height: int
    colours: Sequence[str]
    draw: Callable[[Canvas], None]

    @cached_property
    def png(self) -> bytes:
        """The picture as a PNG."""
        with fixed_style():
            return self._drawn().png()

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        with fixed_style():
            return self._drawn().svg()

    def _drawn(self) -> Canvas:
        sheet = Canvas(self.width, self.height, self.colours)
        self.draw(sheet)
        return sheet


class Canvas:
    """A white sheet to draw on, within `fixed_style`.

    ``colours`` are those that will be used beside grey; the PNG has them and their paler shades, which makes
    it a quarter of the size.
    """

    def __init__(self, width: int, height: int, colours: Sequence[str]) -> None:
        self.width, self.height = width, height
        self.palette = _palette(colours)
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI * SCALE, facecolor="white")
        self.backend = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        self.axes.axis("off")
        # Cells are laid under the rest as one picture: one for each head would take most of the time.
        self.under = np.ones((int(height * SCALE), int(width * SCALE), 3), dtype=np.float32)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        colour: str = INK,
        align: str = "left",
        bold: bool = False,
        rotation: float = 0,
    ) -> None:
        """Write ``text`` with its middle line at ``y``."""
        middle = "center" if rotation else "center_baseline"
        self.axes.text(
            x, y, drawable(text), color=colour, ha=align, va=middle, rotation=rotation,
            parse_math=False, fontproperties=_font(size, bold),
        )  # fmt: skip

    def width_of(self, text: str, size: float = 13, bold: bool = False) -> float:
        """How wide ``text`` will be."""
        renderer = self.backend.get_renderer()
        return float(renderer.get_text_width_height_descent(drawable(text), _font(size, bold), False)[0]) / SCALE

    def fitting(self, text: str, width: float, size: float = 13, bold: bool = False) -> str:
        """``text``, or as much of its beginning as fits the width, and an ellipsis."""
        text = drawable(text)
        if self.width_of(text, size, bold) <= width:
            return text
        lengths = range(1, len(text))
        fits = bisect(lengths, width, key=lambda length: self.width_of(f"{text[:length]}…", size, bold))
        return f"{text[: max(1, fits)]}…"

    def lines(self, ends: Floats, colour: str, opacities: Floats, width: float) -> None:
        """Straight lines; ``ends`` is lines x 2 x (x, y), ``opacities`` from 0 to 1."""
        colours = np.column_stack([np.tile(to_rgb(colour), (len(ends), 1)), opacities])
        self.axes.add_collection(LineCollection(list(ends), colors=colours, linewidths=width * _POINTS), autolim=False)

    def rectangle(
        self, x: float, y: float, width: float, height: float, *, fill: Any = "none", edge: str = "none"
    ) -> None:
        """A filled or outlined rectangle."""
        patch = Rectangle((x, y), width, height, facecolor=fill, edgecolor=edge, linewidth=_POINTS)
        self.axes.add_patch(patch)

    def cells(self, shades: Floats, x: float, y: float, width: float, height: float) -> None:
        """A rectangle of cells in a frame; ``shades`` is rows x columns x RGB (0 to 1), row 0 at the top."""
        left, top, right, bottom = (round(SCALE * at) for at in (x, y, x + width, y + height))
        rows = np.arange(bottom - top) * len(shades) // (bottom - top)
        columns = np.arange(right - left) * shades.shape[1] // (right - left)
        self.under[top:bottom, left:right] = shades[rows][:, columns]
        for edge in ((top, slice(left, right)), (bottom - 1, slice(left, right)),
                     (slice(top, bottom), left), (slice(top, bottom), right - 1)):  # fmt: skip
            self.under[edge] = to_rgb(EDGE)

    def png(self) -> bytes:
        """The sheet as a PNG without dates or names of programs: the same drawing gives the same bytes."""
        self.backend.draw()
        drawn = np.asarray(self.backend.buffer_rgba())[..., :3]
        pixels = np.round(drawn * self.under).astype(np.uint32)
        packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
        known = np.zeros(1 << 24, dtype=bool)  # quicker than sorting a million pixels
        known[packed] = True
        found = np.flatnonzero(known).astype(np.uint32)
        places = np.zeros(1 << 24, dtype=np.uint8)
        places[found] = _nearest(found, self.palette)
        image = Image.fromarray(places[packed], "P")
        image.putpalette(self.palette.tobytes())
        file = io.BytesIO()
        image.save(file, "PNG", optimize=True)
        return file.getvalue()

    def svg(self) -> str:
        """The sheet as an <svg> element; letters are outlines, as the font may be missing where it is shown.

        Without the XML declaration, so that it can also stand in HTML; without comments, dates or names of programs.
        """
        if self.under.min() < 1:
            extent = (0, self.under.shape[1] / SCALE, self.under.shape[0] / SCALE, 0)
            self.axes.imshow(self.under, extent=extent, aspect="auto", interpolation="nearest", zorder=0)
        file = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": "course"}):
            self.figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
        element = re.sub(r"\s*<metadata>.*?</metadata>|\s*<!--.*?-->", "", file.getvalue(), flags=re.DOTALL)
        size = f'width="{self.width}" height="{self.height}"'
        return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', size, element[element.index("<svg") :], count=1)


def pooled(shares: Floats, height: float, width: float) -> Floats:
    """As many rows and columns as there are pixels for; each shows the strongest of those it stands for."""
    return _pooled(_pooled(shares, round(height * SCALE)).T, round(width * SCALE)).T


def _pooled(shares: Floats, most: int) -> Floats:
    if len(shares) <= most:
        return shares
    starts = np.arange(most) * len(shares) // most
    largest, least = np.maximum.reduceat(shares, starts), np.minimum.reduceat(shares, starts)
    return np.where(largest >= -least, largest, least)


def _palette(colours: Sequence[str]) -> NDArray[np.uint8]:
    """White, then shades of grey and of each colour, more of the pale ones; at most 256 x RGB."""
    each = (255 - _GREYS) // len(colours)
    shades = [(INK, _GREYS), *((colour, min(each, 24)) for colour in colours)]
    rows: list[Floats] = [
        1 - ((np.arange(count) + 1) / count)[:, None] ** 1.5 * (1 - np.array(to_rgb(colour)))
        for colour, count in shades
    ]
    return np.round(255 * np.vstack([np.ones((1, 3)), *rows])).astype(np.uint8)


def _nearest(packed: NDArray[np.uint32], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The position of the nearest colour of the palette, for colours as 0xRRGGBB."""
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], -1).astype(np.float32)
    goals = palette.astype(np.float32)
    # |a - b|² without |a|², which is the same for the whole palette
    distances: Floats = (goals**2).sum(1) - 2 * colours @ goals.T
    nearest: NDArray[np.uint8] = distances.argmin(1).astype(np.uint8)
    return nearest


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


@cache
def _characters() -> frozenset[int]:
    return frozenset(font_manager.get_font(_font_file(bold=False)).get_charmap())


def _font(size: float, bold: bool) -> FontProperties:
    return FontProperties(fname=_font_file(bold), size=size * _POINTS)


def _font_file(bold: bool) -> str:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name)
