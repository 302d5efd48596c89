"""Noise floor: is a head's change larger than what changes without the cause that we look for?"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import torch
from torch import Tensor

from course.differences.changes import Change, Differences, table
from course.differences.comparing import DiffError
from course.movements import HeadChange


@dataclass(frozen=True, eq=False)
class NoiseFloor:
    """A change beside its noise floor, head by head.

    ``excess`` is the change (the smallest of its pairs of models) less the floor (the largest of its pairs), layers
    x heads; ``low`` is its lower bound for other texts of the kind, at ``level``, for all heads at once. See
    `noise_floor` for what it means.
    """

    change: Change
    floor: Change
    excess: Tensor
    low: Tensor
    level: float

    @property
    def exceeds(self) -> Tensor:
        """True for heads whose change is above every pair of the floor, for other texts too; layers x heads."""
        return self.low > 0

    @property
    def spread(self) -> tuple[Tensor, Tensor]:
        """The floor's error bar: the smallest and the largest mean of its pairs of models; layers x heads each."""
        return self.floor.lowest, self.floor.highest

    @property
    def chance(self) -> float:
        """How often a head comes out on top if its change is one more of the floor's kind: 1/2 for one pair each.

        One over the number of ways to say which of the pairs of models are the change. Pairs that share a model are
        not independent, so it may be more. This is for each head by itself: of 72 heads, 36 at a chance of 1/2.
        """
        return 1 / comb(self.change.pairs + self.floor.pairs, self.change.pairs)

    def heads(self) -> list[HeadChange]:
        """The heads that exceed the floor, by their mean change, most first; ties in reading order."""
        means = self.change.mean.where(self.exceeds, torch.full((), -1.0, dtype=torch.double))
        order = torch.sort(means.flatten(), descending=True, stable=True).indices.tolist()[: int(self.exceeds.sum())]
        size = means.shape[1]
        return [HeadChange(i // size, i % size, float(means.flatten()[i])) for i in order]

    def to_frame(self) -> Any:
        """A pandas DataFrame, a row a head: change, floor with its lowest and highest, excess, low, exceeds."""
        return table(
            {
                "change": self.change.mean, "floor": self.floor.mean, "floor_lowest": self.floor.lowest,
                "floor_highest": self.floor.highest, "excess": self.excess, "low": self.low, "exceeds": self.exceeds,
            }
        )  # fmt: skip

    def __repr__(self) -> str:
        above, total = int(self.exceeds.sum()), self.exceeds.numel()
        named = ", ".join(map(str, self.heads()[:3]))
        return "\n".join(
            [
                f"change {self.change.mean.mean():.3f} ({self.change.title}), floor {self.floor.mean.mean():.3f} "
                f"({self.floor.title}), {self.change.texts} texts",
                f"  {above} of {total} heads exceed the floor at {self.level:.0%} for all heads together"
                + (f", most layer {named.removeprefix('layer ')}" if above else ""),
                f"  models: {self.change.pairs} pairs against {self.floor.pairs}; were they alike, chance alone would "
                f"put about {self.chance * total:.0f} of the {total} heads on top",
            ]
        )


def noise_floor(
    change: Change | Differences,
    floor: Change | Differences,
    *,
    by: str = "total_variation",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> NoiseFloor:
    """Which heads changed by more than ``floor``, the changes that the cause we look for did not make.

    Both are an `AttentionDiff` for each text (at least ten, the same in both), or a list of such lists where there
    are several pairs of models, or a `Change`. Which floor to take:

    - **Two trainings that differ in their seed only**, each pair of them: the floor for what training did, rather
      than this run. If every run went its own way, two of them would be further apart than each from the start. Train
      them (``python -m course.training``) and load each with ``catalogue=``; one trained seed is shipped.
    - **Another task on the same base**, as "qa" − its start against "sentiment" − its start: what any fine-tuning
      moves. A head above it was moved more by this task than by that; one below may have been moved by both.
    - **Two random models** (``stage="random"``, seeds 0, 1, …): the floor for what pre-training made. It misleads for
      fine-tuning: fresh heads attend nearly evenly, so two of them are close together, and most changes exceed that.
    - **Not a floor**: two seeds of ``stage="pretrained"``. They differ in the head on top, which no attention
      sees; their difference is exactly 0, and is refused.

    Two things vary, and each has its own answer. *Texts*: the bootstrap draws the texts anew, for change and
    floor together, and the bound ``low`` holds for all heads at once (the largest of their studentised
    deviations), so that among many heads none exceeds by accident of the texts more often than 1 − ``level``.
    *Models*: few pairs cannot be drawn anew, so the change must be above the largest of them; how little that may
    mean is `NoiseFloor.chance`, which is printed. Texts that are alike (of one author, say) make the bound too high.

    Raises DiffError for too few texts or resamples, for texts or architectures that are not the same, and for a
    floor of 0.
    """
    if not 0 < level < 1:
        raise DiffError(f"level must be between 0 and 1, not {level!r}")
    if resamples < 100:
        raise DiffError(f"resamples must be at least 100, not {resamples!r}: fewer say nothing of so rare a case")
    ours, theirs = (one if isinstance(one, Change) else Change.of(one, by) for one in (change, floor))
    _check(ours, theirs)
    excess = ours.lowest - theirs.highest
    drawn = ours.resampled(resamples, seed).amin(1) - theirs.resampled(resamples, seed).amax(1)
    error = drawn.std(0)
    studentised = torch.where(error > 0, (drawn - excess) / error.clamp_min(1e-300), 0.0)
    return NoiseFloor(
        ours, theirs, excess, excess - studentised.flatten(1).amax(1).quantile(level).clamp_min(0) * error, level
    )


def _check(change: Change, floor: Change) -> None:
    if change.by != floor.by:
        raise DiffError(f"the change is in {change.by} and the floor in {floor.by}: take one measure for both")
    if change.values.shape[2:] != floor.values.shape[2:]:
        raise DiffError("change and floor must be of one architecture: a head is compared with the same head")
    if change.inputs != floor.inputs:
        raise DiffError("change and floor must be of the same texts in the same order: how much moves depends on them")
    if not bool(floor.values.any()):
        raise DiffError(
            f"the floor is 0 everywhere ({floor.title}): these models attend alike, as two seeds of stage 'pretrained' "
            "do, which differ in the head on top only; take two trainings, two random models, or another task"
        )
