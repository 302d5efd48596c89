from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course.views.colours import HEADS

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
SIGHT = {
    "ordinary": np.eye(3),
    "green-blind": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "red-blind": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def linear(colour):
    channels = np.array(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(light):
    cones = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
    opponents = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
    return opponents @ np.cbrt(np.clip(cones @ light, 0, None))


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_heads_look_different(sight):
    seen = [oklab(np.clip(SIGHT[sight] @ linear(colour), 0, 1)) for colour in HEADS]
    assert len(seen) == 12
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.09


@pytest.mark.parametrize("background", ["#ffffff", "#16181c"])
def test_every_colour_shows_on_light_and_dark(background):
    weights = np.array([0.2126, 0.7152, 0.0722])
    for colour in HEADS:
        dark, light = sorted((weights @ linear(colour), weights @ linear(background)))
        assert (light + 0.05) / (dark + 0.05) > 2
