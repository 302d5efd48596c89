import io
import re

import numpy as np
import pytest
from PIL import Image

from course.views.canvas import SCALE, Canvas, even_side, pooled
from course.views.palette import EDGE, rgb

RED = "#b41e0f"


def pixels(sheet):
    return np.asarray(Image.open(io.BytesIO(sheet.png())).convert("RGB"))


def test_cells_are_pixels_of_their_shade_in_a_frame():
    sheet = Canvas(60, 40, [RED])
    sheet.cells(sheet.palette.shades(RED, np.array([[0.0, 1.0], [1.0, 0.0]])), 10, 10, 40, 20)
    seen = pixels(sheet)
    assert seen.shape == (60, 90, 3)
    for y, x, colour in ((18, 18, (255,) * 3), (18, 60, rgb(RED)), (40, 18, rgb(RED)), (40, 60, (255,) * 3)):
        assert tuple(seen[y, x]) == tuple(colour)
    assert np.abs(seen[15, 15:75].astype(int) - rgb(EDGE)).max() < 12  # as near as the greys come
    assert (seen[14] == 255).all() and (seen[45] == 255).all()


def test_text_is_over_boxes_and_these_are_over_cells():
    sheet = Canvas(60, 40, [RED])
    sheet.cells(sheet.palette.shades(RED, np.ones((1, 1))), 0, 0, 60, 40)
    sheet.rectangle(20, 10, 20, 20, fill="#000000")
    sheet.text(30, 20, "M", size=20, bold=True, colour="#ffffff", align="center")
    seen = pixels(sheet)
    assert tuple(seen[10, 10]) == tuple(rgb(RED))
    inside = seen[16:44, 31:59]
    assert inside.max() == 255 and inside.min() < 50
    assert (inside.max(-1) > 200).sum() > 50


@pytest.mark.parametrize(("align", "at"), [("left", 10), ("center", 50), ("right", 90)])
def test_text_stands_where_it_is_told_to(align, at):
    sheet = Canvas(100, 40, [RED])
    sheet.text(at, 20, "HHHH", align=align)
    rows, columns = np.nonzero(pixels(sheet).min(-1) < 128)
    assert abs((rows.min() + rows.max() + 1) / 2 - 20 * SCALE) <= 1
    edges = {"left": columns.min(), "right": columns.max() + 1, "center": (columns.min() + columns.max() + 1) / 2}
    assert abs(edges[align] - at * SCALE) <= 3


def test_upright_text_is_read_from_below():
    sheet = Canvas(40, 100, [RED])
    sheet.text(20, 50, "HHL", upright=True)
    rows, columns = np.nonzero(pixels(sheet).min(-1) < 128)
    assert np.ptp(rows) > 2 * np.ptp(columns)
    assert abs((rows.min() + rows.max()) / 2 - 75) <= 2 and abs((columns.min() + columns.max()) / 2 - 30) <= 2
    top = columns[rows < rows.min() + 6]  # the L: its foot is at the right
    assert top.max() == columns.max() and (columns[rows == rows.min() + 1] > 30).all()


def test_what_is_off_the_sheet_is_left_out():
    sheet = Canvas(40, 40, [RED])
    for x, y in ((-10, 20), (35, 20), (20, -3), (20, 42), (-500, 20), (20, 900)):
        sheet.text(x, y, "cat")
    assert pixels(sheet).shape == (60, 60, 3)


def test_svg_has_what_the_png_has():
    sheet = Canvas(60, 40, [RED])
    sheet.cells(sheet.palette.shades(RED, np.ones((2, 2))), 5, 5, 10, 10)
    sheet.lines(np.array([[[0.0, 0.0], [60.0, 40.0]]]), RED, np.array([0.5]), 2)
    sheet.rectangle(30, 5, 10, 10, fill=RED)
    sheet.text(30, 30, "cat")
    found = sheet.svg()
    assert found.startswith("<svg") and found.count("<image") == 1 and "LineCollection" in found
    assert len(re.findall("DejaVuSans-", found)) >= 3


@pytest.mark.parametrize(
    ("side", "cells", "even"), [(68, 32, 64), (68, 26, 68), (38, 128, 38), (50, 5, 50), (20, 9, 18)]
)
def test_cells_are_equal_where_the_picture_hardly_shrinks(side, cells, even):
    assert even_side(side, cells) == even


@pytest.mark.parametrize("kind", [np.uint8, np.int8, float])
def test_each_point_is_the_strongest_of_its_cells(kind):
    draw = np.random.default_rng(0)
    values = draw.integers(-127 if kind is np.int8 else 0, 128, (2, 37, 23)).astype(kind)
    seen = pooled(values, 8 / SCALE, 10 / SCALE)
    assert seen.shape == (2, 10, 8) and seen.dtype == kind
    rows, columns = (np.append(np.arange(most) * count // most, count) for most, count in ((10, 37), (8, 23)))
    for y in range(10):
        for x in range(8):
            block = values[:, rows[y] : rows[y + 1], columns[x] : columns[x + 1]].reshape(2, -1).astype(int)
            strongest = block[np.arange(2), np.abs(block).argmax(1)]
            assert (np.abs(seen[:, y, x]) == np.abs(strongest)).all()
    assert pooled(values, 100, 100) is values
