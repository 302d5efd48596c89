"""The static twin of deletion curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course.faithfulness.deletion import DeletionCurve
from course.views.canvas import Canvas, Twin
from course.views.lens_twin import wrapped
from course.views.palette import EDGE, QUIET, Floats

COLOURS = ("#b34a00", "#005ab5", "#3d7a1f", "#8c3a9e")
DASHES: tuple[tuple[float, ...], ...] = ((), (7, 4), (2, 4), (10, 4, 2, 4))
"""As in curve.css: colours of about the same contrast on white, and a pattern each for those who see no colours."""

_MARGIN, _WIDTH, _PLOT, _LEFT, _TITLE_LINE, _NOTE_LINE = 16, 760, 270, 46, 21, 17


def curve_twin(title: str, notes: Sequence[str], curves: Sequence[DeletionCurve], names: Sequence[str]) -> Twin:
    """All curves in one plot, its key over it and the notes under it."""
    measure = Canvas(1, 1, COLOURS)
    head = wrapped(measure, title, 15, _WIDTH - 2 * _MARGIN, bold=True)
    foot = [line for note in notes for line in wrapped(measure, note, 12, _WIDTH - 2 * _MARGIN)]
    top = 52 + _TITLE_LINE * len(head)
    below = top + _PLOT + 48

    def draw(canvas: Canvas) -> None:
        for i, line in enumerate(head):
            canvas.text(_MARGIN, 22 + i * _TITLE_LINE, line, size=15, bold=True)
        _draw_key(canvas, names, 28 + _TITLE_LINE * len(head))
        _draw_axes(canvas, curves[0], top)
        _draw_random(canvas, curves[0], top)
        for curve, colour, dashes in zip(curves, COLOURS, DASHES, strict=False):
            _draw_line(canvas, _points(curve.curve, top), colour, dashes)
        for i, line in enumerate(foot):
            canvas.text(_MARGIN, below + _NOTE_LINE * (i + 0.5), line, size=12, colour=QUIET)

    return Twin(_WIDTH, int(below + _NOTE_LINE * len(foot) + _MARGIN), COLOURS, draw)


def _x(step: float, count: int) -> float:
    return _LEFT + step / count * (_WIDTH - _LEFT - _MARGIN)


def _y(value: float, top: float) -> float:
    return top + (1 - value) * _PLOT


def _points(values: Sequence[float], top: float) -> Floats:
    count = len(values) - 1
    return np.array([(_x(i, count), _y(value, top)) for i, value in enumerate(values)])


def _draw_key(canvas: Canvas, names: Sequence[str], y: float) -> None:
    x = float(_MARGIN)
    for name, colour, dashes in zip([*names, "random orders"], (*COLOURS[: len(names)], QUIET),
                                    (*DASHES[: len(names)], ()), strict=True):  # fmt: skip
        _draw_line(canvas, np.array([(x, y), (x + 26, y)]), colour, dashes)
        canvas.text(x + 32, y, name, size=12)
        x += 32 + canvas.width_of(name, 12) + 20


def _draw_axes(canvas: Canvas, curve: DeletionCurve, top: float) -> None:
    count = len(curve.removed)
    for value in (0, 0.25, 0.5, 0.75, 1):
        y = _y(value, top)
        canvas.lines(np.array([[(_LEFT, y), (_WIDTH - _MARGIN, y)]]), EDGE, np.ones(1), 1)
        canvas.text(_LEFT - 6, y, f"{value:g}", size=12, colour=QUIET, align="right")
    for step in ticks(count):
        canvas.text(_x(step, count), top + _PLOT + 14, str(step), size=12, colour=QUIET, align="center")
    canvas.text((_LEFT + _WIDTH - _MARGIN) / 2, top + _PLOT + 32, f"{curve.level} removed", size=12, align="center")
    canvas.text(_MARGIN - 4, top + _PLOT / 2, "probability", size=12, align="center", upright=True)


def ticks(count: int) -> list[int]:
    """Up to 11 round steps from 0 on, the last of them ``count``."""
    each = next(one for one in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if count / one <= 10)
    found = list(range(0, count, each))
    return [*(step for step in found if count - step >= each / 2), count]


def _draw_random(canvas: Canvas, curve: DeletionCurve, top: float) -> None:
    count = len(curve.removed)
    ends = [[(_x(i, count), _y(one.low, top)), (_x(i, count), _y(one.high, top))] for i, one in enumerate(curve.random)]
    canvas.lines(np.array(ends), QUIET, np.full(len(ends), 0.25), 6)
    _draw_line(canvas, _points([one.mean for one in curve.random], top), QUIET, ())


def _draw_line(canvas: Canvas, points: Floats, colour: str, dashes: Sequence[float]) -> None:
    pieces = _dashed(points, dashes) if dashes else np.stack([points[:-1], points[1:]], 1)
    canvas.lines(pieces, colour, np.ones(len(pieces)), 2)


def _dashed(points: Floats, dashes: Sequence[float]) -> Floats:
    """The straight pieces of a dashed line: lines x 2 x (x, y)."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate([[0.0], lengths.cumsum()])
    pieces, at, number = [], 0.0, 0
    while at < reached[-1]:
        end = at + dashes[number % len(dashes)]
        if number % 2 == 0:
            inside = reached[(reached > at) & (reached < end)]
            stops = np.array([at, *inside, min(end, reached[-1])])
            corners = np.column_stack([np.interp(stops, reached, points[:, axis]) for axis in (0, 1)])
            pieces += list(np.stack([corners[:-1], corners[1:]], 1))
        at, number = end, number + 1
    return np.array(pieces)
