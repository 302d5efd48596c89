"""Rank correlation: do two explanations put the same tokens first?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import kendalltau, spearmanr

from course.attributions.attribution import METHODS, Attribution
from course.faithfulness.intervals import Interval, bootstrapped, check_resampling
from course.faithfulness.removal import FaithfulnessError
from course.tokens import shown

CORRELATIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "kendall": ("Kendall's tau-b", kendalltau),
    "spearman": ("Spearman's rho", spearmanr),
}
CONSTANT = 1e-9
"""Values that differ by no more than this share of the largest are one value: the rest is rounding."""


@dataclass(frozen=True, repr=False)
class RankAgreement:
    """How alike two kinds of explanation order the tokens of texts, −1 (reversed) to 1 (alike).

    ``values`` has one correlation a text, None where there is none: where an explanation is constant, or a text has
    fewer than two tokens. ``interval`` is the mean of the others with its bootstrap interval over texts.
    """

    values: tuple[float | None, ...]
    interval: Interval
    by: str
    first: str
    second: str
    level: str
    confidence: float
    absolute: bool

    @property
    def undefined(self) -> tuple[int, ...]:
        """The numbers of the texts that have no correlation, and are not in the mean."""
        return tuple(i for i, value in enumerate(self.values) if value is None)

    def __repr__(self) -> str:
        left_out = f"; {len(self.undefined)} left out, constant or too short" if self.undefined else ""
        count = len(self.values) - len(self.undefined)
        size = "sizes" if self.absolute else "values"
        return (
            f"{self.first} and {self.second}: {CORRELATIONS[self.by][0]} {self.interval} of the {size} of "
            f"{self.level}, {self.confidence:.0%} interval over {count} texts{left_out}"
        )


def rank_agreement(
    first: Sequence[Attribution],
    second: Sequence[Attribution],
    *,
    by: str = "kendall",
    absolute: bool = False,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> RankAgreement:
    """The mean rank correlation of two explanations of the same texts, text by text.

    ``by`` is "kendall" (tau-b: of all pairs of tokens, those in the same order less those in reverse; tied pairs
    count for neither, and the denominator is corrected for them) or "spearman" (correlation of ranks, tied tokens
    sharing their mean rank). Both are scipy's. Ranks are of the values, or with ``absolute`` of their sizes, which
    is how signed values compare with attention. Special tokens are left out: gradients give them 0, attention often
    most, and the rest would not count.

    An explanation whose values are all alike has no order, so there is no correlation: such texts are left out of
    the mean, counted, and printed. The interval is for other texts of the kind (percentile bootstrap over texts from
    ``seed``); of one text it has no width.

    Misleads where it is read as faithfulness: two explanations can agree and both be wrong. In long texts most tokens
    do not matter, and tau is dominated by the order among those (Jain and Wallace 2019, arXiv 1902.10186, use it;
    Wiegreffe and Pinter 2019 and Bastings and Filippova 2020, arXiv 2010.05607, say what it cannot show).

    Raises FaithfulnessError where the explanations are not of the same texts, and where no text has a correlation.

    >>> import course
    >>> model = course.load("planted")
    >>> texts = ["the dog was not happy", "the ugly cat passed the merry doctor"]
    >>> exact, rough = (
    ...     [course.attribute(model, text, method=method) for text in texts]
    ...     for method in ("integrated_gradients", "occlusion")
    ... )
    >>> rank_agreement(exact, exact).interval.mean
    1.0
    """
    if by not in CORRELATIONS:
        raise FaithfulnessError(f"by must be one of {', '.join(map(repr, CORRELATIONS))}, not {by!r}")
    check_resampling(FaithfulnessError, confidence, resamples)
    if isinstance(first, Attribution) or isinstance(second, Attribution):
        raise FaithfulnessError("give two lists of explanations, one explanation a text, even where it is one text")
    if len(first) != len(second) or not first:
        raise FaithfulnessError(f"two lists of the same texts are compared, not {len(first)} and {len(second)} texts")
    values = tuple(_correlation(*pair, by, absolute=absolute) for pair in zip(first, second, strict=True))
    defined = [value for value in values if value is not None]
    if not defined:
        raise FaithfulnessError(
            "no text has a correlation: in each, an explanation gives all tokens the same value, or there are fewer "
            "than two tokens"
        )
    return RankAgreement(
        values=values,
        interval=bootstrapped(defined, level=confidence, resamples=resamples, seed=seed),
        by=by,
        first=_name(first),
        second=_name(second),
        level=first[0].level,
        confidence=confidence,
        absolute=absolute,
    )


def _correlation(one: Attribution, other: Attribution, by: str, *, absolute: bool) -> float | None:
    if one.tokens != other.tokens or one.level != other.level:
        raise FaithfulnessError(
            f"explanations of different tokens have no common order: {one.tokens} and {other.tokens}"
        )
    pair = [[_v(v, absolute=absolute) for v in ordinary(found)] for found in (one, other)]
    if any(is_constant(values) for values in pair):
        return None
    return float(CORRELATIONS[by][1](*pair).statistic)


def ordinary(attribution: Attribution) -> list[float]:
    """The values of all tokens but the special ones."""
    special = attribution.tokens.special
    return [v for v, left_out in zip(attribution.values.tolist(), special, strict=True) if not left_out]


def is_constant(values: Sequence[float]) -> bool:
    """All are alike but for rounding, so that they order nothing; also of fewer than two."""
    return len(values) < 2 or max(values) - min(values) <= CONSTANT * max(map(abs, values))


def _v(value: float, *, absolute: bool) -> float:
    return abs(value) if absolute else value


def _name(found: Sequence[Attribution]) -> str:
    """What they are, for printing."""
    return " / ".join(dict.fromkeys(f"{METHODS[one.method]} of {shown(one.model)}" for one in found))
