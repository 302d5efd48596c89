"""The page of an attribution: the text with its tokens coloured, and the same as a chart of bars, a table to readers.

Numbers travel as they are printed, so the page says nothing that the record does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.views.attribution_marks import MOST_BARS, Mark, Reading
from course.views.libraries import own_file
from course.views.page import frame_page
from course.views.room import Page, below, legend_height, title_height

STYLES = {"text": "Coloured text", "bars": "Bars"}

_SIGNED = "Orange, underlined: the token raises the number; blue, dotted: it lowers it. Colours grow with the value."
_PLAIN = "Colours grow with the weight."
_HOW = "Point at a token to read its value, or move with the arrow keys."

# From attribution.css and frame.css, in CSS pixels.
_CHROME, _READOUT, _LINE, _LETTER, _MARK, _GAP = 24 + 14 + 38, 28, 32, 8.6, 7, 10
_BAR_ROW, _BAR_TOP, _OTHER_SEEN = 25, 64, 200
_WIDTHS = (1280, 960, 760, 620, 500, 420, 360, 320)
_ORDINARY_WIDTH = 960


def attribution_page(title: str, notes: Sequence[str], readings: Sequence[Reading], style: str, *, theme: str) -> Page:
    """The page, beginning with the first of ``readings`` in the ``style`` asked for."""
    signed = readings[0].signed
    legend = [*notes, f"{_SIGNED if signed else _PLAIN} {_HOW}"]
    choices = [(shown, i) for shown in STYLES for i in range(len(readings))]
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[own_file("attribution.js")],
        weights=b"",
        parcel={
            "view": "attribution",
            "style": own_file("attribution.css"),
            "signed": signed,
            "choice": choices.index((style, 0)),
            "choices": [
                {"label": STYLES[shown], "reading": readings[i].name, "bars": shown == "bars", "number": i}
                for shown, i in choices
            ],
            "notes": {reading.name: [] for reading in readings},
            "readings": [_carried(reading) for reading in readings],
        },
        theme=theme,
    )
    steps = [_picture_height(width, readings[0], style) for width in _WIDTHS]
    narrow = [
        below(width, more - less) for width, less, more in zip(_WIDTHS, steps, steps[1:], strict=False) if more > less
    ]
    words = f"{_CHROME}px + {title_height(title)} + {legend_height(legend)} + {below(640, 68)}"
    fluid = f"calc({' + '.join([words, f'{steps[0]}px', *narrow])})"
    lines = 1 + len(title) // 110 + sum(1 + len(line) // 140 for line in legend)
    return page, _CHROME + 20 * lines + _picture_height(_ORDINARY_WIDTH, readings[0], style), fluid


def _carried(reading: Reading) -> dict[str, Any]:
    bars = reading.bars()
    few = (
        f", the {MOST_BARS} farthest from 0 of {len(reading.marks)}"
        if len(bars) == MOST_BARS < len(reading.marks)
        else ""
    )
    return {
        "marks": [_described(reading, mark) for mark in reading.marks],
        "rest": reading.rest,
        "bars": [[mark.name, reading.number(mark.value), round(reading.share(mark), 4)] for mark in bars],
        "caption": f"Values in the order of the text{few}",
        "ticks": reading.ticks,
        "scale_words": _scale_words(reading),
    }


def _described(reading: Reading, mark: Mark) -> list[Any]:
    return [
        mark.before, mark.text, reading.number(mark.value), round(reading.share(mark), 4), int(mark.special),
        mark.segment, mark.name,
    ]  # fmt: skip


def _scale_words(reading: Reading) -> str:
    if not reading.signed:
        return f"Colours from weight 0 to weight {reading.ticks[-1]}"
    return f"Colours from {reading.ticks[0]}, blue, over 0 to {reading.ticks[-1]}, orange"


def _picture_height(width: int, reading: Reading, style: str) -> int:
    """How high the picture is in an output of this width: what is shown first, and some room for the other."""
    bars = _BAR_TOP + _BAR_ROW * len(reading.bars())
    text = _READOUT + _text_height(width, reading)
    first, other = (text, bars) if style == "text" else (bars, text)
    return max(first, min(other, _OTHER_SEEN))


def _text_height(width: int, reading: Reading) -> int:
    """Lines of the text: its letters are of different widths, so this is a little more than it takes."""
    height, at, most, segment = _LINE + _GAP, 0.0, width - 2 * 12 - 4, 0
    if reading.marks and reading.marks[-1].segment:
        height += 20
    for mark in reading.marks:
        if mark.segment != segment:
            height, at, segment = height + _LINE + _GAP + 20, 0.0, mark.segment
        if breaks := mark.before.count("\n"):
            height, at = height + _LINE * breaks, 0.0
        wide = len(mark.before) * _LETTER / 2 + len(mark.text) * _LETTER + _MARK
        if at + wide > most:
            height, at = height + _LINE * max(1, int(wide // most)), wide % most
        else:
            at += wide
    return height
