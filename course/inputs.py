"""read(): what a model is given to read, a text or an image, as its tokens and tensors."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.tokenising import tokenise
from course.tokens import InputError, Tokens

if TYPE_CHECKING:
    from torch import Tensor

    from course.models import Model

_IMAGE_FILES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff")


def read(
    model: Model, source: Any, pair: str | None = None, *, truncate: bool = False
) -> tuple[Tokens, dict[str, Tensor]]:
    """The tokens of a text or sentence pair, or the patches of an image, and the tensors that the model takes.

    Raises InputError for what this model does not read, or cannot.
    """
    if model.reads_images:
        from course.vision.looking import look  # Pillow is not needed for texts

        if pair is not None:
            raise InputError(f"{model.title} reads one image at a time: leave out the second text")
        return look(model, source)
    is_file = isinstance(source, str) and source.lower().endswith(_IMAGE_FILES) and Path(source).is_file()
    if is_file or isinstance(source, PathLike) or hasattr(source, "shape") or hasattr(source, "getpixel"):
        raise InputError(
            f"{model.title} reads text, not images: give it a string, or load a model that reads images, such as "
            "course.load('digits')"
        )
    return tokenise(model, source, pair, truncate=truncate)
