"""The static twins of the head and the model view: the same data as a picture, for where no page can run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course.views.canvas import Canvas, Twin, even_side, pooled
from course.views.colours import HEADS
from course.views.palette import QUIET, Floats, rgb
from course.views.selection import Choice, Part
from course.views.words import Link, block_note, links, model_name, place

_MARGIN, _ROW = 16, 22
_HEAD_WIDTH, _LABEL_WIDTH, _LINES_WIDTH, _HEADS_IN_ROW = 760, 190, 170, 30
_MODEL_WIDTH, _CELL_GAP, _LARGEST_CELL = 960, 6, 140
_HEAT = "#08306b"
_FAINTEST = 0.01  # fainter lines are a third of the PNG and nobody sees them


def head_twin(part: Part, choice: Choice, layer: int, heads: Sequence[int]) -> Twin:
    """Lines between two columns of tokens, a colour a head, and the strongest links beside them."""
    queries = [part.queries[i] for i in choice.rows]
    keys = [part.keys[i] for i in choice.columns]
    strongest = [(head, link) for head in heads[:12] for link in links(part, choice, layer, head, _links_each(heads))]
    top = 78 + 22 * -(-len(part.heads) // _HEADS_IN_ROW)
    height = top + max(len(queries), len(keys), len(strongest)) * _ROW + _MARGIN

    def draw(sheet: Canvas) -> None:
        heading = f"{place(layer, heads)} of {model_name(part)}{block_note(choice)}"
        _draw_heading(sheet, heading[0].upper() + heading[1:], _HEAD_WIDTH)
        _draw_switches(sheet, part.heads, heads)
        left = _draw_tokens(sheet, "query", queries, _MARGIN, top, align="right")
        right = _draw_tokens(sheet, "key", keys, left + _LINES_WIDTH, top, align="left")
        for head in heads:
            weights = part.attention.head(layer, head).numpy()[_slice(choice.rows), _slice(choice.columns)]
            _draw_lines(sheet, weights / len(heads), HEADS[head % len(HEADS)], (left + 8, left + _LINES_WIDTH - 8), top)
        _draw_links(sheet, strongest, right + 40, top, several=len(heads) > 1)

    return Twin(_HEAD_WIDTH, height, HEADS, draw)


def model_twin(part: Part, choice: Choice) -> Twin:
    """A grid of heat maps, a row a layer and a column a head; in each, rows are queries and columns keys."""
    left, top = 54, 100
    room = min(_LARGEST_CELL, max(2 * _CELL_GAP, (_MODEL_WIDTH - left - _MARGIN) // len(part.heads)))
    side = even_side(room - _CELL_GAP, max(len(choice.rows), len(choice.columns)))
    pitch = side + _CELL_GAP
    width = max(560, round(left + len(part.heads) * pitch) + _MARGIN)

    def draw(sheet: Canvas) -> None:
        _draw_heading(sheet, f"Heads of {model_name(part)}{block_note(choice)}", width)
        _draw_scale(sheet)
        sheet.text(left + len(part.heads) * pitch / 2, 68, "Heads", bold=True, align="center")
        sheet.text(_MARGIN + 4, top + len(part.layers) * pitch / 2, "Layers", bold=True, align="center", upright=True)
        for column, head in enumerate(part.heads):
            sheet.text(left + column * pitch + side / 2, 88, str(head), size=12, align="center")
        for row, layer in enumerate(part.layers):
            sheet.text(left - 8, top + row * pitch + side / 2, str(layer), size=12, align="right")
            for column, head in enumerate(part.heads):
                weights = part.attention.head(layer, head).numpy()[_slice(choice.rows), _slice(choice.columns)]
                _draw_cells(sheet, weights, left + column * pitch, top + row * pitch, side, side)

    return Twin(width, round(top + len(part.layers) * pitch) + _MARGIN - _CELL_GAP, [_HEAT], draw)


def _links_each(heads: Sequence[int]) -> int:
    return {1: 6, 2: 3, 3: 3}.get(len(heads), 1)


def _slice(positions: range) -> slice:
    return slice(positions.start, positions.stop)


def _draw_heading(sheet: Canvas, text: str, width: int) -> None:
    sheet.text(_MARGIN, 22, sheet.fitting(text, width - 2 * _MARGIN, 15, bold=True), size=15, bold=True)


def _draw_switches(sheet: Canvas, heads: Sequence[int], on: Sequence[int]) -> None:
    """A numbered square a head, as in the page: full where the head is shown, pale where it is not."""
    for i, head in enumerate(heads):
        x, y = _MARGIN + i % _HEADS_IN_ROW * 22, 40 + i // _HEADS_IN_ROW * 22
        colour = HEADS[head % len(HEADS)]
        fill = colour if head in on else _pale(colour)
        sheet.rectangle(x, y, 20, 20, fill=fill)
        ink = "#ffffff" if rgb(fill) @ (0.21, 0.72, 0.07) < 0.55 * 255 else "#000000"
        sheet.text(x + 10, y + 10, str(head), size=11, bold=True, colour=ink, align="center")
    x = _MARGIN + min(len(heads), _HEADS_IN_ROW) * 22 + 8
    if x < 500:
        each = "weight" if len(on) == 1 else f"weight ÷ {len(on)} heads shown"
        sheet.text(x, 50, f"heads; opacity of a line = {each}", size=12, colour=QUIET)


def _pale(colour: str) -> str:
    """A quarter of a colour on white."""
    return f"#{np.round(255 - 0.25 * (255 - rgb(colour).astype(float))).astype(np.uint8).tobytes().hex()}"


def _draw_tokens(sheet: Canvas, heading: str, texts: Sequence[str], x: float, top: int, *, align: str) -> float:
    """A column of tokens from ``x`` on; returns where it ends."""
    texts = [sheet.fitting(text, _LABEL_WIDTH) for text in texts]
    end = x + max(48.0, *(sheet.width_of(text) for text in texts))
    at = end if align == "right" else x
    sheet.text(at, top - 12, heading, size=12, colour=QUIET, align=align)
    for i, text in enumerate(texts):
        sheet.text(at, top + (i + 0.5) * _ROW, text, align=align)
    return end


def _draw_lines(sheet: Canvas, opacities: Floats, colour: str, ends: tuple[float, float], top: int) -> None:
    rows, columns = np.nonzero(opacities > _FAINTEST)
    starts = np.stack([np.full(len(rows), ends[0]), top + (rows + 0.5) * _ROW], -1)
    stops = np.stack([np.full(len(rows), ends[1]), top + (columns + 0.5) * _ROW], -1)
    sheet.lines(np.stack([starts, stops], 1), colour, opacities[rows, columns], 2)


def _draw_links(sheet: Canvas, strongest: Sequence[tuple[int, Link]], x: float, top: int, *, several: bool) -> None:
    indent = 36 if several else 0
    width = _HEAD_WIDTH - _MARGIN - x - indent - 40
    if width < 90:
        return
    sheet.text(x, top - 12, "strongest links", size=12, colour=QUIET)
    for i, (head, link) in enumerate(strongest):
        y = top + (i + 0.5) * _ROW
        if several:
            sheet.rectangle(x, y - 5, 10, 10, fill=HEADS[head % len(HEADS)])
            sheet.text(x + 14, y, str(head), size=11, colour=QUIET)
        text = sheet.fitting(f"{link.query} → {link.key}", width, 12)
        sheet.text(x + indent, y, text, size=12)
        sheet.text(x + indent + sheet.width_of(text, 12) + 8, y, f"{link.weight:.2f}", size=12, colour=QUIET)


def _draw_cells(sheet: Canvas, weights: Floats, x: float, y: float, width: float, height: float) -> None:
    """A rectangle of cells in a frame, white for 0 and `_HEAT` for 1."""
    sheet.cells(sheet.palette.shades(_HEAT, pooled(weights, width, height)), x, y, width, height)


def _draw_scale(sheet: Canvas) -> None:
    """What the shades mean."""
    steps = np.linspace(0, 1, 33)[None]
    sheet.text(_MARGIN, 46, "0", size=12, colour=QUIET)
    _draw_cells(sheet, steps, _MARGIN + 12, 41, 120, 10)
    sheet.text(_MARGIN + 138, 46, "1", size=12, colour=QUIET)
    sheet.text(_MARGIN + 160, 46, "weight; in each square, queries run down and keys across", size=12, colour=QUIET)
