"""Sources: an image from a path, a PIL image or an array, in 8-bit RGB, or a sentence that says why not."""

from __future__ import annotations

import warnings
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from course.tokens import InputError, shown
from course.vision.arrays import from_array
from course.vision.digit_image import DigitImage

LARGEST = 50_000_000
"""The most pixels of an image. A model reads some ten thousand, and a small file can unpack to billions."""

_TAKES = "give the path of an image file, a PIL image, or an array"
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N")


def picture_of(source: Any, title: str = "this model") -> tuple[Image.Image, str]:
    """The image in RGB, and its name (that of its file, without folders).

    - A path, str or Path, of any file that Pillow reads. It is turned as its EXIF data say.
    - A PIL image. Transparent parts are laid on white, as viewers show them; 16 bits become 8; CMYK becomes RGB as
      Pillow does it; colour profiles are not applied. Of an animation, take a frame first.
    - What `course.digit_images` gives.
    - An array (numpy, torch, nested lists), see `course.vision.arrays.from_array`.

    Raises InputError for anything else, and for files that are missing, no images, cut off or too large. ``title``
    is the model that is to read it, for the message.
    """
    if isinstance(source, DigitImage):
        return source.image.convert("RGB"), f"a handwritten {source.label}"
    if isinstance(source, (str, PathLike)):
        return _from_file(source, title)
    if isinstance(source, Image.Image):
        name = Path(str(getattr(source, "filename", "") or "")).name or "an image"
        return _in_rgb(source, name), shown(name)
    if isinstance(source, (np.ndarray, list, tuple)) or type(source).__module__.split(".")[0] == "torch":
        return from_array(source, LARGEST), "an array"
    raise InputError(f"{title} reads images, not {type(source).__name__}: {_TAKES}")


def _from_file(source: Any, title: str) -> tuple[Image.Image, str]:
    given = shown(str(source))
    short = given if len(given) <= 80 else f"{given[:79]}…"
    if given.startswith(("http://", "https://")):
        raise InputError(f"{short!r} is a web address: save the image, and give the path of the file")
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            raise InputError(f"{short!r} is a folder: give the path of one image in it")
        if not path.is_file():
            raise InputError(f"{title} reads images, and there is no file {short!r}: {_TAKES}")
        with path.open("rb") as file:
            beginning = file.read(256)
    except (OSError, ValueError) as error:  # a name that is too long or has a null character, or no permission
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{title} reads images, and {short!r} cannot be opened ({reason}): {_TAKES}") from error
    name = shown(path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _in_rgb(image, name), name
    except UnidentifiedImageError as error:
        raise InputError(f"{name!r} is no image that Pillow can read: {_looks_like(beginning)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_large(name)) from error


def _in_rgb(image: Image.Image, name: str) -> Image.Image:
    """The image upright, opaque and in 8-bit RGB."""
    if image.width * image.height > LARGEST:
        raise InputError(_too_large(name, image))
    if 0 in image.size:
        raise InputError(f"{name!r} has no pixels: it is {image.width} × {image.height}")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # photos of some telephones carry a second, smaller one
        raise InputError(f"{name!r} has {frames} frames: choose one, such as image.seek(0), and give image.copy()")
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's readers raise for damaged data
        raise InputError(f"{name!r} is damaged or cut off ({error}): copy or download it again") from error
    return _opaque(upright, name)


def _opaque(image: Image.Image, name: str) -> Image.Image:
    if image.mode in ("I", "F"):
        raise InputError(
            f"{name!r} has 32-bit pixels (mode {image.mode}), and nothing says which of them is white: give an array "
            "of numbers from 0 (black) to 1 (white)"
        )
    if image.mode in _DEEP:
        return Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _too_large(name: str, image: Image.Image | None = None) -> str:
    size = f"{image.width:,} × {image.height:,} pixels" if image else "too many pixels to be opened safely"
    return f"{name!r} has {size}; at most {LARGEST:,} are read: make it smaller, such as 1,000 pixels wide"


def _looks_like(beginning: bytes) -> str:
    """What a file that is no image seems to be, and what to do."""
    start = beginning.lstrip().lower()
    if not beginning:
        return "it is empty. Save the image again"
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<script", b"<?xml", b"<svg")):
        kind = "a drawing (SVG); save it as PNG" if b"<svg" in start else "a web page; save the image itself"
        return f"it looks like {kind}"
    if start.startswith(b"%pdf"):
        return "it looks like a PDF; save the image in it as PNG"
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS, not the image; run git lfs pull"
    return f"it begins with {beginning[:12]!r}. Open it in an image viewer, and save it as PNG"
