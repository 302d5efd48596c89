"""PatchRemoval: what a classifier makes of an image without some of its patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from course.attributions.embedded import rows_at_once
from course.faithfulness.removal import FaithfulnessError, Removal
from course.vision.baselines import BASELINES, baseline_of
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model


@dataclass(eq=False, repr=False)
class PatchRemoval(Removal):
    """An image whose patches can be replaced by those of a baseline; a patch cannot be left out, only painted over.

    ``by`` is the name of a baseline (see `course.attribute`), whatever the one that the explanation was made with.
    """

    patches: Patches = field(kw_only=True)
    baseline: Tensor = field(kw_only=True)

    @classmethod
    def begun(cls, model: Model, patches: Patches, by: str, batch_size: int | None) -> PatchRemoval:
        """The removal from an image, its label not known yet."""
        if by not in BASELINES:
            raise FaithfulnessError(
                f"the patches of an image are replaced by those of a baseline: removal must be one of "
                f"{', '.join(map(repr, BASELINES))}, not {by!r}"
            )
        if not model.reads_images:
            raise FaithfulnessError(f"{model.title} reads texts, and this explains an image: explain a text")
        units = tuple((i,) for i, special in enumerate(patches.special) if not special)
        rows = rows_at_once(model.module, len(patches)) if batch_size is None else batch_size
        other = baseline_of(model, patches, by)[0]
        inputs = {"pixel_values": patches.picture.values.unsqueeze(0)}
        return cls(model, patches, inputs, by, units, rows, patches=patches, baseline=other)

    @property
    def way(self) -> str:
        """What is done to the patches, in words."""
        return f"replaced by {BASELINES[self.by]}"

    def _row(self, removed: frozenset[int]) -> list[int]:
        return list(range(len(self.tokens)))

    def _run(self, rows: Sequence[Sequence[int]], removed: Sequence[frozenset[int]]) -> Tensor:
        pixels = self.inputs["pixel_values"].repeat(len(removed), 1, 1, 1)
        for image, units in zip(pixels, removed, strict=True):
            for unit in units:
                down, across = self.patches.box(divmod(unit, self.patches.grid[1]))
                image[:, down, across] = self.baseline[0, :, down, across]
        return self._probabilities({"pixel_values": pixels})
