"""Pictures: an image at the place where a model embeds its patches, beside the baseline that it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from course.attributions.embedded import Embedded, embeddings_of, rows_at_once
from course.attributions.targets import Target
from course.vision.baselines import baseline_of
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model


def embedded_picture(
    model: Model, patches: Patches, pixels: Tensor, goal: Target, baseline: Any, batch_size: int | None
) -> tuple[Embedded, str]:
    """The image as pixel values beside those of the baseline, and what the baseline is.

    The embedding of a patch is linear in its pixels, so the straight path between the embeddings is the one between
    the pixels, and what a patch has is the sum of what its pixels have.
    """
    other, said = baseline_of(model, patches, baseline)
    module: Any = model.module

    def score(values: Tensor) -> Tensor:
        return goal.score(module(pixel_values=values))

    embedded = Embedded(
        module=module,
        layer=embeddings_of(module, model.title),
        inputs=pixels,
        baseline=other.to(pixels),
        score=score,
        rows=rows_at_once(module, len(patches)) if batch_size is None else batch_size,
    )
    return embedded, said
