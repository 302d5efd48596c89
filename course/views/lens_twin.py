"""The static twin of a sheet: a table of coloured cells, its columns in as many bands as they need."""

from __future__ import annotations

from collections.abc import Sequence

from course.views.attribution_twin import shade
from course.views.canvas import Canvas, Twin
from course.views.heat_twin import PLAIN
from course.views.lens_cells import Sheet
from course.views.palette import EDGE, INK, QUIET

_MARGIN, _WIDTH, _ROW, _BAND_GAP, _TITLE_LINE, _NOTE_LINE = 16, 960, 24, 14, 21, 17
_MOST_LABEL, _CELL, _STEPS = 150, 74, 32
LIGHT_FROM = 0.66
"""From this share on, white is easier to read on the colour than black is."""


def sheet_twin(title: str, notes: Sequence[str], sheet: Sheet) -> Twin:
    """The table, with what the colours mean over it and the notes under it."""
    measure = Canvas(1, 1, [PLAIN])
    label = min(_MOST_LABEL, max(measure.width_of(row, 12) for row in sheet.rows)) + 10
    each = int((_WIDTH - 2 * _MARGIN - label) // _CELL)
    bands = [range(first, min(first + each, len(sheet.columns))) for first in range(0, len(sheet.columns), each)]
    head = wrapped(measure, title, 15, _WIDTH - 2 * _MARGIN, bold=True)
    foot = [line for note in notes for line in wrapped(measure, note, 12, _WIDTH - 2 * _MARGIN)]
    top = 52 + _TITLE_LINE * len(head)
    band = (1 + len(sheet.rows)) * _ROW + _BAND_GAP
    below = top + band * len(bands)
    height = int(below + _NOTE_LINE * len(foot) + _MARGIN)

    def draw(canvas: Canvas) -> None:
        for i, line in enumerate(head):
            canvas.text(_MARGIN, 22 + i * _TITLE_LINE, line, size=15, bold=True)
        _draw_scale(canvas, sheet, 27 + _TITLE_LINE * len(head))
        for number, columns in enumerate(bands):
            _draw_band(canvas, sheet, columns, _MARGIN + label, top + number * band)
        for i, line in enumerate(foot):
            canvas.text(_MARGIN, below + _NOTE_LINE * (i + 0.5), line, size=12, colour=QUIET)

    return Twin(_WIDTH, height, [PLAIN], draw)


def wrapped(measure: Canvas, text: str, size: float, most: float, *, bold: bool = False) -> list[str]:
    """The text in lines of this width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure.width_of(longer, size, bold) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return [measure.fitting(line, most, size, bold) for line in lines]


def _draw_band(canvas: Canvas, sheet: Sheet, columns: range, left: float, top: float) -> None:
    for place, column in enumerate(columns):
        text = canvas.fitting(sheet.columns[column], _CELL - 6, 12, bold=True)
        canvas.text(left + (place + 0.5) * _CELL, top + _ROW / 2, text, size=12, bold=True, align="center")
    for number, row in enumerate(sheet.rows):
        y = top + (number + 1) * _ROW
        canvas.text(left - 10, y + _ROW / 2, canvas.fitting(row, _MOST_LABEL, 12), size=12, align="right", colour=QUIET)
        for place, column in enumerate(columns):
            cell = sheet.cells[number][column]
            x = left + place * _CELL
            canvas.rectangle(x, y, _CELL, _ROW, fill=shade(PLAIN, cell.share))
            canvas.rectangle(x, y, _CELL, _ROW, edge=EDGE)
            if cell.text:
                colour = "#ffffff" if cell.share >= LIGHT_FROM else INK if cell.share < 0.3 else "#000000"
                text = canvas.fitting(cell.text, _CELL - 6, 12)
                canvas.text(x + _CELL / 2, y + _ROW / 2, text, size=12, colour=colour, align="center")


def _draw_scale(canvas: Canvas, sheet: Sheet, y: float) -> None:
    """What the colours mean, with numbers."""
    least, most = sheet.ticks
    canvas.text(_MARGIN, y, least, size=12, colour=QUIET)
    x = _MARGIN + canvas.width_of(least, 12) + 8
    each = 160 / _STEPS
    for i in range(_STEPS):
        canvas.rectangle(x + i * each, y - 5, each, 10, fill=shade(PLAIN, (i + 0.5) / _STEPS))
    canvas.rectangle(x, y - 5, 160, 10, edge=EDGE)
    canvas.text(x + 168, y, most, size=12, colour=QUIET)
    x += 168 + canvas.width_of(most, 12) + 20
    text = canvas.fitting(f"{sheet.name}; colour: {sheet.meaning}; across: {sheet.across}", _WIDTH - _MARGIN - x, 12)
    canvas.text(x, y, text, size=12, colour=QUIET)
