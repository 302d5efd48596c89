"""The static twins of an attribution: the coloured text, and the chart of bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from course.views.attribution_marks import Mark, Reading
from course.views.canvas import Canvas, Twin
from course.views.heat_twin import FALL, PLAIN, RISE

_QUIET, _MARGIN, _WIDTH, _LINE, _SIZE = "#59636e", 16, 760, 30, 15
_TITLE_LINE, _SCALE_STEPS = 21, 32
_BAR_ROW, _NAME, _NUMBER = 22, 190, 84
_LEAST_UNDERLINED = 0.05


class Placed(NamedTuple):
    """A piece of text with its place: left, line, and width; ``mark`` is None for text without a value."""

    x: float
    line: int
    width: float
    text: str
    mark: Mark | None


def text_twin(title: str, notes: Sequence[str], reading: Reading) -> Twin:
    """The text as typed, its tokens on orange where they raise the number, and on blue where they lower it."""
    measure = Canvas(1, 1, _colours(reading))
    head, foot = (
        _wrapped(measure, title, 15, bold=True),
        [line for note in notes for line in _wrapped(measure, note, 12)],
    )
    placed = laid_out(measure, reading)
    top = 50 + _TITLE_LINE * len(head)
    below = top + _LINE * (1 + max((one.line for one in placed), default=0)) + 12
    height = int(below + 17 * len(foot) + _MARGIN)

    def draw(sheet: Canvas) -> None:
        _draw_head(sheet, head, reading)
        for one in placed:
            draw_mark(sheet, reading, one, top + (one.line + 0.5) * _LINE)
        for i, line in enumerate(foot):
            sheet.text(_MARGIN, below + 17 * i, line, size=12, colour=_QUIET)

    return Twin(_WIDTH, height, _colours(reading), draw)


def bars_twin(title: str, notes: Sequence[str], reading: Reading) -> Twin:
    """A bar a token, in order: to the right where it raises the number, to the left where it lowers it."""
    measure = Canvas(1, 1, _colours(reading))
    bars = reading.bars()
    head, foot = (
        _wrapped(measure, title, 15, bold=True),
        [line for note in notes for line in _wrapped(measure, note, 12)],
    )
    top = 50 + _TITLE_LINE * len(head)
    below = top + _BAR_ROW * len(bars) + 20
    height = int(below + 17 * len(foot) + _MARGIN)
    left, right = _MARGIN + _NAME + _NUMBER + 16, _WIDTH - _MARGIN
    zero = (left + right) / 2 if reading.signed else left

    def draw(sheet: Canvas) -> None:
        _draw_head(sheet, head, reading)
        sheet.rectangle(zero, top, 1, _BAR_ROW * len(bars), fill=_QUIET)
        for i, mark in enumerate(bars):
            y, share = top + (i + 0.5) * _BAR_ROW, reading.share(mark)
            sheet.text(_MARGIN + _NAME, y, sheet.fitting(mark.name, _NAME), align="right")
            sheet.text(_MARGIN + _NAME + _NUMBER, y, reading.number(mark.value), size=12, colour=_QUIET, align="right")
            width = abs(share) * (right - zero)
            if width >= 0.5:
                start = zero if share > 0 else zero - width
                sheet.rectangle(start, y - 7, width, 14, fill=_ink(reading, share))
        for i, line in enumerate(foot):
            sheet.text(_MARGIN, below + 17 * i, line, size=12, colour=_QUIET)

    return Twin(_WIDTH, height, _colours(reading), draw)


def shade(ink: str, share: float) -> str:
    """``ink`` on white: as much as the share of the scale."""
    strength = abs(share)
    return "#" + "".join(f"{round(255 - strength * (255 - int(ink[i : i + 2], 16))):02x}" for i in (1, 3, 5))


def _colours(reading: Reading) -> list[str]:
    return [FALL, RISE] if reading.signed else [PLAIN]


def _ink(reading: Reading, share: float) -> str:
    if not reading.signed:
        return PLAIN
    return RISE if share > 0 else FALL


def _draw_head(sheet: Canvas, head: Sequence[str], reading: Reading) -> None:
    """The title, and what the colours mean, with numbers."""
    for i, line in enumerate(head):
        sheet.text(_MARGIN, 22 + i * _TITLE_LINE, line, size=15, bold=True)
    y, x = 27 + _TITLE_LINE * len(head), float(_MARGIN)
    sheet.text(x, y, reading.ticks[0], size=12, colour=_QUIET)
    x += sheet.width_of(reading.ticks[0], 12) + 8
    each = 160 / _SCALE_STEPS
    for i in range(_SCALE_STEPS):
        share = (2 * (i + 0.5) / _SCALE_STEPS - 1) if reading.signed else (i + 0.5) / _SCALE_STEPS
        sheet.rectangle(x + i * each, y - 5, each, 10, fill=shade(_ink(reading, share), share))
    sheet.rectangle(x, y - 5, 160, 10, edge="#c8d1da")
    x += 168
    sheet.text(x, y, reading.ticks[-1], size=12, colour=_QUIET)
    x += sheet.width_of(reading.ticks[-1], 12) + 20
    meaning = "orange, underlined: raises it; blue, dotted: lowers it" if reading.signed else "weight"
    sheet.text(x, y, meaning, size=12, colour=_QUIET)


def draw_mark(sheet: Canvas, reading: Reading, one: Placed, y: float) -> None:
    """One token with its colour and its line, at its place in the text laid out; ``y`` is the middle of its line."""
    if one.mark is None:
        sheet.text(one.x, y, one.text, size=_SIZE, colour=_QUIET)
        return
    share = reading.share(one.mark)
    ink = _ink(reading, share)
    fill = shade(ink, share)
    sheet.rectangle(one.x, y - 11, one.width, 22, fill=fill)
    if reading.signed and abs(share) >= _LEAST_UNDERLINED:
        dots = [(one.x, one.width)] if share > 0 else [(one.x + at, 2.0) for at in range(0, int(one.width) - 1, 4)]
        for x, width in dots:
            sheet.rectangle(x, y + 11, width, 2, fill=ink)
    if one.text.strip():
        size = 12 if one.mark.special else _SIZE
        colour = _on(fill) if not one.mark.special or abs(share) > 0.2 else _QUIET
        sheet.text(one.x + one.width / 2, y, one.text, size=size, colour=colour, align="center")


def _on(fill: str) -> str:
    """Black or white, whichever is easier to read on it (the contrast of WCAG 2)."""
    parts = [int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    light = sum(
        factor * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
        for factor, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"


def laid_out(measure: Canvas, reading: Reading) -> list[Placed]:
    """The text in lines; what was typed without white space between stays together where it fits."""
    placed: list[Placed] = []
    x, line, segment = float(_MARGIN), 0, 0
    space, right = measure.width_of("a a", _SIZE) - measure.width_of("aa", _SIZE), _WIDTH - _MARGIN
    for run in _runs(reading):
        if run[0].segment != segment:
            x, line, segment = float(_MARGIN), line + 1 + bool(placed), run[0].segment
        breaks = run[0].before.count("\n")
        x, line = (float(_MARGIN), line + breaks) if breaks else (x + space * bool(placed and run[0].before), line)
        pieces = [piece for mark in run for piece in _pieces(measure, mark, right - _MARGIN)]
        if x + sum(width for _, _, width in pieces) > right and x > _MARGIN:
            x, line = float(_MARGIN), line + 1
        for text, mark, width in pieces:
            if x + width > right and x > _MARGIN:
                x, line = float(_MARGIN), line + 1
            placed.append(Placed(x, line, width, text, mark))
            x += width + (1 if mark else 0)
    return placed


def _runs(reading: Reading) -> list[list[Mark]]:
    """Marks that were typed without white space between them."""
    runs: list[list[Mark]] = []
    for mark in reading.marks:
        apart = not mark.text.strip() or mark.special or mark.before[:1].isspace() or mark.before[-1:].isspace()
        last = runs[-1][-1] if runs else None
        if last is None or apart or last.special or not last.text.strip() or last.segment != mark.segment:
            runs.append([mark])
        else:
            runs[-1].append(mark)
    return runs


def _pieces(measure: Canvas, mark: Mark, most: float) -> list[tuple[str, Mark | None, float]]:
    """What was typed before a mark and is no white space, and the mark itself, each with its width."""
    pieces: list[tuple[str, Mark | None, float]] = []
    if mark.before.strip():
        text = measure.fitting(" ".join(mark.before.split()), most, _SIZE)
        pieces.append((text, None, measure.width_of(text, _SIZE) + 2))
    text = " ".join(mark.text.split()) or " "
    size, padding = (12 if mark.special else _SIZE), (8 if mark.special else 4)
    text = measure.fitting(text, most - padding, size) if text.strip() else " "
    width = measure.width_of(text, size) + padding if text.strip() else 5.0
    return [*pieces, (text, mark, width)]


def _wrapped(measure: Canvas, text: str, size: float, *, bold: bool = False) -> list[str]:
    """The text in lines of the picture's width."""
    lines, most = [""], _WIDTH - 2 * _MARGIN
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if measure.width_of(longer, size, bold) <= most or not lines[-1]:
            lines[-1] = measure.fitting(longer, most, size, bold)
        else:
            lines.append(measure.fitting(word, most, size, bold))
    return lines
