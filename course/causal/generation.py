"""Generation: what a model wrote after a text, token by token, and what each token came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.attributions.attribution import METHODS, Attribution
from course.causal.parts import LensError
from course.tokens import Tokens, shown


@dataclass(frozen=True, eq=False, repr=False)
class Step:
    """One token that was written: how probable it was (0 to 1), its rank from 1, and what it came from.

    ``text`` is the token as it is written, with ␣ for a space. ``attribution`` has a value for each token before it,
    or is None where none was asked for.
    """

    number: int
    text: str
    probability: float
    rank: int
    attribution: Attribution | None

    def __repr__(self) -> str:
        from_ = "" if self.attribution is None else f" from {', '.join(map(str, self.attribution.strongest(3)))}"
        rank = "" if self.rank == 1 else f" (rank {self.rank:,})"
        return f"{self.text} {self.probability:.3f}{rank}{from_}"


@dataclass(frozen=True, eq=False, repr=False)
class Generation:
    """What a model wrote: ``tokens`` are those of the text and the written ones after them.

    The first ``prompt`` tokens were given, and ``steps`` has the others. ``temperature`` is None where each time the
    most probable token was taken, else tokens were drawn from ``seed``. ``ended`` says that the model itself ended
    the text.
    """

    tokens: Tokens
    prompt: int
    steps: tuple[Step, ...]
    temperature: float | None
    seed: int | None
    ended: bool
    model: str

    def __post_init__(self) -> None:
        if not self.steps or self.prompt < 1 or self.prompt + len(self.steps) != len(self.tokens):
            raise LensError(
                f"{len(self.tokens)} tokens must be those given and those written, at least one of each, "
                f"not {self.prompt} and {len(self.steps)}"
            )

    @property
    def text(self) -> str:
        """What was written, without the text before it."""
        spans = [span for span in self.tokens.offsets[self.prompt :] if span is not None]
        return self.tokens.sources[-1][spans[0][0] :] if spans else ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the tokens that were written."""
        return tuple(step.number for step in self.steps)

    @property
    def saliency(self) -> Tensor:
        """All attributions as one matrix, written tokens x tokens, float64; 0 for what comes later.

        Raises LensError where there are none.
        """
        matrix = torch.zeros(len(self), len(self.tokens), dtype=torch.float64)
        for row, step in zip(matrix, self.steps, strict=True):
            if step.attribution is None:
                raise LensError("this was generated without attributions: call generate() with a method")
            row[: len(step.attribution)] = step.attribution.values
        return matrix

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, place: int) -> Step:
        return self.steps[place]

    def __repr__(self) -> str:
        how = "most probable token each time" if self.temperature is None else (
            f"drawn at temperature {self.temperature:g} from seed {self.seed}"
        )  # fmt: skip
        of = self.steps[0].attribution
        lines = [
            f"{shown(self.model)} wrote {len(self)} tokens, {how}{', and ended the text' if self.ended else ''}:",
            f"  {shown(self.tokens.sources[-1][: -len(self.text) or None])} → {shown(self.text)}",
        ]
        if of is not None:
            lines.append(f"  each with its probability, and where it comes from ({METHODS[of.method]} of the {of.of}):")
        return "\n".join([*lines, *(f"  {i + 1:>3}. {step!r}" for i, step in enumerate(self.steps))])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import ViewError, generation_view

        if self.steps[0].attribution is None:
            return {"text/plain": repr(self)}, {}
        try:
            view = generation_view(self)
        except ViewError as error:  # too large for a notebook: the words are never
            return {"text/plain": f"{self!r}\n  no picture: {error}"}, {}
        return view._repr_mimebundle_(include, exclude)
