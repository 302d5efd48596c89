"""The static twin of a grid of heat maps: every head on one scale, and the table beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.views.canvas import Canvas, Twin, even_side, pooled
from course.views.heats import Heats, Row
from course.views.palette import QUIET, Bytes, Palette
from course.views.selection import Choice, Part

FALL, RISE, PLAIN = "#005ab5", "#b34a00", "#08306b"
"""Blue for what became smaller, orange for what became larger (two hues for colour-blind readers, too); and the
colour of plain weights. The same as in grid.js."""

_MARGIN, _WIDTH, _LIST, _LEFT, _GAP = 16, 960, 356, 54, 4
_LARGEST_CELL, _LEAST_CELL, _ROW, _TITLE_LINE = 140, 12, 22, 21
_FIRST, _NUMBER, _LAST = 66, 46, 58  # widths of the table's columns


def heat_twin(title: Sequence[str], part: Part, choice: Choice, heats: Heats, table: Sequence[Row]) -> Twin:
    """A row a layer, a column a head; in each square queries run down and keys across.

    ``table`` is the choice's. The lines of ``title`` are cut where they do not fit.
    """
    pitch = (_WIDTH - _LIST - _LEFT - 3 * _MARGIN) // len(part.heads)
    pitch = max(_LEAST_CELL, min(_LARGEST_CELL, pitch))
    width = max(_WIDTH, _LEFT + len(part.heads) * pitch + _LIST + 3 * _MARGIN)
    side = even_side(pitch - _GAP, max(len(choice.rows), len(choice.columns)))
    top = 83 + _TITLE_LINE * len(title)
    height = top + max(round(len(part.layers) * (side + _GAP)), len(table) * _ROW) + _MARGIN
    block = heats.steps[choice.part][
        :, :, choice.rows.start : choice.rows.stop, choice.columns.start : choice.columns.stop
    ]

    def draw(sheet: Canvas) -> None:
        for i, line in enumerate(title):
            text = sheet.fitting(line, width - 2 * _MARGIN, 15, bold=True)
            sheet.text(_MARGIN, 22 + i * _TITLE_LINE, text, size=15, bold=True)
        _draw_scale(sheet, heats, top - 56)
        _draw_grid(sheet, part, block, top, side)
        _draw_table(sheet, heats, table, width - _LIST - _MARGIN, top)

    return Twin(width, height, [FALL, RISE] if heats.signed else [PLAIN], draw)


def _draw_grid(sheet: Canvas, part: Part, block: NDArray[Any], top: int, side: float) -> None:
    pitch = side + _GAP
    shades = _shades(sheet.palette, pooled(block, side, side))
    sheet.text(_LEFT + len(part.heads) * pitch / 2, top - 32, "Heads", bold=True, align="center")
    sheet.text(_MARGIN + 4, top + len(part.layers) * pitch / 2, "Layers", bold=True, align="center", upright=True)
    for column, head in enumerate(part.heads):
        sheet.text(_LEFT + column * pitch + side / 2, top - 12, str(head), size=12, align="center")
    for row, layer in enumerate(part.layers):
        y = top + row * pitch
        sheet.text(_LEFT - 8, y + side / 2, str(layer), size=12, align="right")
        for column in range(len(part.heads)):
            sheet.cells(shades[row, column], _LEFT + column * pitch, y, side, side)


def _shades(palette: Palette, steps: NDArray[Any]) -> Bytes:
    """White for 0, the full colour for the largest step there can be, by the square root as in the page."""
    if steps.dtype == np.uint8:
        shades = palette.shades(PLAIN, np.sqrt(np.arange(256) / 255))
    else:
        rising, falling = (palette.shades(colour, np.sqrt(np.arange(128) / 127)) for colour in (RISE, FALL))
        shades = np.concatenate([rising, falling[:1], falling[:0:-1]])  # 127 is followed by -128, which there is not
    seen: Bytes = shades[steps.view(np.uint8)]
    return seen


def _draw_scale(sheet: Canvas, heats: Heats, y: float) -> None:
    """What the colours mean, with numbers."""
    x = float(_MARGIN)
    sheet.text(x, y, heats.ticks[0], size=12, colour=QUIET)
    x += sheet.width_of(heats.ticks[0], 12) + 8
    steps = np.arange(-127, 128, dtype=np.int8) if heats.signed else np.arange(256, dtype=np.uint8)
    sheet.cells(_shades(sheet.palette, pooled(steps[None], 160, 10)), x, y - 5, 160, 10)
    if heats.signed:
        sheet.text(x + 80, y + 13, "0", size=11, colour=QUIET, align="center")
    sheet.text(x + 168, y, heats.ticks[-1], size=12, colour=QUIET)
    x += 168 + sheet.width_of(heats.ticks[-1], 12) + 20
    what = "change of weight" if heats.signed else "weight"
    sheet.text(x, y, f"{what}; in each square, queries run down and keys across", size=12, colour=QUIET)


def _draw_table(sheet: Canvas, heats: Heats, table: Sequence[Row], x: float, top: int) -> None:
    numbers = len(heats.columns) - 2
    sheet.text(x, top - 32, heats.caption if table else "Nothing changed", bold=True)
    ends = [x + _LIST - _LAST - (numbers - 2 - i) * _NUMBER for i in range(numbers - 1)] + [x + _LIST]
    if table:
        sheet.text(x, top - 12, heats.columns[0], size=11, colour=QUIET)
        sheet.text(x + _FIRST, top - 12, heats.columns[1], size=11, colour=QUIET)
        for end, heading in zip(ends, heats.columns[2:], strict=True):
            sheet.text(end, top - 12, heading, size=11, colour=QUIET, align="right")
    for i, row in enumerate(table):
        y = top + (i + 0.5) * _ROW
        sheet.text(x, y, row.cells[0], size=12, colour=QUIET)
        room = _LIST - _FIRST - (numbers - 1) * _NUMBER - _LAST
        sheet.text(x + _FIRST, y, sheet.fitting(row.cells[1], room, 12), size=12)
        for end, text in zip(ends, row.cells[2:], strict=True):
            colour = {"+": RISE, "−": FALL}.get(text[0], QUIET)
            sheet.text(end, y, text, size=12, colour=colour, align="right", bold=colour != QUIET)
