"""The page of deletion curves: lines over the tokens removed, and a line of words for the step pointed at."""

from __future__ import annotations

from collections.abc import Sequence

from course.faithfulness.deletion import DeletionCurve
from course.views.libraries import own_file
from course.views.page import frame_page
from course.views.room import Page, below, legend_height, lines_of, stepwise, title_height
from course.views.selection import label

MOST_CURVES = 4

_HOW = "Point at a step to read it, or move with the arrow keys."

# From curve.css and frame.css, in CSS pixels.
_CHROME, _PLOT, _KEY, _NARROW = 24 + 14 + 10, 300, 24, 700
_READOUT, _READOUT_NARROW = 44, 110


def curve_page(
    title: str, notes: Sequence[str], curves: Sequence[DeletionCurve], names: Sequence[str], *, theme: str
) -> Page:
    """The page with all curves; the random orders are those of the first."""
    legend = [*notes, _HOW]
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[own_file("curve.js")],
        weights=b"",
        parcel={
            "view": "curve",
            "style": own_file("curve.css"),
            "lines": [[round(value, 4) for value in curve.curve] for curve in curves],
            "names": names,
            "random": [[round(value, 4) for value in interval] for interval in curves[0].random],
            "said": said_of(curves, names),
            "axis": f"{curves[0].level} removed",
        },
        theme=theme,
    )
    keys = stepwise(lambda width: _KEY * lines_of("—— " * (len(names) + 1) + " ".join([*names, _RANDOM]), width, 7.6))
    words = f"{_CHROME}px + {title_height(title)} + {legend_height(legend)} + {keys}"
    fluid = f"calc({words} + {_READOUT + _PLOT}px + {below(_NARROW, _READOUT_NARROW - _READOUT)})"
    lines = 1 + len(title) // 110 + sum(1 + len(line) // 140 for line in legend)
    return page, _CHROME + 20 * lines + _KEY + _READOUT + _PLOT, fluid


_RANDOM = "random orders"


def said_of(curves: Sequence[DeletionCurve], names: Sequence[str]) -> list[str]:
    """What is read out at each step: how many are removed, and what each line has there."""
    count = len(curves[0].removed)
    found = []
    for step in range(count + 1):
        values = [
            f"{name} {curve.curve[step]:.3f}" + (f" (−{label(curve.removed[step - 1])})" if step else "")
            for curve, name in zip(curves, names, strict=True)
        ]
        values.append(f"{_RANDOM} {curves[0].random[step]}")
        found.append(f"{step} of {count} removed: {', '.join(values)}")
    return found
