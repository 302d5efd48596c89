"""The static twin of a neuron view: one query, and each key's vector, products, score and weight."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from course.views.canvas import Canvas, Twin
from course.views.palette import QUIET, Bytes, Floats, Palette
from course.views.selection import Part
from course.views.vectors import Reading, Vectors
from course.views.words import model_name, place

POSITIVE, NEGATIVE = "#0c36d8", "#ff6318"
"""bertviz's own colours of the light page; they differ for every kind of colour blindness."""

MOST_KEYS = 30
"""The most keys in the picture; of more, these with the largest weights."""

_WIDTH, _MARGIN, _ROW, _STRIP = 860, 16, 22, 210
_KEYS_AT, _PRODUCTS_AT, _SCORES_AT, _WEIGHTS_AT = 176, 406, 636, 706
_BAR, _TOP = 80, 160


def shade(values: Floats) -> Floats:
    """How strong bertviz 1.4.1 draws a number, 0 to 1: tanh(|x| / 4)."""
    strong: Floats = np.tanh(np.abs(values) / 4)
    return strong


def neuron_twin(part: Part, reading: Reading, vectors: Vectors, layer: int, head: int) -> Twin:
    """A row a key: its vector, the products with the query, their score, and the weight."""
    rows = sorted(reading.strongest(MOST_KEYS))
    height = _TOP + len(rows) * _ROW + _MARGIN

    def draw(sheet: Canvas) -> None:
        query = part.queries[reading.query]
        heading = f"{place(layer, [head])} of {model_name(part)}: the query {query} and its keys"
        heading = heading[0].upper() + heading[1:]
        sheet.text(_MARGIN, 22, sheet.fitting(heading, _WIDTH - 2 * _MARGIN, 15, bold=True), size=15, bold=True)
        _draw_scale(sheet)
        _draw_headings(sheet, vectors.size, len(rows), len(reading.keys))
        sheet.text(
            _KEYS_AT - 10, 109, sheet.fitting(query, _KEYS_AT - 10 - _MARGIN, bold=True), bold=True, align="right"
        )
        _draw_strip(sheet, reading.query_vector[None], _KEYS_AT, 100, _ROW - 4)
        products = reading.products
        for line, row in enumerate(rows):
            y = _TOP + line * _ROW
            key = part.keys[reading.keys[row]]
            sheet.text(_KEYS_AT - 10, y + 9, sheet.fitting(key, _KEYS_AT - 10 - _MARGIN), align="right")
            _draw_strip(sheet, reading.key_vectors[row][None], _KEYS_AT, y, _ROW - 4)
            _draw_strip(sheet, products[row][None], _PRODUCTS_AT, y, _ROW - 4)
            _draw_score(sheet, float(reading.scores[row]), y)
            _draw_weight(sheet, float(reading.weights[row]), y)

    return Twin(_WIDTH, height, [POSITIVE, NEGATIVE], draw)


def _draw_headings(sheet: Canvas, size: int, drawn: int, keys: int) -> None:
    sheet.text(_KEYS_AT, 86, f"query q, {size} numbers", size=12, colour=QUIET)
    y = _TOP - 14
    some = "" if drawn == keys else f", the {drawn} strongest of {keys}"
    sheet.text(_KEYS_AT, y, f"keys k{some}", size=12, colour=QUIET)
    sheet.text(_PRODUCTS_AT, y, "q × k, number by number", size=12, colour=QUIET)
    sheet.text(_SCORES_AT, y, f"q·k/√{size}", size=12, colour=QUIET)
    sheet.text(_WEIGHTS_AT, y, "weight (softmax)", size=12, colour=QUIET)


def _draw_scale(sheet: Canvas) -> None:
    """What the colours mean, with numbers."""
    values = (-8, -4, -2, -1, 0, 1, 2, 4, 8)
    for i, value in enumerate(values):
        x = _MARGIN + i * 30
        sheet.cells(_shades(sheet.palette, np.array([[float(value)]])), x, 40, 26, 12)
        sheet.text(x + 13, 60, f"{value:+d}".replace("-", "−") if value else "0", size=10, colour=QUIET, align="center")
    sheet.text(
        _MARGIN + 9 * 30 + 10, 46, "blue: positive, orange: negative; the stronger, the larger", size=12, colour=QUIET
    )


def _draw_strip(sheet: Canvas, values: Tensor, x: float, y: float, height: float) -> None:
    """A vector as a row of cells in a frame."""
    sheet.cells(_shades(sheet.palette, values.numpy()), x, y, _STRIP, height)


def _draw_score(sheet: Canvas, score: float, y: float) -> None:
    sheet.cells(_shades(sheet.palette, np.array([[score]])), _SCORES_AT, y, 18, 18)
    sheet.text(_SCORES_AT + 24, y + 9, f"{score:.2f}".replace("-", "−"), size=12)


def _draw_weight(sheet: Canvas, weight: float, y: float) -> None:
    bar = np.arange(_BAR) < round(_BAR * weight)
    sheet.cells(sheet.palette.shades(POSITIVE, bar[None].astype(float)), _WEIGHTS_AT, y + 2, _BAR, 14)
    sheet.text(_WEIGHTS_AT + _BAR + 8, y + 9, f"{weight:.2f}", size=12)


def _shades(palette: Palette, values: Floats) -> Bytes:
    """White for 0, towards blue above and orange below."""
    positive, negative = (palette.shades(colour, shade(values)) for colour in (POSITIVE, NEGATIVE))
    return np.where(values >= 0, positive, negative)
