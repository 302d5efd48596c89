import io
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from course.views import head_view, model_view
from course.views.colours import HEADS
from course.views.letters import SCALE
from tests.views.synthetic import HOSTILE, attention


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255


def has_colour(png: bytes, colour: str) -> bool:
    """There is an area of this colour, not just a pixel where lines cross."""
    return (np.abs(pixels(png) - to_rgb(colour)).max(-1) < 0.02).sum() > 100 * SCALE**2


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_any_token_is_drawn_without_a_warning(draw):
    tokens = ("🦜", "你好世界", "$\\frac{1}{2}$", "a_b^c", "שלום", "مرحبا", "x" * 500, "", *HOSTILE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(attention(1, 2, tokens, model="$x$ 🦜"))


def test_colours_survive_in_the_png():
    view = head_view(attention(1, 12))
    assert all(has_colour(view.png(), colour) for colour in HEADS)
    assert tuple(pixels(view.png())[0, 0]) == (1, 1, 1)


def test_only_the_heads_shown_have_full_colours():
    png = head_view(attention(1, 12), heads=[3]).png()
    assert [has_colour(png, colour) for colour in HEADS].count(True) == 1


def test_heat_map_shows_the_weights():
    """One head that looks at the first key only: its square is dark in the first column and white elsewhere."""
    att = attention(1, 1, ("a", "b", "c", "d"))
    att.weights.zero_()[..., 0] = 1
    shades = pixels(model_view(att).png()).mean(-1)
    square = shades[int(104 * SCALE) : int(230 * SCALE), int(58 * SCALE) : int(184 * SCALE)]
    quarter = square.shape[1] // 4
    assert square[:, 2 : quarter - 6].max() < 0.4
    assert square[:, quarter + 6 : -6].min() > 0.95


def drawn() -> list[bytes | str]:
    return [
        form
        for draw in (head_view, model_view)
        for view in [draw(attention(1, 2))]
        for form in (view.png(), view.svg())
    ]


def test_picture_ignores_the_readers_settings():
    plain = drawn()
    with matplotlib.rc_context(
        {"font.size": 30, "lines.antialiased": False, "axes.facecolor": "red", "figure.dpi": 33, "savefig.dpi": 7}
    ):
        changed = drawn()
        assert matplotlib.rcParams["font.size"] == 30
    assert changed == plain


def test_width_is_that_of_a_notebook():
    for view in (head_view(attention(6, 12)), model_view(attention(6, 12))):
        assert 700 <= view.twin.width <= 960
        assert pixels(view.png()).shape[1] == int(view.twin.width * SCALE)
