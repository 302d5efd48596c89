import numpy as np
import pytest

from course.views.colours import HEADS
from course.views.palette import INK, Palette, rgb


@pytest.mark.parametrize("colours", [HEADS[:1], HEADS[:2], HEADS])
def test_every_colour_has_its_shades_from_white_to_full(colours):
    palette = Palette(colours)
    assert len(palette.rows) <= 256
    for colour in (INK, *colours):
        numbers = palette.shades(colour, np.linspace(0, 1, 101))
        assert numbers[0] == 0 and (palette.rows[numbers[-1]] == rgb(colour)).all()
        wanted = 255 - np.linspace(0, 1, 101)[:, None] * (255 - rgb(colour).astype(float))
        assert np.abs(palette.rows[numbers] - wanted).max() < 255 * 0.045
        assert (np.diff(palette.rows[numbers].astype(int).sum(1)) <= 0).all()


def test_nearest_of_its_own_colours_are_these_and_of_others_the_closest():
    palette = Palette(HEADS)
    assert (palette.rows[palette.nearest(palette.rows)] == palette.rows).all()
    others = np.random.default_rng(0).integers(0, 256, (50, 3)).astype(np.uint8)
    distances = ((others[:, None].astype(int) - palette.rows.astype(int)) ** 2).sum(-1)
    found = palette.nearest(others)
    assert (distances[np.arange(50), found] == distances.min(1)).all()
