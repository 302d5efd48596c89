"""The page of sheets: a table with coloured cells, and a line that says what the cell pointed at means."""

from __future__ import annotations

from collections.abc import Sequence

from course.views.lens_cells import Sheet
from course.views.libraries import own_file
from course.views.page import frame_page
from course.views.room import Page, below, legend_height, title_height

_HOW = "Point at a cell to read it, or move with the arrow keys."

# From lens.css and frame.css, in CSS pixels.
_CHROME, _READOUT, _ROW, _BAND_GAP, _SCROLLBAR, _SCROLLED = 24 + 14 + 38, 48, 27, 9, 18, 700
_COUNTS, _ORDINARY = range(16, 6, -1), 11


def sheets_page(title: str, notes: Sequence[str], sheets: Sequence[Sheet], *, theme: str) -> Page:
    """The page, beginning with the first of ``sheets``."""
    legend = [*notes, _HOW]
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[own_file("lens.js")],
        weights=b"",
        parcel={
            "view": "lens",
            "style": own_file("lens.css"),
            "choice": 0,
            "choices": [{"label": sheet.name, "reading": "", "number": i} for i, sheet in enumerate(sheets)],
            "notes": {"": []},
            "sheets": [
                {
                    "rows": sheet.rows,
                    "columns": sheet.columns,
                    "cells": [[[cell.text, round(cell.share, 3), cell.said] for cell in row] for row in sheet.cells],
                    "ticks": sheet.ticks,
                    "meaning": sheet.meaning,
                    "across": sheet.across,
                }
                for sheet in sheets
            ],
        },
        theme=theme,
    )
    heights = {count: max(_tables_height(sheet, count) for sheet in sheets) for count in _COUNTS}
    steps = [below(_width(count), heights[count - 1] - heights[count]) for count in _COUNTS[:-1]]
    picture = " + ".join([f"{_READOUT + heights[_COUNTS[0]]}px", *steps])
    narrow = max(_band_height(sheet) for sheet in sheets) + _SCROLLBAR
    words = f"{_CHROME}px + {title_height(title)} + {legend_height(legend)} + {below(_SCROLLED, 110)}"
    fluid = f"calc({words} + {picture} - {below(_SCROLLED, max(0, heights[_COUNTS[-1]] - narrow))})"
    lines = 1 + len(title) // 110 + sum(1 + len(line) // 140 for line in legend)
    return page, _CHROME + 20 * lines + _READOUT + heights[_ORDINARY], fluid


def _width(count: int) -> int:
    """The least width of an output in which so many columns stand side by side. As in lens.js."""
    return 24 + 110 + 73 * count


def _tables_height(sheet: Sheet, count: int) -> int:
    """All bands of so many columns, one under the other."""
    return -(-len(sheet.columns) // count) * _band_height(sheet)


def _band_height(sheet: Sheet) -> int:
    return _ROW * (1 + len(sheet.rows)) + _BAND_GAP
