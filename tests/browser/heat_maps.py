"""Records for pages of heat maps, and what tests read from these pages."""

import io
import re

import numpy as np
import torch
from PIL import Image

from course.differences.attention_diff import diff
from tests.views.synthetic import attention

PAPER = {"light": (255, 255, 255), "dark": (22, 24, 28)}
RISE = {"light": (179, 74, 0), "dark": (255, 160, 66)}
FALL = {"light": (0, 90, 181), "dark": (86, 180, 255)}


def changed(layers=3, heads=4, *rest, **settings):
    return diff(
        attention(layers, heads, *rest, seed=1, **settings), attention(layers, heads, *rest, seed=2, **settings)
    )


def known_change():
    """Head (1, 2) looks at itself before and at the first token after; the others do not change."""
    before, after = (attention(2, 3, ("a", "b", "c", "d")) for _ in range(2))
    before.weights[1, 2] = torch.eye(4)
    after.weights[1, 2] = 0
    after.weights[1, 2, :, 0] = 1
    return diff(before, after)


def canvas_pixels(frame, selector):
    """The canvas's own pixels: height x width x RGB."""
    found = frame.eval_on_selector(
        selector,
        "c => [c.height, c.width, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]",
    )
    return np.array(found[2]).reshape(found[0], found[1], 4)[..., :3]


def screen(opened, frame, selector):
    box = frame.locator(selector).bounding_box()
    return np.asarray(Image.open(io.BytesIO(opened.page.screenshot(clip=box, animations="disabled"))).convert("RGB"))


def read_out(frame):
    text = frame.locator(".readout").text_content()
    tokens, numbers = text.rsplit(": ", 1)
    return tokens, [float(number.replace("−", "-")) for number in re.findall(r"[+−]?\d+\.\d+", numbers)]


def cell(frame, layer, head):
    return frame.locator(f"[role=gridcell][aria-label^='layer {layer}, head {head}:']")


def long_attention(layers=12, heads=12, tokens=128):
    return attention(layers, heads, tuple(f"w{i}" for i in range(tokens)))
