"""Three stages: what pre-training made of a random model, and what fine-tuning made of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from torch import Tensor

from course.attention import Attention
from course.differences.attention_diff import AttentionDiff
from course.differences.changes import Change, table
from course.differences.comparing import DiffError
from course.differences.noise import NoiseFloor, noise_floor

Stage = Sequence[Attention] | Sequence[Sequence[Attention]]


@dataclass(frozen=True, eq=False)
class ThreeWay:
    """How much each head moved from random to pre-trained, from there to trained, and all the way.

    ``between_random`` and ``between_trained`` are the changes between each two seeds of these stages, None where
    there is one seed only.
    """

    pretraining: Change
    fine_tuning: Change
    whole: Change
    between_random: Change | None
    between_trained: Change | None

    @property
    def detour(self) -> Tensor:
        """How much of both steps the whole way does not show, at least 0 but for rounding; layers x heads.

        Total variation keeps the triangle inequality: the way over pre-training is no shorter than the straight
        one. Near 0, fine-tuning went on as pre-training had begun; near twice `fine_tuning`, it went back.
        """
        return self.pretraining.mean + self.fine_tuning.mean - self.whole.mean

    def pretraining_floor(self) -> NoiseFloor:
        """`noise_floor` of pre-training by random seeds: what is learnt, rather than there from the start."""
        return noise_floor(self.pretraining, _floor(self.between_random, "random"))

    def fine_tuning_floor(self) -> NoiseFloor:
        """`noise_floor` of fine-tuning by trained seeds: what training does, rather than this run of it."""
        return noise_floor(self.fine_tuning, _floor(self.between_trained, "trained"))

    def to_frame(self) -> Any:
        """A pandas DataFrame, a row a head: each of the three means with its 95 % interval over texts."""
        columns: dict[str, Tensor] = {}
        for name, change in self._steps().items():
            low, high = change.interval()
            columns |= {name: change.mean, f"{name}_low": low, f"{name}_high": high}
        return table(columns)

    def __repr__(self) -> str:
        names = {"pretraining": "random → pretrained", "fine_tuning": "pretrained → trained",
                 "whole": "random → trained"}  # fmt: skip
        lines = [f"total variation by stage: {self.whole.texts} texts; by layer and on average"]
        steps = {names[name]: change for name, change in self._steps().items()}
        floors = {"between random seeds": self.between_random, "between trained seeds": self.between_trained}
        for name, change in (steps | {name: one for name, one in floors.items() if one is not None}).items():
            by_layer = " ".join(f"{value:.2f}" for value in change.mean.mean(1).tolist())
            lines.append(f"  {name:22} {by_layer}   {change.mean.mean():.3f}")
        return "\n".join(lines)

    def _steps(self) -> dict[str, Change]:
        return {"pretraining": self.pretraining, "fine_tuning": self.fine_tuning, "whole": self.whole}


def three_way(random: Stage, pretrained: Sequence[Attention], trained: Stage) -> ThreeWay:
    """Compare the stages "random", "pretrained" and "trained" of a role, over several texts, by total variation.

    Each is the attention on each text, in the same order; "random" and "trained" may be several such lists, one a
    seed, which also gives the noise floor between the seeds of a stage. Raises DiffError where the texts or
    architectures are not the same.

    >>> import course
    >>> stages = [course.load("sentiment", stage=name) for name in ("random", "pretrained", "trained")]
    >>> found = course.three_way(*([course.attend(one, "A fine film")] for one in stages))
    >>> bool(found.pretraining.mean.mean() > found.fine_tuning.mean.mean())
    True
    """
    fresh, start, ends = _seeds("random", random), _seeds("pretrained", pretrained), _seeds("trained", trained)
    if len(start) > 1:
        raise DiffError("give one list for pretrained: seeds of it differ in the head on top, which no attention sees")
    return ThreeWay(
        pretraining=Change.of([_step(one, start[0]) for one in fresh]),
        fine_tuning=Change.of([_step(start[0], one) for one in ends]),
        whole=Change.of([_step(one, other) for one in fresh for other in ends]),
        between_random=_between(fresh),
        between_trained=_between(ends),
    )


def _seeds(name: str, stage: Stage) -> list[Sequence[Attention]]:
    """One list of attentions for each seed."""
    if not isinstance(stage, Sequence) or not stage:
        raise DiffError(f"{name} must be a list with the attention of each text, or a list of such lists")
    return list(stage) if isinstance(stage[0], Sequence) else [stage]  # type: ignore[arg-type, list-item]


def _step(before: Sequence[Attention], after: Sequence[Attention]) -> list[AttentionDiff]:
    if len(before) != len(after):
        raise DiffError(f"{len(before)} texts of one stage and {len(after)} of another: give the same texts for all")
    return [AttentionDiff(one, other) for one, other in zip(before, after, strict=True)]


def _between(seeds: Sequence[Sequence[Attention]]) -> Change | None:
    pairs = [_step(one, other) for one, other in combinations(seeds, 2)]
    return Change.of(pairs) if pairs else None


def _floor(between: Change | None, stage: str) -> Change:
    if between is None:
        raise DiffError(
            f"a floor needs at least two seeds of stage {stage!r}: give a list of lists, one a seed "
            "(course.load with stage='random' and seed=1, 2 …, or with catalogue= for what you trained)"
        )
    return between
