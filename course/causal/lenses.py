"""Lens: the logits after every layer, with the tokens that they are of; Watched: some tokens followed through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course.causal.parts import LensError
from course.causal.vocabulary import Vocabulary
from course.tokens import Tokens, shown


class Guess(NamedTuple):
    """A token that could come next: as it is written, its number, its probability (0 to 1), and its rank from 1."""

    text: str
    number: int
    probability: float
    rank: int

    def __str__(self) -> str:
        return f"{self.text} {self.probability:.3f}"


@dataclass(frozen=True, eq=False, repr=False)
class Lens:
    """What the model would predict after each layer; made by `course.lens`.

    ``logits`` is (layers + 1) x positions x vocabulary, float32 on the CPU: row 0 is after the embeddings, row i
    after layer i - 1, and the last row has the model's own logits. At each position they are of the token that comes
    next. ``ids`` are the tokens' numbers; ``labels`` name the rows.

    Ranks count from 1, the most probable token; of equals, each has the rank of the first.
    """

    logits: Tensor
    ids: tuple[int, ...]
    tokens: Tokens
    vocabulary: Vocabulary
    model: str

    def __post_init__(self) -> None:
        if self.logits.dim() != 3 or len(self.logits) < 2:
            raise LensError(
                f"logits must be (layers + 1) x positions x vocabulary, not of shape {tuple(self.logits.shape)}"
            )
        if not self.logits.shape[1] == len(self.tokens) == len(self.ids):
            raise LensError(
                f"logits of {self.logits.shape[1]} positions do not fit {len(self.tokens)} tokens and "
                f"{len(self.ids)} ids"
            )
        if not torch.isfinite(self.logits).all():
            raise LensError("the logits hold NaN or infinity: the model's numbers overflowed; use float32")

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the rows: "embeddings", "layer 0", "layer 1" …"""
        return ("embeddings", *(f"layer {i}" for i in range(len(self.logits) - 1)))

    @cached_property
    def _norms(self) -> Tensor:
        """log Σ exp of the logits, (layers + 1) x positions, float64."""
        return torch.stack([row.double().logsumexp(-1) for row in self.logits])

    def probabilities(self, numbers: Sequence[int] | Tensor) -> Tensor:
        """The probability of tokens: (layers + 1) x positions x tokens, float64.

        ``numbers`` are those of the tokens: a list for all positions alike, or positions x tokens.
        """
        return (self._picked(numbers).double() - self._norms[..., None]).exp()

    def ranks(self, numbers: Sequence[int] | Tensor) -> Tensor:
        """The rank of tokens, from 1: (layers + 1) x positions x tokens; ``numbers`` as in `probabilities`."""
        picked = self._picked(numbers)
        return torch.stack([
            torch.stack([(row > picked[i, :, k, None]).sum(-1) + 1 for k in range(picked.shape[-1])], -1)
            for i, row in enumerate(self.logits)
        ])  # fmt: skip

    def _picked(self, numbers: Sequence[int] | Tensor) -> Tensor:
        """The logits of tokens, (layers + 1) x positions x tokens."""
        wanted = torch.as_tensor(numbers, dtype=torch.long)
        if wanted.dim() == 1:
            wanted = wanted.expand(len(self.tokens), -1)
        if not wanted.numel() or not 0 <= int(wanted.min()) <= int(wanted.max()) < self.logits.shape[-1]:
            raise LensError(f"give the numbers of one or more tokens, each from 0 to {self.logits.shape[-1] - 1}")
        return self.logits.gather(-1, wanted.expand(len(self.logits), -1, -1))

    def top(self, layer: int = -1, position: int = -1, k: int = 5) -> list[Guess]:
        """The ``k`` most probable next tokens, of row ``layer`` and ``position`` (-1 is the last of each).

        Ties are in the order of the vocabulary.
        """
        row, place = (
            _index(name, value, size)
            for name, value, size in (("row", layer, len(self.logits)), ("position", position, len(self.tokens)))
        )
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise LensError(f"k must be a whole number from 1, not {k!r}")
        logits = self.logits[row, place]
        least = logits.topk(min(k, len(logits))).values[-1]
        numbers = (logits >= least).nonzero()[:, 0]  # in order; more than k where there are ties
        numbers = numbers[torch.sort(logits[numbers], descending=True, stable=True).indices[:k]]
        found = (logits[numbers].double() - self._norms[row, place]).exp().tolist()
        ranks = [(int((logits > value).sum()) + 1) for value in logits[numbers]]
        return [
            Guess(self.vocabulary.text(number), number, probability, rank)
            for number, probability, rank in zip(numbers.tolist(), found, ranks, strict=True)
        ]

    @property
    def final(self) -> Tensor:
        """The number of the token that the model itself finds most probable, for each position."""
        return torch.tensor([self.top(-1, i, 1)[0].number for i in range(len(self.tokens))])

    @property
    def settled(self) -> Tensor:
        """For each position, the first row from which on the model's own choice stays the most probable."""
        first = self.ranks(self.final[:, None])[..., 0] == 1
        return first.flip(0).int().cumprod(0).sum(0).neg() + len(self.logits)

    def watch(self, words: str | int | Sequence[str | int]) -> Watched:
        """Follow tokens through the layers: their ranks and probabilities at every position.

        A token is given as it is written, where a space counts (" king" begins a word), or by its number. Raises
        LensError for a text that is several tokens, saying which, or none.
        """
        given = [words] if isinstance(words, (str, int)) else list(words)
        if not given:
            raise LensError("give at least one token to watch, such as ' king'")
        numbers = tuple(dict.fromkeys(self.vocabulary.number(word) for word in given))
        return Watched(
            ranks=self.ranks(numbers),
            probabilities=self.probabilities(numbers),
            numbers=numbers,
            texts=tuple(map(self.vocabulary.text, numbers)),
            tokens=self.tokens,
            labels=self.labels,
            size=self.logits.shape[-1],
            model=self.model,
        )

    def to_frame(self, k: int = 5) -> Any:
        """A pandas DataFrame of the ``k`` first guesses: layer, position, token, rank, guess, number, probability."""
        rows = [
            (label, position, token, guess.rank, guess.text, guess.number, guess.probability)
            for layer, label in enumerate(self.labels)
            for position, token in enumerate(self.tokens)
            for guess in self.top(layer, position, k)
        ]
        return _frame(("layer", "position", "token", "rank", "guess", "number", "probability"), rows)

    def __repr__(self) -> str:
        lines = [
            f"Logit lens of {shown(self.model)}: {len(self.logits) - 1} layers, {len(self.tokens)} tokens",
            f"  after {self.tokens.texts[-1]!r}, the most probable next tokens:",
        ]
        width = max(map(len, self.labels))
        lines += [
            f"  {label.ljust(width)}  {', '.join(map(str, self.top(layer, -1, 3)))}"
            for layer, label in enumerate(self.labels)
        ]
        if self.tokens.dropped:
            lines.append(f"  truncated: {self.tokens.dropped} tokens of the input were dropped")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import ViewError, lens_view

        try:
            view = lens_view(self)
        except ViewError as error:  # too large for a notebook: the words are never
            return {"text/plain": f"{self!r}\n  no picture: {error}"}, {}
        return view._repr_mimebundle_(include, exclude)


@dataclass(frozen=True, eq=False, repr=False)
class Watched:
    """Some tokens followed through the layers: how probable each is as the next token, after every layer.

    ``ranks`` (from 1) and ``probabilities`` (0 to 1) are (layers + 1) x positions x tokens. ``texts`` and
    ``numbers`` say which tokens these are, and ``size`` how many there are in all, so the worst rank.
    """

    ranks: Tensor
    probabilities: Tensor
    numbers: tuple[int, ...]
    texts: tuple[str, ...]
    tokens: Tokens
    labels: tuple[str, ...]
    size: int
    model: str

    def to_frame(self) -> Any:
        """A pandas DataFrame with columns layer, position, token, watched, number, rank and probability."""
        rows = [
            (label, position, token, *watched)
            for label, ranks, probabilities in zip(
                self.labels, self.ranks.tolist(), self.probabilities.tolist(), strict=True
            )
            for position, token in enumerate(self.tokens)
            for watched in zip(self.texts, self.numbers, ranks[position], probabilities[position], strict=True)
        ]
        return _frame(("layer", "position", "token", "watched", "number", "rank", "probability"), rows)

    def __repr__(self) -> str:
        lines = [f"Ranks (of {self.size:,}) in {shown(self.model)} as what comes after {self.tokens.texts[-1]!r}:"]
        for j, text in enumerate(self.texts):
            path = " → ".join(f"{rank:,}" for rank in self.ranks[:, -1, j].tolist())
            lines.append(f"  {text}: {path} (from embeddings to {self.labels[-1]}, there "
                         f"{float(self.probabilities[-1, -1, j]):.3f})")  # fmt: skip
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import ViewError, watch_view

        try:
            view = watch_view(self)
        except ViewError as error:  # too large for a notebook: the words are never
            return {"text/plain": f"{self!r}\n  no picture: {error}"}, {}
        return view._repr_mimebundle_(include, exclude)


def _index(name: str, value: Any, size: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -size <= value < size:
        raise LensError(f"there is no {name} {value!r}: give 0 to {size - 1}, or -1 for the last")
    return value % size


def _frame(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Any:
    try:
        import pandas  # type: ignore[import-not-found, import-untyped]
    except ImportError:
        raise LensError("to_frame makes a pandas table, and pandas is not installed: pip install pandas") from None
    return pandas.DataFrame(rows, columns=list(columns))
