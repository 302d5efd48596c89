"""Arrays: an image from numbers, where their shape and range leave no doubt of what they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from course.tokens import InputError

_SHAPES = "height x width (grey), height x width x 3 or 3 x height x width (RGB)"


def from_array(source: Any, most: int) -> Image.Image:
    """An image from an array, a tensor or nested lists, of at most so many pixels, in RGB.

    Shapes: height x width (grey), height x width x 3 (RGB), the same with channels first as torch has them, and 1
    in place of 3 for grey. Whole numbers go from 0 (black) to 255 (white); numbers with a fraction from 0 to 1, and
    are rounded to 1/255.

    Raises InputError for other shapes and those that may mean two things, for NaN, for numbers out of range,
    and for whole numbers of which none is above 1, which may mean either range.
    """
    array = _numbers(source)
    if array.size == 0 or array.ndim not in (2, 3):
        batch = ": give one image of the batch" if array.ndim == 4 else ""
        raise InputError(f"an image as an array is {_SHAPES}; this one has shape {array.shape}{batch}")
    array = _channels_last(array)
    if array.shape[0] * array.shape[1] > most:
        raise InputError(f"this array has {array.shape[0]:,} × {array.shape[1]:,} pixels; at most {most:,} are read")
    grey = _bytes(array)
    return Image.fromarray(grey[..., 0] if grey.shape[-1] == 1 else grey).convert("RGB")


def _numbers(source: Any) -> NDArray[Any]:
    if hasattr(source, "detach"):  # a tensor; numpy has no bfloat16, and float32 holds all that are shorter
        source = source.detach().cpu()
        source = (source.float() if source.is_floating_point() else source).numpy()
    try:
        array = np.asarray(source)
    except ValueError as error:
        raise InputError(f"the rows of this list are not of one length: an image as an array is {_SHAPES}") from error
    if array.dtype.kind not in "uif":
        advice = ": give array.astype(float)" if array.dtype.kind == "b" else ""
        raise InputError(f"an image as an array has numbers, not {array.dtype}{advice}")
    return array


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 2:
        return array[..., None]
    first, last = array.shape[0] in (1, 3), array.shape[-1] in (1, 3)
    if first and last:
        raise InputError(
            f"the shape {array.shape} may have its channels first or last: give a grey image as height x width, "
            "or a PIL image"
        )
    if not first and not last:
        alpha = "; for transparency give a PIL image, Image.fromarray(array)" if 4 in array.shape else ""
        raise InputError(f"an image as an array is {_SHAPES}; this one has shape {array.shape}{alpha}")
    return np.moveaxis(array, 0, -1) if first else array


def _bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    least, most = float(array.min()), float(array.max())
    if not np.isfinite([least, most]).all():
        raise InputError("this image has pixels that are NaN or infinite: give numbers from 0 (black) to 1 (white)")
    whole = array.dtype.kind in "ui"
    if least < 0 or most > (255 if whole else 1):
        advice = (
            "has it been normalised for a model already? Give the image as it was before"
            if least < 0
            else f"divide by what is white, such as array / {_likely_white(most)}"
        )
        kind = "whole numbers go from 0 (black) to 255 (white)" if whole else "fractions go from 0 (black) to 1 (white)"
        raise InputError(f"of an image as an array, {kind}; these go from {least:g} to {most:g}: {advice}")
    if whole and most == 1:
        raise InputError(
            "these whole numbers are all 0 or 1, which is black on a scale to 255: give array * 255, or "
            "array.astype(float) for a scale to 1"
        )
    found: NDArray[np.uint8] = array.astype(np.uint8) if whole else np.round(array * 255).astype(np.uint8)
    return found


def _likely_white(most: float) -> int:
    """The least usual white that is not below the largest number."""
    return next((white for white in (16, 255, 4095, 65535) if most <= white), int(most))
