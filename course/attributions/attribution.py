"""Attribution: how much each token counted for one number of a model, and how far that can be trusted.

The function is called `attribute` and lives in `course.attributions.attributing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course.attributions.characters import spread, visible
from course.attributions.embedded import AttributionError
from course.movements import signed
from course.tokens import InputError, Tokens, shown

METHODS = {
    "integrated_gradients": "integrated gradients",
    "gradient_x_input": "gradient × input",
    "occlusion": "occlusion",
    "attention": "attention",
}
"""The methods of `course.attribute`, and how they are called."""

LEVELS = ("tokens", "words", "characters", "patches")


class Share(NamedTuple):
    """What one token has of a score: its text, the value, and its position."""

    text: str
    value: float
    position: int

    def __str__(self) -> str:
        return f"{visible(self.text)} {signed(self.value, 3)}"


@dataclass(frozen=True, eq=False, repr=False)
class Attribution:
    """How much each token counted for one number of a model: above 0 it raised the number, below 0 it lowered it.

    ``values`` is a float64 tensor on the CPU, one for each of ``tokens``. ``target`` is what is explained, such as a
    label; ``of`` says whether its "logit" or its "probability", and ``predicted`` that the model itself chose it.
    ``score`` is that number for the text, ``baseline_score`` for the text that it is compared with, which
    ``baseline`` describes. Attention has no sign and no baseline: its values are weights, and sum to 1.

    The values should sum to `change`, score minus baseline score; `gap` is by how much they do not. Integrated
    gradients do, up to ``tolerance`` times the change, where ``steps`` were enough; if not, `complete` is False, and
    printing says so. Other methods make no such promise; their gap says how much of the change they miss.

    Raises AttributionError where values and tokens do not fit, or a value is not a number.
    """

    values: Tensor
    tokens: Tokens
    target: str
    of: str
    predicted: bool
    score: float
    method: str
    model: str
    baseline: str = ""
    baseline_score: float | None = None
    tolerance: float | None = None
    steps: int | None = None
    level: str = "tokens"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", torch.as_tensor(self.values).detach().double().cpu())
        if self.values.shape != (len(self.tokens),):
            raise AttributionError(
                f"values must be one for each of {len(self.tokens)} tokens, not of shape {tuple(self.values.shape)}"
            )
        if not torch.isfinite(self.values).all():
            raise AttributionError("the values hold NaN or infinity: the model's numbers overflowed; use float32")
        for name, value, known in (("method", self.method, tuple(METHODS)), ("level", self.level, LEVELS)):
            if value not in known:
                raise AttributionError(f"{name} must be one of {', '.join(known)}, not {value!r}")

    @property
    def signed(self) -> bool:
        """Values below 0 have a meaning."""
        return self.method != "attention"

    @property
    def change(self) -> float | None:
        """Score minus baseline score, in the unit of the score: what there is to explain. None without a baseline."""
        return None if self.baseline_score is None else self.score - self.baseline_score

    @property
    def gap(self) -> float | None:
        """The completeness gap: how far the sum of the values is from `change`, in the unit of the score."""
        return None if self.change is None else abs(float(self.values.sum()) - self.change)

    @property
    def complete(self) -> bool | None:
        """The gap is at most ``tolerance`` times the change, or no more than single precision leaves anyhow.

        None where the method promises no such thing.
        """
        if self.tolerance is None or self.gap is None or self.change is None or self.baseline_score is None:
            return None
        rounding = 1e-7 * (abs(self.score) + abs(self.baseline_score) + float(self.values.abs().sum()))
        return self.gap <= max(self.tolerance * abs(self.change), rounding)

    def __len__(self) -> int:
        return len(self.tokens)

    def __iter__(self) -> Iterator[Share]:
        values = self.values.tolist()
        return (Share(text, value, i) for i, (text, value) in enumerate(zip(self.tokens, values, strict=True)))

    def strongest(self, k: int = 5, only: str | None = None) -> list[Share]:
        """The ``k`` values farthest from 0, ``only`` those "for" (above 0) or "against" (below), ties in order.

        A value of 0 is never listed, so there can be fewer.
        """
        wanted = {
            None: self.values.abs(), "for": self.values.clamp_min(0), "against": self.values.neg().clamp_min(0),
        }.get(only)  # fmt: skip
        if wanted is None:
            raise AttributionError(f"only must be 'for', 'against' or None, not {only!r}")
        order = torch.sort(wanted, descending=True, stable=True).indices.tolist()
        shares = list(self)
        return [shares[i] for i in order if wanted[i] > 0][: max(0, k)]

    def words(self) -> Attribution:
        """The same for whole words: the values of sub-words are added, so the sum stays.

        Raises InputError for the patches of an image, and so does `characters`.
        """
        merged = self.tokens.merged()
        groups = self.tokens.word_groups()
        sums = torch.stack([self.values[list(group)].sum() for group in groups])
        return replace(self, values=sums, tokens=merged, level="words")

    def characters(self) -> Attribution:
        """The same for every character as typed, white space included; the sum stays.

        What a token has is shared out evenly among its characters: finer than the model reads, so a difference
        between characters of one token would mean nothing, and there is none. Where parts of one character are
        tokens of their own, as in byte-level models, it has all of theirs.
        """
        if self.level == "characters":
            return self
        if self.level == "patches":
            raise InputError("the patches of an image have no characters: leave out .characters()")
        tokens, values = spread(self.tokens, self.values.tolist())
        return replace(self, values=torch.tensor(values, dtype=torch.float64), tokens=tokens, level="characters")

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row a token: token, start, end (characters), segment, special, value.

        Raises AttributionError where pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped]
        except ImportError:
            raise AttributionError(
                "to_frame makes a pandas table, and pandas is not installed: pip install pandas"
            ) from None
        places = [offset or (None, None) for offset in self.tokens.offsets]
        return pandas.DataFrame(
            {
                "token": list(self.tokens),
                "start": [start for start, _ in places],
                "end": [end for _, end in places],
                "segment": list(self.tokens.segments),
                "special": list(self.tokens.special),
                "value": self.values.tolist(),
            }
        )

    def __repr__(self) -> str:
        strongest = ", ".join(map(str, self.strongest(8)))
        lines = [self.heading, f"  strongest: {strongest or 'nothing, all are 0'}", f"  {self.account}"]
        if self.tokens.dropped:
            lines.append(f"  truncated: {self.tokens.dropped} tokens of the input were dropped")
        return "\n".join(lines)

    @property
    def size(self) -> str:
        """How many values there are, such as "9 tokens"; special ones are no patches of an image."""
        special = len(self.tokens.special_positions) if self.level == "patches" else 0
        return f"{len(self) - special} {self.level}"

    @property
    def heading(self) -> str:
        """What is explained, by which method, of which model."""
        chosen = ", the model's own choice" if self.predicted else ""
        return (
            f"{METHODS[self.method]} of {shown(self.model)}: {self.size}, for {shown(self.target)!r} "
            f"({self.of} {_plain(self.score)}{chosen})"
        )

    @property
    def account(self) -> str:
        """How far the values add up to what there is to explain, in a sentence or two."""
        if self.gap is None or self.change is None:
            return f"weights, which sum to {float(self.values.sum()):.3f}: {self.baseline}"
        said = (
            f"values sum to {signed(float(self.values.sum()), 3)}, the change from the baseline is "
            f"{signed(self.change, 3)} (from {_plain(self.baseline_score or 0.0)}, {self.baseline}); "
            f"completeness gap {self.gap:.1e}"
        )
        if self.complete is None:
            return f"{said}, and this method promises none smaller"
        within = "within" if self.complete else "NOT within"
        more = "" if self.complete else ": raise most_steps"
        return f"{said}, {within} {self.tolerance:.2%} of the change after {self.steps} steps{more}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import ViewError, attribution_view, image_view

        try:
            view = (image_view if self.level == "patches" else attribution_view)(self)
        except ViewError as error:  # too large for a notebook: the words are never
            return {"text/plain": f"{self!r}\n  no picture: {error}"}, {}
        return view._repr_mimebundle_(include, exclude)


def _plain(number: float) -> str:
    """A number with three decimals, and a minus of its own length."""
    return f"{number:.3f}".replace("-", "−")
