"""The static twin of a generation: a coloured text for each written token, one under the other."""

from __future__ import annotations

from collections.abc import Sequence

from course.views.attribution_marks import Reading
from course.views.attribution_twin import Placed, draw_mark, laid_out
from course.views.canvas import Canvas, Twin
from course.views.heat_twin import FALL, RISE
from course.views.lens_twin import wrapped
from course.views.palette import QUIET

_MARGIN, _WIDTH, _LINE, _TITLE_LINE, _NOTE_LINE, _NAME, _GAP = 16, 760, 30, 21, 17, 20, 10


def generation_twin(title: str, notes: Sequence[str], readings: Sequence[Reading], most: int) -> Twin:
    """The readings with their names over them, and under them the notes; as many as ``most`` pixels hold, or one."""
    measure = Canvas(1, 1, [FALL, RISE])
    head = wrapped(measure, title, 15, _WIDTH - 2 * _MARGIN, bold=True)
    foot = [line for note in notes for line in wrapped(measure, note, 12, _WIDTH - 2 * _MARGIN)]
    tops: list[int] = []
    placed: list[list[Placed]] = []
    y = 48 + _TITLE_LINE * len(head)
    for reading in readings:
        marks = laid_out(measure, reading)
        height = _NAME + _LINE * (1 + max((mark.line for mark in marks), default=0)) + _GAP
        if placed and y + height + _NOTE_LINE * (1 + len(foot)) + _MARGIN > most:
            break
        tops.append(y)
        placed.append(marks)
        y += height
    if len(placed) < len(readings):
        foot.insert(0, f"The first {len(placed)} of {len(readings)} written tokens are shown.")

    def draw(sheet: Canvas) -> None:
        for i, line in enumerate(head):
            sheet.text(_MARGIN, 22 + i * _TITLE_LINE, line, size=15, bold=True)
        meaning = "orange, underlined: raises the number; blue, dotted: lowers it; each token has its own scale"
        sheet.text(_MARGIN, 27 + _TITLE_LINE * len(head), meaning, size=12, colour=QUIET)
        for top, reading, marks in zip(tops, readings, placed, strict=False):
            name = f"{reading.name}, scale {reading.ticks[0]} to {reading.ticks[-1]}"
            sheet.text(_MARGIN, top + _NAME / 2, sheet.fitting(name, _WIDTH - 2 * _MARGIN, 13, bold=True), bold=True)
            for mark in marks:
                draw_mark(sheet, reading, mark, top + _NAME + (mark.line + 0.5) * _LINE)
        for i, line in enumerate(foot):
            sheet.text(_MARGIN, y + _NOTE_LINE * (i + 0.5), line, size=12, colour=QUIET)

    return Twin(_WIDTH, int(y + _NOTE_LINE * len(foot) + _MARGIN), [FALL, RISE], draw)
