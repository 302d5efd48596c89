"""Polarity: dark on light or light on dark, and the models for which it makes all the difference."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from course.vision.sources import picture_of

if TYPE_CHECKING:
    from course.models import Model
    from course.vision.patches import Picture

LIGHT_ON_DARK = {("digits", "shipped")}
"""Role and profile of the models that have learnt only light strokes on a dark ground."""
_LEAST_CONTRAST = 0.2


def inverted(image: Any) -> Image.Image:
    """The image with light and dark exchanged, for `course.rank` and its like: ink on paper becomes white on black.

    ``image`` is whatever these take: a path, a PIL image or an array. Raises InputError as they do.

    >>> inverted([[0.0, 1.0]]).getpixel((0, 0))
    (255, 255, 255)
    """
    return ImageOps.invert(picture_of(image)[0])


def warned(model: Model, picture: Picture) -> tuple[str, ...]:
    """What stands against a picture that this model cannot read; also warned of, for the answer looks plausible.

    Only for the models of `LIGHT_ON_DARK`: the border of the picture is mostly light, or all of it nearly alike.
    """
    if (model.role, model.profile) not in LIGHT_ON_DARK:
        return ()
    light = picture.light.mean(0).numpy()
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    if np.median(border) > 0.5:
        said = (
            f"{picture.name} is dark on light, and {model.title} has learnt light strokes on a dark ground only: its "
            "answers to this mean nothing. Give course.inverted(image)"
        )
    elif light.max() - light.min() < _LEAST_CONTRAST:
        said = f"{picture.name} is nearly of one brightness: {model.title} sees no stroke in it, and answers anyhow"
    else:
        return ()
    warnings.warn(said, stacklevel=5)
    return (said,)
