"""The static twin of a heat map over an image: the heat over the picture in grey, and the picture beside it."""

from __future__ import annotations

from collections.abc import Sequence

from course.views.canvas import Canvas, Twin
from course.views.image_colours import frame_width, overlaid, strip
from course.views.image_heats import Heat
from course.views.lens_twin import wrapped
from course.views.letters import SCALE
from course.views.palette import EDGE, QUIET

_MARGIN, _GAP, _TITLE_LINE, _NOTE_LINE = 16, 24, 21, 17
SIDE = 320
"""The longer side of a picture, in CSS pixels."""
WIDTH = 2 * _MARGIN + 2 * SIDE + _GAP


def image_twin(title: str, caption: str, notes: Sequence[str], heat: Heat) -> Twin:
    """Both pictures, with what the colours mean over them and the notes under them."""
    measure = Canvas(1, 1, [QUIET])
    head = wrapped(measure, title, 15, WIDTH - 2 * _MARGIN, bold=True)
    foot = [line for note in notes for line in wrapped(measure, note, 12, WIDTH - 2 * _MARGIN)]
    wide, high = shown_size(heat)
    top = 76 + _TITLE_LINE * len(head)
    below = top + high + 16

    def draw(sheet: Canvas) -> None:
        for i, line in enumerate(head):
            sheet.text(_MARGIN, 22 + i * _TITLE_LINE, line, size=15, bold=True)
        _draw_scale(sheet, heat, 27 + _TITLE_LINE * len(head))
        pixels = round(wide * SCALE), round(high * SCALE)
        drawn = overlaid(heat, pixels, round(SCALE * frame_width(heat, wide))), heat.patches.picture.rgb
        for i, (text, rows) in enumerate(zip((heat.title, caption), drawn, strict=True)):
            x = _MARGIN + i * (SIDE + _GAP)
            sheet.text(x, top - 14, sheet.fitting(text, SIDE, 12), size=12, colour=QUIET)
            sheet.picture(rows, x, top, wide, high)
        for i, line in enumerate(foot):
            sheet.text(_MARGIN, below + _NOTE_LINE * (i + 0.5), line, size=12, colour=QUIET)

    return Twin(WIDTH, int(below + _NOTE_LINE * len(foot) + _MARGIN), [QUIET], draw)


def shown_size(heat: Heat) -> tuple[int, int]:
    """Width and height at which the picture is shown, in CSS pixels."""
    picture = heat.patches.picture
    longer = max(picture.width, picture.height)
    return max(1, round(SIDE * picture.width / longer)), max(1, round(SIDE * picture.height / longer))


def _draw_scale(sheet: Canvas, heat: Heat, y: float) -> None:
    """What the colours mean, with numbers."""
    least, most = heat.ticks
    x = float(_MARGIN)
    sheet.text(x, y, least, size=12, colour=QUIET)
    x += sheet.width_of(least, 12) + 8
    sheet.rectangle(x - 1, y - 6, 162, 12, edge=EDGE)
    sheet.picture(strip(heat, 160), x, y - 5, 160, 10)
    x += 168
    sheet.text(x, y, most, size=12, colour=QUIET)
    x += sheet.width_of(most, 12) + 20
    meaning = (
        "orange, unbroken frame: raises it; blue, dotted: lowers it"
        if heat.signed
        else "weight; the picture is in grey"
    )
    sheet.text(x, y, sheet.fitting(meaning, WIDTH - _MARGIN - x, 12), size=12, colour=QUIET)
