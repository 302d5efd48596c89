"""Change: how much each head moved, over several texts and several pairs of models, with what that varies by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.differences.attention_diff import AttentionDiff
from course.differences.comparing import DiffError

MEASURES = ("total_variation", "jensen_shannon")
FEWEST = 10
"""Texts for an interval: a bootstrap of fewer is too narrow, and says so nowhere."""

Differences = Iterable[AttentionDiff] | Iterable[Iterable[AttentionDiff]]


@dataclass(frozen=True, eq=False)
class Change:
    """How much each head moved: ``values`` is pairs of models x texts x layers x heads, float64.

    ``by`` says what the values are: "total_variation" (0 to 1) or "jensen_shannon" (nats, 0 to ln 2), see
    `AttentionDiff`. ``title`` names the models, and ``inputs`` the texts, in their order.
    """

    values: Tensor
    inputs: tuple[tuple[str, ...], ...]
    by: str
    title: str

    @classmethod
    def of(cls, differences: Differences, by: str = "total_variation") -> Change:
        """From one pair of models, an `AttentionDiff` a text; or from several pairs, a list of such lists.

        All pairs must be of the same texts in the same order. The differences are read one by one, so generators
        keep memory small. Raises DiffError where something is missing, of another shape, or of other texts.
        """
        if by not in MEASURES:
            raise DiffError(f"by must be {' or '.join(map(repr, MEASURES))}, not {by!r}")
        rows: list[list[Tensor]] = []
        known: tuple[tuple[tuple[str, ...], ...], str, torch.Size] | None = None
        titles = []
        for pair in _pairs(differences):
            row, inputs, kinds, title = [], [], set(), ""
            for one in pair:
                if not isinstance(one, AttentionDiff):
                    raise DiffError(
                        f"a {type(one).__name__} is among the differences: give what course.diff returns for each text "
                        "(and .encoder, .decoder or .cross of an encoder–decoder's)"
                    )
                row.append(getattr(one, by).double())
                inputs.append((*one.queries.texts, "→", *one.keys.texts))
                kinds.add((one.kind, row[-1].shape))
                title = f"{one.before.model} → {one.after.model}"
            if len(kinds) != 1:
                raise DiffError("give differences of one kind and one architecture, at least one to a pair of models")
            found = (tuple(inputs), *kinds.pop())
            if known is not None and found != known:
                raise DiffError("all pairs of models must be of the same texts, in the same order, and of one shape")
            known = found
            rows.append(row)
            titles.append(title)
        if known is None:
            raise DiffError("there are no differences: give one for each text, course.diff(before, after)")
        more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
        return cls(torch.stack([torch.stack(row) for row in rows]), known[0], by, titles[0] + more)

    @property
    def pairs(self) -> int:
        """How many pairs of models."""
        return self.values.shape[0]

    @property
    def texts(self) -> int:
        """How many texts."""
        return self.values.shape[1]

    @property
    def mean(self) -> Tensor:
        """Over texts and pairs; layers x heads."""
        return self.values.mean((0, 1))

    @property
    def lowest(self) -> Tensor:
        """The smallest mean over texts that a pair of models has; layers x heads."""
        return self.values.mean(1).amin(0)

    @property
    def highest(self) -> Tensor:
        """The largest mean over texts that a pair of models has; layers x heads."""
        return self.values.mean(1).amax(0)

    def interval(self, level: float = 0.95, *, resamples: int = 2000, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Where the mean lies for other texts of the kind: the bootstrap's percentiles, layers x heads each.

        Texts are drawn anew, models are not. Sizes are never negative, so the interval never reaches 0 and
        cannot tell a change from nothing: for that, compare with a noise floor. Raises DiffError for fewer than
        ten texts.
        """
        drawn = self.resampled(resamples, seed).mean(1)
        low, high = drawn.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.double), dim=0)
        return low, high

    def resampled(self, resamples: int, seed: int) -> Tensor:
        """Means over texts drawn with replacement; resamples x pairs x layers x heads."""
        if self.texts < FEWEST:
            raise DiffError(f"{self.texts} texts are too few for an interval: give at least {FEWEST}")
        generator = torch.Generator().manual_seed(seed)
        picks = torch.randint(self.texts, (resamples, self.texts), generator=generator)
        shares = torch.zeros(resamples, self.texts, dtype=torch.double)
        shares.scatter_add_(1, picks, torch.full_like(shares, 1 / self.texts))
        flat = self.values.transpose(0, 1).flatten(1)
        return (shares @ flat).view(resamples, self.pairs, *self.values.shape[2:])

    def __repr__(self) -> str:
        size = f"{self.values.shape[2]} layers × {self.values.shape[3]} heads"
        lines = [
            f"{self.by.replace('_', ' ')} of {self.title}: {size}, {self.texts} texts, {self.pairs} pairs of models",
            f"  {self.mean.mean():.3f} on average, by layer {' '.join(f'{v:.2f}' for v in self.mean.mean(1).tolist())}",
        ]
        return "\n".join(lines)


def table(columns: dict[str, Tensor]) -> Any:
    """A pandas DataFrame with a row a head; each column is layers x heads. DiffError where there is no pandas."""
    try:
        import pandas  # type: ignore[import-not-found, import-untyped]
    except ImportError:
        raise DiffError("to_frame makes a pandas table, and pandas is not installed: pip install pandas") from None
    layers, heads = next(iter(columns.values())).shape
    places = torch.cartesian_prod(torch.arange(layers), torch.arange(heads)).view(-1, 2)
    named = {"layer": places[:, 0].tolist(), "head": places[:, 1].tolist()}
    return pandas.DataFrame(named | {name: column.flatten().tolist() for name, column in columns.items()})


def _pairs(differences: Differences) -> Iterator[Iterable[AttentionDiff]]:
    """One list of differences for each pair of models, whichever of the two forms was given."""
    if isinstance(differences, AttentionDiff) or not isinstance(differences, Iterable):
        raise DiffError("give a list with a difference for each text, not a single one")
    items = iter(differences)
    first = next(items, None)
    if first is None:
        return
    if isinstance(first, Iterable):
        yield first
        yield from items  # type: ignore[misc]
    else:
        yield [first, *items]  # type: ignore[list-item]
