"""Baselines: pictures with nothing in them, with which a picture is compared and by which its patches are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from course.tokens import InputError
from course.vision.looking import look
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model

BASELINES = {
    "black": "a black picture",
    "white": "a white picture",
    "mean": "a picture of the mean colour of this one",
    "blur": "this picture, blurred until no shape is left",
}
"""The names of the baselines, and what they are."""


def baseline_of(model: Model, patches: Patches, baseline: Any) -> tuple[Tensor, str]:
    """Pixel values (1 x channels x height x width) of a baseline, and what it is.

    ``baseline`` is one of `BASELINES`, or an image of your own: a Path, a PIL image or an array, read as the picture
    was. "blur" is Gaussian, with a deviation of a quarter of the height.

    Raises InputError for a name that there is not, and as `look` does.
    """
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            known = ", ".join(map(repr, BASELINES))
            raise InputError(
                f"the baseline of an image is one of {known}, or an image (a Path, a PIL image or an array), "
                f"not {baseline!r}"
            )
        return patches.picture.valued(_light(patches, baseline)).unsqueeze(0), BASELINES[baseline]
    other, inputs = look(model, baseline)
    return inputs["pixel_values"], f"another picture, {other.picture.name}"


def _light(patches: Patches, baseline: str) -> Tensor:
    """Brightness from 0 to 1, channels x height x width."""
    light = patches.picture.light
    if baseline == "mean":
        return light.mean((1, 2), keepdim=True).expand_as(light)
    if baseline == "blur":
        blur = ImageFilter.GaussianBlur(light.shape[1] / 4)
        blurred = [Image.fromarray((channel * 255).round().byte().numpy()).filter(blur) for channel in light]
        return torch.stack([torch.from_numpy(np.array(one)) / 255 for one in blurred])
    return torch.full_like(light, float(baseline == "white"))
