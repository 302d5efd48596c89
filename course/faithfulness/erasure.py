"""Faithfulness: does an explanation point at what the model's prediction rests on?"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from course.attributions.attribution import METHODS, Attribution
from course.faithfulness.intervals import Interval, bootstrapped, check_resampling, spread
from course.faithfulness.removal import FaithfulnessError, Removal, ordered
from course.movements import signed
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model

THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.5)
"""The shares of tokens of DeYoung et al. 2020."""


class Point(NamedTuple):
    """One threshold: the share, how many tokens or words that is, and what happens without them and with only them."""

    threshold: float
    taken: int
    comprehensiveness: float
    sufficiency: float


@dataclass(frozen=True, repr=False)
class Erasure:
    """Comprehensiveness and sufficiency of one explanation, from −1 to 1, in probability of the predicted ``label``.

    ``points`` has one entry a threshold. ``random`` are the AOPC of as many ``orders`` drawn at random, as
    (comprehensiveness, sufficiency) with the interval that 95% of them lie in; None where none were drawn.
    See `erase` for what the numbers mean.
    """

    points: tuple[Point, ...]
    probability: float
    label: str
    size: int
    level: str
    method: str
    model: str
    removal: str
    orders: int
    random: tuple[Interval, Interval] | None

    @property
    def comprehensiveness(self) -> float:
        """Its AOPC: the mean over the thresholds. Higher is better."""
        return sum(point.comprehensiveness for point in self.points) / len(self.points)

    @property
    def sufficiency(self) -> float:
        """Its AOPC: the mean over the thresholds. Lower is better."""
        return sum(point.sufficiency for point in self.points) / len(self.points)

    def __repr__(self) -> str:
        beside = ["", ""] if self.random is None else [f", random orders {interval}" for interval in self.random]
        lines = [
            f"{METHODS[self.method]} of {shown(self.model)}: {self.size} {self.level}, for {shown(self.label)!r} "
            f"(probability {self.probability:.3f}); {self.removal}",
            f"  comprehensiveness (AOPC) {signed(self.comprehensiveness, 3)}{beside[0]}: higher is better",
            f"  sufficiency (AOPC) {signed(self.sufficiency, 3)}{beside[1]}: lower is better",
        ]
        return "\n".join(
            lines
            + [
                f"  {point.threshold:.0%} = {point.taken} of {self.size}: without them "
                f"{signed(point.comprehensiveness, 3)}, with only them {signed(point.sufficiency, 3)}"
                for point in self.points
            ]
        )


def erase(
    model: Model,
    attribution: Attribution,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    removal: str | None = None,
    orders: int = 20,
    seed: int = 0,
    batch_size: int | None = None,
) -> Erasure:
    """What the prediction loses without the tokens that an explanation puts first, and with only those.

    DeYoung et al. 2020 (ERASER, arXiv 1911.03429, section 4.2), with m(x) the probability of the label that the model
    predicts for the whole text x, and r the k tokens with the highest values (not the largest: what speaks against
    the label is no reason for it; ties in reading order):

    - comprehensiveness = m(x) − m(x without r): high if r held what was needed;
    - sufficiency = m(x) − m(only r): low if r is enough; below 0 where r says it more clearly than the whole.

    k is each of ``thresholds``, a share of the tokens (special ones not counted), **rounded up**, so that the
    smallest takes at least one token; a share of 0 takes none and of 1 all. AOPC is the mean over the thresholds, as
    in the authors' program; their formula divides by one more, for k = 0, where nothing is lost (for
    comprehensiveness, 5/6 of ours). Their ``delete`` is the default; see `Removal` for "mask". An explanation
    of whole words (`Attribution.words`) is tested by words.

    Beside it stand ``orders`` random orders of the same tokens, drawn from ``seed``: what any order would have.

    Misleads where two tokens do the same work (either can go, so the one named first seems idle); where the label
    is what the model says of an empty text anyhow (then everything is sufficient); and because a text with
    holes is none that the model was trained on, so part of every loss is surprise.

    Raises FaithfulnessError for a model without labels, an explanation of another model or label, and options
    that do not exist.

    >>> import course
    >>> model = course.load("planted")
    >>> found = erase(model, course.attribute(model, "the dog and the happy cat passed the river"))
    >>> found.comprehensiveness > 0.9, found.sufficiency < 0.1
    (True, True)
    """
    shares = _checked(thresholds)
    check_orders(orders)
    held = Removal.of(model, attribution, removal, batch_size)
    counts = [math.ceil(share * len(held)) for share in shares]
    everything = [ordered(held.importance(attribution)), *random_orders(len(held), orders, seed)]
    held.without(part for order in everything for k in counts for part in (order[:k], order[k:]))  # all at once
    own, *others = [_points(held, order, thresholds, counts) for order in everything]
    drawn = [[sum(point[which] for point in points) / len(points) for points in others] for which in (2, 3)]
    return Erasure(
        points=own,
        probability=held.probability,
        label=model.labels[held.label],
        size=len(held),
        level=attribution.level,
        method=attribution.method,
        model=model.title,
        removal=f"{attribution.level} {held.way}",
        orders=orders,
        random=(spread(drawn[0]), spread(drawn[1])) if orders else None,
    )


@dataclass(frozen=True, repr=False)
class Erasures:
    """The mean AOPC over texts, each with its bootstrap interval.

    ``random`` are the means of random orders, and ``gain`` how much better the explanation is than those, text by text:
    for both, (comprehensiveness, sufficiency). A gain is above 0 where the explanation is better.
    """

    comprehensiveness: Interval
    sufficiency: Interval
    random: tuple[Interval, Interval]
    gain: tuple[Interval, Interval]
    texts: int
    method: str
    removal: str

    def __repr__(self) -> str:
        lines = [f"{self.method}: {self.texts} texts; {self.removal}"]
        for i, (name, own, better) in enumerate(
            (
                ("comprehensiveness", self.comprehensiveness, "higher"),
                ("sufficiency", self.sufficiency, "lower"),
            )
        ):
            lines.append(
                f"  {name} (AOPC) {own}, random orders {self.random[i]}: {better} is better; gain {self.gain[i]}"
            )
        return "\n".join(lines)


def mean_erasure(
    erasures: Sequence[Erasure], *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Erasures:
    """The mean of `erase` over texts, as DeYoung et al. report it, with intervals over texts (percentile bootstrap).

    Raises FaithfulnessError for none, for such without random orders, and where tokens were removed in two ways.
    """
    check_resampling(FaithfulnessError, confidence, resamples)
    drawn = [one.random for one in erasures if one.random is not None]
    if not erasures or len(drawn) < len(erasures) or len({one.removal for one in erasures}) > 1:
        raise FaithfulnessError("mean_erasure takes at least one erasure, all by one removal and with random orders")

    def mean(values: Sequence[float]) -> Interval:
        return bootstrapped(values, level=confidence, resamples=resamples, seed=seed)

    own = [one.comprehensiveness for one in erasures], [one.sufficiency for one in erasures]
    random = [pair[0].mean for pair in drawn], [pair[1].mean for pair in drawn]
    return Erasures(
        comprehensiveness=mean(own[0]),
        sufficiency=mean(own[1]),
        random=(mean(random[0]), mean(random[1])),
        gain=(
            mean([a - b for a, b in zip(own[0], random[0], strict=True)]),
            mean([b - a for a, b in zip(own[1], random[1], strict=True)]),
        ),
        texts=len(erasures),
        method=" / ".join(dict.fromkeys(f"{METHODS[one.method]} of {shown(one.model)}" for one in erasures)),
        removal=erasures[0].removal,
    )


def random_orders(size: int, orders: int, seed: int) -> list[list[int]]:
    """So many random orders of 0 … size − 1, the same for the same arguments."""
    draw = random.Random(seed)
    return [draw.sample(range(size), size) for _ in range(orders)]


def _points(
    held: Removal, order: Sequence[int], thresholds: Sequence[float], counts: Sequence[int]
) -> tuple[Point, ...]:
    return tuple(
        Point(float(share), k, held.comprehensiveness(order[:k]), held.sufficiency(order[:k]))
        for share, k in zip(thresholds, counts, strict=True)
    )


def _checked(thresholds: Sequence[float]) -> list[Fraction]:
    """The shares as exact decimals: 0.07 of 100 tokens are 7, and not 8 because of binary fractions."""
    given: list[Any] = list(thresholds)
    if not given or not all(isinstance(t, (int, float)) and not isinstance(t, bool) and 0 <= t <= 1 for t in given):
        raise FaithfulnessError(f"thresholds must be shares of the tokens, from 0 to 1, not {thresholds!r}")
    return [Fraction(str(float(t))) for t in given]


def check_orders(orders: int, least: int = 0) -> None:
    """Raise FaithfulnessError unless this is how many random orders may be drawn."""
    if isinstance(orders, bool) or not isinstance(orders, int) or orders < least:
        raise FaithfulnessError(f"orders must be a whole number from {least}, not {orders!r}")
