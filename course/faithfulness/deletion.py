"""Deletion curves: the probability of a label as a text loses its tokens, the most important first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.attributions.attribution import METHODS, Attribution
from course.faithfulness.erasure import check_orders, random_orders
from course.faithfulness.intervals import Interval, spread
from course.faithfulness.removal import Removal, ordered
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model


@dataclass(frozen=True, repr=False)
class DeletionCurve:
    """The probability of ``label`` after 0, 1, … n tokens (or words) are removed, in the order of an explanation.

    ``removed`` are the tokens in that order, ``curve`` the n + 1 probabilities, and ``random`` as many means over
    ``orders`` random orders, each with the interval that 95% of them lie in. ``areas`` are the areas under the random
    curves.
    """

    removed: tuple[str, ...]
    curve: tuple[float, ...]
    random: tuple[Interval, ...]
    areas: tuple[float, ...]
    label: str
    level: str
    method: str
    model: str
    removal: str

    @property
    def area(self) -> float:
        """Area under the curve, 0 to 1: the mean probability over the share of tokens removed. Lower is better."""
        return area_under(self.curve)

    @property
    def random_area(self) -> Interval:
        """That of the random orders: their mean, and where 95% of them lie."""
        return spread(self.areas)

    @property
    def chance(self) -> float:
        """How often an order drawn at random would be as good: (1 + those with no larger area) / (1 + all drawn)."""
        as_good = sum(area <= self.area for area in self.areas)
        return (1 + as_good) / (1 + len(self.areas))

    def __repr__(self) -> str:
        first = ", ".join(
            f"−{shown(text)} {value:.3f}" for text, value in zip(self.removed[:5], self.curve[1:], strict=False)
        )
        more = f", … to {self.curve[-1]:.3f} without all {len(self.removed)}" if len(self.removed) > 5 else ""
        return (
            f"deletion by {METHODS[self.method]} of {shown(self.model)}, for {shown(self.label)!r}; {self.removal}\n"
            f"  {self.curve[0]:.3f}, {first}{more}\n"
            f"  area under the curve {self.area:.3f}, random orders {self.random_area}: lower is better; "
            f"chance of an order as good {self.chance:.2g}"
        )


def deletion_curve(
    model: Model,
    attribution: Attribution,
    *,
    removal: str | None = None,
    orders: int = 50,
    seed: int = 0,
    batch_size: int | None = None,
) -> DeletionCurve:
    """How fast the predicted label becomes improbable as tokens go, in the order of an explanation and at random.

    After Samek et al. 2017 (arXiv 1509.06321) and Petsiuk et al. 2018 (arXiv 1806.07421): the tokens with the highest
    values go first (ties in reading order; special tokens stay), one after the other until none is left. The area
    under the curve is taken by the trapezoidal rule over the share removed, 0 to 1. As one random order proves
    nothing, ``orders`` of them are drawn from ``seed``.

    Misleads as `erase` does. The end of the curve is the same for every order, so areas of different texts are not
    comparable, only those of different orders of one text.

    Raises FaithfulnessError as `erase`, and for fewer than one random order.

    >>> import course
    >>> model = course.load("planted")
    >>> found = deletion_curve(model, course.attribute(model, "the dog and the happy cat passed the river"))
    >>> found.removed[0], found.curve[1] < 0.1, found.chance < 0.2
    ('happy', True, True)
    """
    check_orders(orders, least=1)
    held = Removal.of(model, attribution, removal, batch_size)
    everything = [ordered(held.importance(attribution)), *random_orders(len(held), orders, seed)]
    steps = range(len(held) + 1)
    held.without(order[:k] for order in everything for k in steps)
    own, *others = [tuple(held.without(order[:k] for k in steps)) for order in everything]
    texts = [text for text, special in zip(attribution.tokens, attribution.tokens.special, strict=True) if not special]
    return DeletionCurve(
        removed=tuple(texts[i] for i in everything[0]),
        curve=own,
        random=tuple(spread([curve[k] for curve in others]) for k in steps),
        areas=tuple(area_under(curve) for curve in others),
        label=model.labels[held.label],
        level=attribution.level,
        method=attribution.method,
        model=model.title,
        removal=f"{attribution.level} {held.way}",
    )


def area_under(curve: Sequence[float]) -> float:
    """The area under a curve of evenly spaced values between 0 and 1, by the trapezoidal rule.

    >>> area_under([1.0, 0.5, 0.0])
    0.5
    """
    return (sum(curve) - (curve[0] + curve[-1]) / 2) / (len(curve) - 1)
