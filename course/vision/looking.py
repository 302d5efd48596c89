"""look(): from an image to what a model reads, by the model's own image processor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from course.tokens import InputError
from course.vision.patches import Patches, Picture
from course.vision.polarity import warned
from course.vision.sources import picture_of

if TYPE_CHECKING:
    from course.models import Model

_SPECIAL = (("cls_token", "[CLS]"), ("distillation_token", "[DIST]"))
"""What may stand before the patches: the names of the parameters, and of the tokens."""


def look(model: Model, image: Any) -> tuple[Patches, dict[str, Tensor]]:
    """The patches of an image, and the pixel values (1 x channels x height x width) that the model takes.

    ``image`` is whatever `course.vision.sources.picture_of` reads. The model's own image processor makes it as large
    as the model wants (most squeeze what is not square), and scales it; models of one channel get it in grey.

    Raises InputError for what is no image, for a model without an image processor, for one whose processor makes
    images of another size, and for models that do not cut images into patches of one size.
    """
    size, patch, special = _cut(model)
    picture, name = picture_of(image, model.title)
    values = _processed(model, picture, size)
    black, white = (_processed(model, Image.new("RGB", size[::-1], end), size)[:, 0, 0] for end in ("black", "white"))
    if bool((black == white).any()):
        raise InputError(f"the image processor of {model.title} makes black and white alike: give it another one")
    seen = Picture(values, black, white, name)
    seen = replace(seen, notes=warned(model, seen))
    grid = size[0] // patch[0], size[1] // patch[1]
    return Patches.of(seen, grid, special), {"pixel_values": values.unsqueeze(0)}


def _processed(model: Model, picture: Image.Image, size: tuple[int, int]) -> Tensor:
    """Channels x height x width, float32."""
    channels = int(model.module.config.num_channels)
    given = picture if channels == 3 else picture.convert("L")
    try:
        found: Tensor = model.tokenizer(given, return_tensors="pt")["pixel_values"][0].float()
    except (ValueError, TypeError) as error:  # such as three means for one channel
        raise InputError(f"the image processor of {model.title} cannot read a picture: {error}") from error
    if tuple(found.shape) != (channels, *size):
        raise InputError(
            f"{model.title} reads {channels} × {size[0]} × {size[1]} (channels × height × width), but its image "
            f"processor gives {' × '.join(map(str, found.shape))}: give wrap() the processor of this checkpoint"
        )
    if not bool(torch.isfinite(found).all()):
        raise InputError(f"the image processor of {model.title} gives numbers that are NaN or infinite")
    return found


def _cut(model: Model) -> tuple[tuple[int, int], tuple[int, int], list[str]]:
    """Height and width of the image, and of a patch, and the special tokens before the patches."""
    if not callable(model.tokenizer) or hasattr(model.tokenizer, "convert_ids_to_tokens"):
        raise InputError(
            f"{model.title} reads images but has no image processor: give course.wrap(module, processor) one, such as "
            "transformers.AutoImageProcessor.from_pretrained(…)"
        )
    config = model.module.config
    sizes = [getattr(config, name, None) for name in ("image_size", "patch_size")]
    embeddings = getattr(getattr(model.module, "base_model", None), "embeddings", None)
    if None in sizes or not hasattr(embeddings, "cls_token"):
        raise InputError(
            f"{model.title} is a {type(model.module).__name__}: images are read by models that cut them into patches "
            "after a [CLS] token, such as ViT and DeiT"
        )
    size, patch = (_both(one) for one in sizes)
    return size, patch, [name for key, name in _SPECIAL if getattr(embeddings, key, None) is not None]


def _both(size: Any) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)
