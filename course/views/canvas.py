"""A sheet to draw a static picture on.

Everything is in CSS pixels from the top left; the PNG has `SCALE` times as many. Cells, rectangles and text become
pixels here, as matplotlib would take ten times as long for them. It draws lines, and all of the SVG, without pyplot and
in its default style, whatever a matplotlibrc says. A `Twin` is a picture that can be had in both forms.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from course.views import letters
from course.views.letters import SCALE
from course.views.palette import EDGE, INK, Bytes, Floats, Palette, rgb

_DPI = 100
_POINTS = 72 / _DPI  # points in a CSS pixel


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
        return self._drawn().png()

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return self._drawn().svg()

    def _drawn(self) -> Canvas:
        sheet = Canvas(self.width, self.height, self.colours)
        self.draw(sheet)
        return sheet


class _Lines(NamedTuple):
    ends: Floats
    colour: str
    opacities: Floats
    width: float


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str


class _Text(NamedTuple):
    x: float
    base: float
    text: str
    size: float
    colour: str
    align: str
    bold: bool
    upright: bool


class Canvas:
    """A white sheet to draw on: cells lie under lines, these under rectangles, and text is on top.

    Lines and text are mixed with what they are drawn on, but for cells, which they hide.

    ``colours`` are those that will be used beside grey.
    """

    def __init__(self, width: int, height: int, colours: Sequence[str]) -> None:
        self.width, self.height = width, height
        self.palette = Palette(colours)
        self.under: Bytes = np.zeros((int(height * SCALE), int(width * SCALE)), np.uint8)
        self._edge = self.palette.nearest(rgb(EDGE)[None])[0]
        self._lines: list[_Lines] = []
        self._boxes: list[_Box] = []
        self._texts: list[_Text] = []
        self._pictures: list[tuple[Bytes, tuple[float, float, float, float]]] = []

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
        upright: bool = False,
    ) -> None:
        """Write ``text`` with the middle of its capitals at ``y``; ``upright`` from below to above, centred there."""
        base = y + letters.ascent(size, bold) / 2
        self._texts.append(_Text(x, y if upright else base, letters.drawable(text), size, colour, align, bold, upright))

    def width_of(self, text: str, size: float = 13, bold: bool = False) -> float:
        """How wide ``text`` will be."""
        return letters.width_of(text, size, bold)

    def fitting(self, text: str, width: float, size: float = 13, bold: bool = False) -> str:
        """``text``, or as much of its beginning as fits the width, and an ellipsis."""
        return letters.fitting(text, width, size, bold)

    def lines(self, ends: Floats, colour: str, opacities: Floats, width: float) -> None:
        """Straight lines; ``ends`` is lines x 2 x (x, y), ``opacities`` from 0 to 1."""
        self._lines.append(_Lines(ends, colour, opacities, width))

    def rectangle(
        self, x: float, y: float, width: float, height: float, *, fill: str = "none", edge: str = "none"
    ) -> None:
        """A filled or outlined rectangle."""
        self._boxes.append(_Box(x, y, width, height, fill, edge))

    def cells(self, shades: Bytes, x: float, y: float, width: float, height: float) -> None:
        """A rectangle of cells in a frame; ``shades`` are numbers of the palette, row 0 at the top."""
        left, top, right, bottom = _pixels(x, y, width, height)
        rows = np.arange(bottom - top) * len(shades) // (bottom - top)
        columns = np.arange(right - left) * shades.shape[1] // (right - left)
        self.under[top:bottom, left:right] = shades[rows][:, columns]
        _frame(self.under, (left, top, right, bottom), self._edge)

    def picture(self, rgb: Bytes, x: float, y: float, width: float, height: float) -> None:
        """A picture in its own colours, rows x columns x 3, over all else; its pixels stay squares."""
        self._pictures.append((rgb, (x, y, width, height)))

    def png(self) -> bytes:
        """The sheet as a PNG without dates or names of programs: the same drawing gives the same bytes."""
        drawn = self._drawn_lines() if self._lines else np.full((*self.under.shape, 4), 255, np.uint8)
        shades = self.under.copy()
        for box in self._boxes:
            _paint_box(drawn, shades, box)
        for text in self._texts:
            _paint_text(drawn, text)
        inked = np.flatnonzero(drawn.view(np.uint32) != 0xFFFFFFFF)
        found, where = np.unique(drawn.view(np.uint32).ravel()[inked], return_inverse=True)
        shades.ravel()[inked] = self.palette.nearest(found[:, None].view(np.uint8)[:, :3])[where]
        image = Image.fromarray(shades, "P")
        image.putpalette(self.palette.rows.tobytes())
        if self._pictures:
            image = image.convert("RGB")
        for rows, place in self._pictures:
            left, top, right, bottom = _pixels(*place)
            squares = Image.fromarray(rows).resize((right - left, bottom - top), Image.Resampling.NEAREST)
            image.paste(squares, (left, top))
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=8)  # 9 takes twice as long, for one byte in a hundred
        return file.getvalue()

    def svg(self) -> str:
        """The sheet as an <svg> element; letters are outlines, as the font may be missing where it is shown.

        Without the XML declaration, so that it can also stand in HTML; without comments, dates or names of programs.
        """
        file = io.StringIO()
        with _fixed_style():
            figure = self._figure(complete=True)
            figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
        element = re.sub(r"\s*<metadata>.*?</metadata>|\s*<!--.*?-->", "", file.getvalue(), flags=re.DOTALL)
        size = f'width="{self.width}" height="{self.height}"'
        return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', size, element[element.index("<svg") :], count=1)

    def _drawn_lines(self) -> Bytes:
        with _fixed_style():
            backend = FigureCanvasAgg(self._figure(complete=False))
            backend.draw()
            return np.array(backend.buffer_rgba())

    def _figure(self, *, complete: bool) -> Figure:
        """The sheet as matplotlib draws it; only its lines where it is not to be ``complete``."""
        figure = Figure(figsize=(self.width / _DPI, self.height / _DPI), dpi=_DPI * SCALE, facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(self.height, 0), autoscale_on=False)
        axes.axis("off")
        for ends, colour, opacities, width in self._lines:
            colours = np.column_stack([np.tile(rgb(colour) / 255, (len(ends), 1)), opacities])
            axes.add_collection(LineCollection(list(ends), colors=colours, linewidths=width * _POINTS), autolim=False)
        if not complete:
            return figure
        if self.under.any():
            extent = (0, self.under.shape[1] / SCALE, self.under.shape[0] / SCALE, 0)
            axes.imshow(self.palette.rows[self.under], extent=extent, aspect="auto", interpolation="nearest", zorder=0)
        for rows, (x, y, width, height) in self._pictures:
            axes.imshow(rows, extent=(x, x + width, y + height, y), aspect="auto", interpolation="nearest", zorder=3)
        for x, y, width, height, fill, edge in self._boxes:
            axes.add_patch(Rectangle((x, y), width, height, facecolor=fill, edgecolor=edge, linewidth=_POINTS))
        for x, base, text, size, colour, align, bold, upright in self._texts:
            font = FontProperties(fname=letters.font_file(bold), size=size * _POINTS)
            axes.text(
                x, base, text, color=colour, ha=align, va="center" if upright else "baseline",
                rotation=90 if upright else 0, parse_math=False, fontproperties=font,
            )  # fmt: skip
        return figure


def _fixed_style() -> AbstractContextManager[Any]:
    """matplotlib's own defaults for as long as a picture is drawn."""
    style = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")}
    return matplotlib.rc_context({**style, "svg.hashsalt": "course"})  # type: ignore[no-any-return]


def _pixels(x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a rectangle on the PNG."""
    left, top, right, bottom = (round(SCALE * at) for at in (x, y, x + width, y + height))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _frame(pixels: NDArray[Any], box: tuple[int, int, int, int], colour: Any) -> None:
    left, top, right, bottom = box
    for edge in ((top, slice(left, right)), (bottom - 1, slice(left, right)),
                 (slice(top, bottom), left), (slice(top, bottom), right - 1)):  # fmt: skip
        pixels[edge] = colour


def _paint_box(drawn: Bytes, shades: Bytes, box: _Box) -> None:
    place = left, top, right, bottom = _pixels(*box[:4])
    if box.fill != "none":
        drawn[top:bottom, left:right, :3] = rgb(box.fill)
        shades[top:bottom, left:right] = 0  # no cell is seen through what is white in the box
    if box.edge != "none":
        _frame(drawn[..., :3], place, rgb(box.edge))


def _paint_text(drawn: Bytes, text: _Text) -> None:
    coverage, offset, base, width = letters.run(text.text, text.size, text.bold)
    x, y = text.x * SCALE, text.base * SCALE
    if text.upright:
        coverage = np.rot90(coverage)
        left, top = round(x - coverage.shape[1] / 2), round(y - len(coverage) / 2)
    else:
        left = round(x - width * {"left": 0, "center": 0.5, "right": 1}[text.align]) + offset
        top = round(y) - base
    # What is off the sheet is not drawn.
    coverage = coverage[max(0, -top) :, max(0, -left) :]
    area = drawn[max(0, top) :, max(0, left) :, :3][: len(coverage), : coverage.shape[1]]
    share = coverage[: len(area), : area.shape[1], None] / 255
    area[:] = np.round(area + share * (rgb(text.colour) - area.astype(float)))


def even_side(side: float, cells: int) -> float:
    """The side of a square of cells that are all of as many pixels, where that is not much less than ``side``."""
    pixels = round(SCALE * side)
    whole = pixels - pixels % cells
    return whole / SCALE if whole > 0.8 * pixels else side


def pooled(values: NDArray[Any], width: float, height: float) -> NDArray[Any]:
    """As many rows and columns as there are pixels for; each shows the strongest of those it stands for.

    ``values`` is … x rows x columns; of signed ones the strongest is that farthest from 0.
    """
    return _pooled(_pooled(values, round(height * SCALE), -2), round(width * SCALE), -1)


def _pooled(values: NDArray[Any], most: int, axis: int) -> NDArray[Any]:
    count = values.shape[axis]
    if count <= most:
        return values
    starts = np.arange(most) * count // most
    lasts = np.append(starts[1:], count) - 1
    # Not np.maximum.reduceat, which takes twenty times as long.
    each = [values.take(np.minimum(starts + i, lasts), axis) for i in range(int((lasts - starts).max()) + 1)]
    largest: NDArray[Any] = reduce(np.maximum, each)
    if values.dtype == np.uint8:
        return largest
    least = reduce(np.minimum, each)
    return np.where(largest >= -least, largest, least)
