"""Profile: what each head does on a corpus, one row a head, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import torch
from torch import Tensor


class ProfileError(ValueError):
    """This corpus cannot be measured, or the profile lacks what was asked for; the message says why."""


class HeadValue(NamedTuple):
    """One measure of one head, with its standard error (None where there are fewer than two texts)."""

    layer: int
    head: int
    value: float
    error: float | None

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.3f}"
        return f"layer {self.layer} head {self.head} ({self.value:.3f}{error})"


@dataclass(frozen=True, eq=False)
class Profile:
    """The measures of every head, as means over a corpus.

    ``profile["entropy"]`` is layers x heads; ``measures`` names what there is, each as the function of this name
    in `course.measures` gives it for one text. ``cls_share``, ``sep_share``, ``special_share`` and
    ``punctuation_share`` are `share_on` these tokens, 0 in a text without any. With ``weigh`` "tokens" every row
    of the corpus counts the same, with "texts" every text. ``counts`` says how many texts a measure is of: only
    pairs have those between sentences. ``tokens`` are the rows, ``truncated`` the texts that were cut.
    """

    model: str
    kind: str
    weigh: str
    texts: int
    tokens: int
    truncated: int
    measures: tuple[str, ...]
    counts: tuple[int, ...]
    values: Tensor
    errors: Tensor

    def __getitem__(self, measure: str) -> Tensor:
        """The mean of a measure; float64, layers x heads."""
        return self.values[self._place(measure)]

    def error(self, measure: str) -> Tensor:
        """The standard error of the mean, from how much the texts differ; float64, layers x heads.

        The texts are taken as a random sample; rows of one text are not independent, and are not counted as if
        they were (the linearised error of a ratio, Cochran 1977, section 6.3).

        Raises ProfileError for a measure of fewer than two texts.
        """
        place = self._place(measure)
        if self.counts[place] < 2:
            raise ProfileError(f"{measure} is of one text only, which has no standard error: give several texts")
        return self.errors[place]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.values.shape[1]

    @property
    def heads(self) -> int:
        """Number of heads a layer."""
        return self.values.shape[2]

    def most(self, measure: str, k: int = 5) -> list[HeadValue]:
        """The ``k`` heads with the largest values, largest first, ties in reading order."""
        order = torch.sort(self[measure].flatten(), descending=True, stable=True).indices[:k].tolist()
        return [self._head(measure, *divmod(i, self.heads)) for i in order]

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row a head: layer, head, and each measure with its standard error.

        Measures of one text only have no column of errors. Raises ProfileError where pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped]
        except ImportError:
            raise ProfileError(
                "to_frame makes a pandas table, and pandas is not installed: pip install pandas"
            ) from None
        return pandas.DataFrame({name: list(column) for name, *column in zip(*self._rows(), strict=True)})

    def __repr__(self) -> str:
        lines = [
            f"profile of the {self.kind} attention of {self.model}: {self.layers} layers × {self.heads} heads, "
            f"{self.texts:,} texts, {self.tokens:,} tokens"
            + (f", {self.truncated:,} texts truncated" if self.truncated else "")
        ]
        for name in self.measures:
            lines.append(f"  {name}: {self[name].mean():.3f} on average, most in {self.most(name, 1)[0]}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        header, *rows = self._rows()
        cells = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{v if isinstance(v, int) else format(v, '.3f')}</td>" for v in row) + "</tr>"
            for row in rows
        )
        caption = escape(repr(self).split("\n", 1)[0])
        return f"<table><caption>{caption}</caption><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        """The names of the columns, then a row a head."""
        known = [count > 1 for count in self.counts]
        pairs = list(zip(self.measures, known, strict=True))
        yield ("layer", "head", *(n for name, has in pairs for n in ([name, f"{name}_error"] if has else [name])))
        for layer in range(self.layers):
            for head in range(self.heads):
                found = [self._head(name, layer, head) for name in self.measures]
                yield (layer, head, *(v for one in found for v in one[2:] if v is not None))

    def _head(self, measure: str, layer: int, head: int) -> HeadValue:
        place = self._place(measure)
        error = float(self.errors[place, layer, head]) if self.counts[place] > 1 else None
        return HeadValue(layer, head, float(self.values[place, layer, head]), error)

    def _place(self, measure: str) -> int:
        if measure not in self.measures:
            raise ProfileError(f"there is no measure {measure!r} here; there is {', '.join(self.measures)}")
        return self.measures.index(measure)


@dataclass(frozen=True, eq=False)
class EncoderDecoderProfile:
    """The profiles of the three attentions of an encoder–decoder."""

    encoder: Profile
    decoder: Profile
    cross: Profile

    def __repr__(self) -> str:
        return "\n".join(map(repr, (self.encoder, self.decoder, self.cross)))


@dataclass
class Sums:
    """Running sums over texts of one kind of attention: all that is kept of a corpus.

    For each measure, layer and head: the sum S of a text's rows, their number N, S², S·N and N². From these come
    the ratio ΣS / ΣN and its error.
    """

    names: tuple[str, ...]
    sums: Tensor
    squares: Tensor
    products: Tensor
    counts: Tensor
    count_squares: Tensor
    texts: Tensor
    tokens: int = 0

    @classmethod
    def empty(cls, names: tuple[str, ...], layers: int, heads: int) -> Sums:
        """Nothing summed yet."""
        a, b, c = torch.zeros(3, len(names), layers, heads, dtype=torch.double)
        d, e, f = torch.zeros(3, len(names), dtype=torch.double)
        return cls(names, a, b, c, d, e, f)

    def add(self, sums: Tensor, counts: Tensor, weigh: str) -> None:
        """A batch: ``sums`` is layers x texts x heads x measures, ``counts`` texts x measures."""
        if not bool(torch.isfinite(sums).all()):
            raise ProfileError("the weights hold NaN or infinity: the model's numbers overflowed; use float32")
        s, n = sums.cpu().double().permute(1, 3, 0, 2), counts.cpu().double()
        self.tokens += int(n[:, self.names.index("entropy")].sum())
        present = n > 0
        if weigh == "texts":
            s, n = s / n.clamp_min(1)[..., None, None], present.double()
        s = s * present[..., None, None]
        self.sums += s.sum(0)
        self.squares += s.square().sum(0)
        self.products += (s * n[..., None, None]).sum(0)
        self.counts += n.sum(0)
        self.count_squares += n.square().sum(0)
        self.texts += present.sum(0)

    def profile(self, *, model: str, kind: str, weigh: str, texts: int, truncated: int) -> Profile:
        """The means and their errors; measures that no text has are left out."""
        some = (self.texts > 0).nonzero().flatten()
        s, ss, sn = (table[some] for table in (self.sums, self.squares, self.products))
        n, nn, m = (column[some][:, None, None] for column in (self.counts, self.count_squares, self.texts))
        ratio = s / n
        # Σ(S − R·N)², expanded; what is left below the rounding of its terms counts as 0.
        spread = ss - 2 * ratio * sn + ratio.square() * nn
        spread = spread.where(spread > 1e-13 * ss, torch.zeros((), dtype=torch.double))
        factor = (m / (m - 1).clamp_min(1)).where(m > 1, torch.full_like(m, math.inf))
        errors = torch.where(m > 1, (factor * spread).sqrt() / n, torch.full_like(spread, math.inf))
        return Profile(
            model=model, kind=kind, weigh=weigh, texts=texts, tokens=self.tokens, truncated=truncated,
            measures=tuple(self.names[i] for i in some.tolist()),
            counts=tuple(int(count) for count in self.texts[some].tolist()),
            values=ratio, errors=errors,
        )  # fmt: skip
