"""Grading: an explanation held against the words that are known to matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from course.attributions.attribution import METHODS, Attribution
from course.faithfulness.intervals import Interval, bootstrapped, check_resampling, spread
from course.planted import Truth
from course.tokens import Tokens, shown

Rationale = Truth | Sequence[bool] | Sequence[int] | Sequence[tuple[int, int]]
MEASURES = ("precision", "average_precision", "area")
NAMES = {
    "precision": "precision at k", "average_precision": "average precision", "area": "area under the ROC curve",
}  # fmt: skip
RANKS = {"size": "sizes, whatever their sign", "value": "values, largest first"}


class GradingError(ValueError):
    """This explanation cannot be graded by this rationale; the message says why."""


@dataclass(frozen=True, repr=False)
class Grade:
    """How well an explanation finds a rationale, each number 0 to 1, and what a random order would have.

    ``precision`` is at ``k``. ``random`` maps each of `MEASURES` to the exact expectation over all orders, and the
    interval in which 95% of random orders lie. See `grade` for the definitions.
    """

    precision: float
    average_precision: float
    area: float
    random: dict[str, Interval]
    k: int
    flags: tuple[bool, ...]
    texts: tuple[str, ...]
    by: str
    level: str
    method: str
    model: str

    def __repr__(self) -> str:
        wanted = ", ".join(shown(text) for text, flag in zip(self.texts, self.flags, strict=True) if flag)
        lines = [
            f"{METHODS[self.method]} of {shown(self.model)}, ranked by {RANKS[self.by]}: {sum(self.flags)} of "
            f"{len(self.flags)} {self.level} matter ({wanted})"
        ]
        for name in MEASURES:
            said = f"precision at {self.k}" if name == "precision" else NAMES[name]
            lines.append(f"  {said} {getattr(self, name):.3f}, random {self.random[name]}")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Grades:
    """The mean of grades over texts: each of `MEASURES` with its bootstrap interval, and random orders beside it.

    ``random`` is the mean of the expectations, and the interval in which 95% of the means lie if every text has an
    order drawn at random.
    """

    means: dict[str, Interval]
    random: dict[str, Interval]
    texts: int
    by: str
    method: str

    def __repr__(self) -> str:
        lines = [f"{self.method}, ranked by {RANKS[self.by]}: {self.texts} texts"]
        lines += [f"  {NAMES[name]} {self.means[name]}, random {self.random[name]}" for name in MEASURES]
        return "\n".join(lines)


def grade(
    attribution: Attribution,
    rationale: Rationale,
    *,
    k: int | None = None,
    by: str = "size",
    draws: int = 1000,
    seed: int = 0,
) -> Grade:
    """How well an explanation finds the tokens that are known to matter, against random orders.

    ``rationale`` says which: a `course.planted.Truth` (the words that its rule reads); or a flag for each token (True
    or False); or the numbers of words, as in ``tokens.words``; or spans of characters (start, end) in the text (of a
    pair, in its first text). A token is in it if one of its characters is. Special tokens are not graded.

    ``by`` "size" ranks tokens by how far their value is from 0, for a rationale says what matters and not on which
    side; "value" puts what speaks against the label last.

    - precision at ``k``: which share of the first k tokens is in the rationale; k is its size unless given, and
      then it equals recall.
    - average precision: the mean of the precisions at each token of the rationale (scikit-learn's, where no values
      are tied).
    - area under the ROC curve: how probable it is that a token of the rationale comes before one that is not; ties
      count half.

    Tied values have no order, so each number is its exact expectation over all orders of the tied tokens: an
    explanation with one value for all tokens has just what random orders have. The random baseline is that
    expectation, with the interval in which 95% of ``draws`` random orders from ``seed`` lie: wide in short texts, so
    take the mean over many (`mean_grade`).

    Misleads where the model does not follow the rule from which the rationale comes: then a faithful explanation
    has a bad grade. Look at the model's prediction first.

    Raises GradingError where nothing or everything matters (as in a "plain" planted sentence), where a flag, word or
    span does not fit, and for a k that does not.

    >>> import course
    >>> from course.planted import truth
    >>> found = truth("the dog was not happy on sunday")
    >>> grade(course.attribute(course.load("planted"), found.sentence), found).precision
    1.0
    """
    if by not in RANKS:
        raise GradingError(f"by must be one of {', '.join(map(repr, RANKS))}, not {by!r}")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 100:
        raise GradingError(f"draws must be a whole number from 100, not {draws!r}: fewer say nothing of the ends")
    tokens = attribution.tokens
    ordinary = [i for i, special in enumerate(tokens.special) if not special]
    every = _flags(tokens, rationale)
    flags = np.array([every[i] for i in ordinary])
    if flags.all() or not flags.any():
        raise GradingError(
            f"{'everything' if flags.any() else 'nothing'} here matters, so nothing can be found: leave such texts out"
        )
    wanted = int(flags.sum()) if k is None else k
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= len(flags):
        raise GradingError(f"k must be a whole number from 1 to {len(flags)}, the ordinary tokens, not {k!r}")
    values = attribution.values.numpy()[ordinary]
    found = _measured(np.abs(values) if by == "size" else values, flags, wanted)
    return Grade(
        **found,
        random=_random(flags, wanted, draws, seed),
        k=wanted,
        flags=tuple(flags.tolist()),
        texts=tuple(tokens.texts[i] for i in ordinary),
        by=by,
        level=attribution.level,
        method=attribution.method,
        model=attribution.model,
    )


def mean_grade(grades: Sequence[Grade], *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0) -> Grades:
    """The mean grade over texts, with a bootstrap interval over texts, beside that of random orders.

    Raises GradingError for no grades, or grades that were ranked in different ways.
    """
    check_resampling(GradingError, confidence, resamples)
    if not grades or len({one.by for one in grades}) > 1:
        raise GradingError("mean_grade takes at least one grade, all by 'size' or all by 'value'")
    draw = np.random.default_rng(seed)
    drawn = {name: np.zeros(resamples) for name in MEASURES}
    for one in grades:
        for name, values in _drawn(np.array(one.flags), one.k, resamples, draw).items():
            drawn[name] += values / len(grades)
    random = {}
    for name in MEASURES:
        expected = float(np.mean([one.random[name].mean for one in grades]))
        random[name] = Interval(expected, *spread(drawn[name].tolist(), confidence)[1:])
    return Grades(
        means={
            name: bootstrapped([getattr(one, name) for one in grades], level=confidence, resamples=resamples, seed=seed)
            for name in MEASURES
        },
        random=random,
        texts=len(grades),
        by=grades[0].by,
        method=" / ".join(dict.fromkeys(f"{METHODS[one.method]} of {shown(one.model)}" for one in grades)),
    )


def _measured(values: Any, flags: Any, k: int) -> dict[str, float]:
    """Each measure, its expectation over all orders of tied values."""
    pairs = sorted(zip(values.tolist(), flags.tolist(), strict=True), reverse=True)
    groups = [[flag for _, flag in group] for _, group in groupby(pairs, key=lambda pair: pair[0])]
    before = hits = 0  # tokens before the group, and those of the rationale among them
    among_k = precisions = wins = 0.0
    total = int(flags.sum())
    for group in groups:
        size, own = len(group), sum(group)
        among_k += own * min(max(k - before, 0), size) / size
        for place in range(1, size + 1):  # one of its own at this place, and how many of the others stand before it
            others = (own - 1) * (place - 1) / (size - 1) if size > 1 else 0
            precisions += own / size * (hits + 1 + others) / (before + place)
        wins += (size - own) * (hits + own / 2)
        before, hits = before + size, hits + own
    return {
        "precision": among_k / k,
        "average_precision": precisions / total,
        "area": wins / (total * (len(flags) - total)),
    }


def _random(flags: Any, k: int, draws: int, seed: int) -> dict[str, Interval]:
    expected = _measured(np.zeros(len(flags)), flags, k)
    drawn = _drawn(flags, k, draws, np.random.default_rng(seed))
    return {name: Interval(expected[name], *spread(drawn[name].tolist())[1:]) for name in MEASURES}


def _drawn(flags: Any, k: int, draws: int, draw: Any) -> dict[str, Any]:
    """Each measure for so many random orders."""
    orders = draw.permuted(np.tile(flags, (draws, 1)), axis=1)
    places = np.arange(1, len(flags) + 1)
    hits, total = orders.cumsum(1), int(flags.sum())
    return {
        "precision": orders[:, :k].sum(1) / k,
        "average_precision": (orders * hits / places).sum(1) / total,
        "area": (~orders * hits).sum(1) / (total * (len(flags) - total)),
    }


def _flags(tokens: Tokens, rationale: Any) -> list[bool]:
    """Which tokens are in the rationale."""
    if isinstance(rationale, Truth):
        if rationale.sentence != tokens.sources[0]:
            raise GradingError("this is the truth of another sentence than the one explained")
        rationale = [rationale.spans[i] for i in rationale.matters]
    given = list(rationale)
    if given and all(isinstance(flag, (bool, np.bool_)) for flag in given):
        return _by_flags(tokens, [bool(flag) for flag in given])
    if all(isinstance(word, int) and not isinstance(word, bool) for word in given):
        unknown = sorted(set(given) - {word for word in tokens.words if word is not None})
        if unknown:
            raise GradingError(f"there is no word {unknown[0]} in {tokens}, counted from 0")
        return [word in given for word in tokens.words]
    if all(isinstance(span, (tuple, list)) and len(span) == 2 for span in given):
        return _by_spans(tokens, given)
    raise GradingError(
        "a rationale is a flag for each token, the numbers of words, or spans (start, end) of characters, "
        f"all of one kind, not {given[:3]!r}"
    )


def _by_flags(tokens: Tokens, given: list[bool]) -> list[bool]:
    if len(given) != len(tokens):
        raise GradingError(f"there are {len(tokens)} tokens, special ones included, but {len(given)} flags")
    flagged = [tokens.texts[i] for i in tokens.special_positions if given[i]]
    if flagged:
        raise GradingError(
            f"special tokens are no part of the text and cannot matter in it, but {flagged[0]} is flagged"
        )
    return given


def _by_spans(tokens: Tokens, spans: list[Any]) -> list[bool]:
    flags = [False] * len(tokens)
    for start, end in spans:
        own = [
            i
            for i, (offset, segment) in enumerate(zip(tokens.offsets, tokens.segments, strict=True))
            if offset is not None and segment == 0 and max(offset[0], start) < min(offset[1], end)
        ]
        if not own:
            raise GradingError(f"no token has a character from {start} to {end} of {tokens.sources[0]!r}")
        for i in own:
            flags[i] = True
    return flags
