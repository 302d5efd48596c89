"""Ranking: the labels of a classifier by probability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from course.inputs import read
from course.models.entries import CLASSIFICATIONS
from course.tokens import Tokens, shown
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model


class RankingError(ValueError):
    """These labels cannot be ranked; the message says why."""


class Ranked(NamedTuple):
    """One label with its probability, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Ranking:
    """Labels from the most to the least probable; equal ones keep the model's order.

    ``exclusive``: the probabilities sum to 1 over all labels (softmax); otherwise each label has its own
    yes-or-no probability (sigmoid). Printing gives one line a label, ``1) 😍 0.418``.
    """

    entries: tuple[Ranked, ...]
    text: str
    model: str
    exclusive: bool
    total: int

    @property
    def top(self) -> Ranked:
        """The most probable label."""
        return self.entries[0]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Ranked]:
        return iter(self.entries)

    def __getitem__(self, label: str) -> float:
        """The probability of a label among those shown."""
        for entry in self.entries:
            if entry.label == label:
                return entry.probability
        raise KeyError(f"{label!r} is not among {', '.join(entry.label for entry in self.entries)}")

    def __repr__(self) -> str:
        return "\n".join(
            f"{place}) {shown(entry.label)} {round(entry.probability, 4)}"
            for place, entry in enumerate(self.entries, start=1)
        )

    def _repr_html_(self) -> str:
        kind = "probabilities sum to 1" if self.exclusive else "each label on its own"
        rows = "".join(
            f"<tr><td>{place}</td><td>{escape(shown(entry.label))}</td>"
            f'<td><meter min="0" max="1" value="{entry.probability:.4f}"></meter> {entry.probability:.4f}</td></tr>'
            for place, entry in enumerate(self.entries, start=1)
        )
        return (
            f"<table><caption>{escape(shown(self.text))} – {escape(self.model)}, {len(self)} of {self.total} labels, "
            f"{kind}</caption><thead><tr><th>rank</th><th>label</th><th>probability</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def rank(
    model: Model,
    text: Any,
    pair: str | None = None,
    *,
    k: int | None = None,
    labels: Sequence[str] | None = None,
    truncate: bool = False,
) -> Ranking:
    """The labels of a classifier for a text, a sentence pair or an image, most probable first.

    Probabilities are a softmax over the labels; where the model was trained for several labels at once
    (``problem_type`` "multi_label_classification") each has a sigmoid of its own. ``k`` keeps the first k;
    ``labels`` replaces the model's own names, in the model's order.

    Raises RankingError where the model has no classification head, is a regression with one output, or where
    the number of labels or ``k`` does not fit; InputError for a text or image that cannot be read.
    """
    config = model.module.config
    tokens, inputs = read(model, text, pair, truncate=truncate)
    if model.task not in CLASSIFICATIONS:
        raise RankingError(
            f"{model.title} is a {type(model.module).__name__}, which gives no label scores: "
            "load a model with a sequence or image classification head"
        )
    names = _names(labels if labels is not None else model.labels, int(config.num_labels))
    keep = _count(k, len(names))
    with torch.no_grad():
        logits = model.module(**{name: tensor.to(model.device) for name, tensor in inputs.items()}).logits[0]
    exclusive = config.problem_type != "multi_label_classification"
    scores = logits.double().softmax(-1) if exclusive else logits.double().sigmoid()
    if not torch.isfinite(scores).all():
        raise RankingError(f"{model.title} returned scores that are not numbers (NaN or infinity)")
    probabilities = [float(p) for p in scores.cpu()]
    order = sorted(range(len(names)), key=lambda i: -probabilities[i])  # sorted() keeps ties in order
    return Ranking(
        entries=tuple(Ranked(names[i], probabilities[i]) for i in order[:keep]),
        text=_named(tokens, text, pair),
        model=model.title,
        exclusive=exclusive,
        total=len(names),
    )


def _named(tokens: Tokens, text: Any, pair: str | None) -> str:
    """What was ranked: the text, both texts, or the name of the image."""
    if isinstance(tokens, Patches):
        return tokens.picture.name
    return text if pair is None else f"{text} | {pair}"


def _names(labels: Sequence[str], count: int) -> tuple[str, ...]:
    if count < 2:
        raise RankingError("this model has one output, a score and not a choice of labels: there is nothing to rank")
    if isinstance(labels, str) or len(labels) != count:
        raise RankingError(f"the model has {count} labels, but {len(labels)} names were given: give one name per label")
    return tuple(str(label) for label in labels)


def _count(k: Any, total: int) -> int:
    if k is None:
        return total
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise RankingError(f"k must be a whole number from 1 to {total}, not {k!r}")
    return min(k, total)
