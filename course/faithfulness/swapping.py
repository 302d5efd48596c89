"""Swapping attention: how many predictions survive when attention is taken from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from course.attending import attend
from course.attention import Attention
from course.attributions.embedded import unchanged
from course.faithfulness.intervals import Interval, bootstrapped, check_resampling
from course.faithfulness.interventions import InterventionError
from course.faithfulness.replacement import Pattern, replaced
from course.inputs import read
from course.models.entries import CLASSIFICATIONS
from course.tokens import Tokens, shown
from course.vision.patches import Patches

if TYPE_CHECKING:
    from course.models import Model

ELSEWHERE = ("uniform", "another")


class Swapped(NamedTuple):
    """One text: the predicted labels before and after, their probabilities, and the distance of the predictions.

    ``distance`` is the total variation between the probabilities of all labels, 0 to 1. ``other`` is the text whose
    attention was put in, "" where it was that of no other text.
    """

    text: str
    before: str
    after: str
    probability_before: float
    probability_after: float
    distance: float
    other: str

    @property
    def survived(self) -> bool:
        """The predicted label is the same."""
        return self.before == self.after


@dataclass(frozen=True, repr=False)
class AttentionSwap:
    """What became of predictions: see `swap_attention`. ``skipped`` are texts without another of as many tokens.

    ``kept`` is the share of predicted labels that stayed, and ``distance`` the mean total variation, each with an
    interval over texts. ``error`` is the largest difference between the attention that was put in and what the
    model returned as its own.
    """

    texts: tuple[Swapped, ...]
    skipped: tuple[str, ...]
    kept: Interval
    distance: Interval
    model: str
    pattern: str
    error: float

    @property
    def chance(self) -> float:
        """The share that would stay if the labels after had nothing to do with those before, but were as frequent."""
        before, after = (Counter(getattr(one, name) for one in self.texts) for name in ("before", "after"))
        return sum(before[label] * after[label] for label in before) / len(self.texts) ** 2

    def __repr__(self) -> str:
        counts = [
            ", ".join(f"{count} {shown(label)}" for label, count in Counter(labels).most_common())
            for labels in ([one.before for one in self.texts], [one.after for one in self.texts])
        ]
        lines = [
            f"attention of {shown(self.model)} swapped for {self.pattern}: {len(self.texts)} texts",
            f"  predictions that stay: {self.kept}, by chance {self.chance:.3f}",
            f"  before: {counts[0]}; after: {counts[1]}",
            f"  total variation of the probabilities: {self.distance}",
            f"  the attention is what was put in, up to {self.error:.1e}",
        ]
        if self.skipped:
            lines.append(f"  left out: {len(self.skipped)} texts, which no other equals in tokens")
        return "\n".join(lines)


def swap_attention(
    model: Model,
    texts: Sequence[Any],
    pattern: str | Model = "uniform",
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> AttentionSwap:
    """Do the predictions of a classifier of texts or images survive when all its attention is replaced?

    ``pattern`` is

    - "uniform": every token attends evenly to all;
    - "another": the frozen attention of another text with as many tokens (the next one in the list, the first after
      the last; texts without one are left out and counted);
    - a model of the same shape that reads the same tokens, such as ``course.load(role, stage="pretrained")``: its
      attention on the same text. What survives that did not need what training changed in attention.

    After Wiegreffe and Pinter 2019 (arXiv 1908.04626, sections 3.2 and 3.4; distance: their total variation). They
    train again around the frozen weights; here nothing is trained, so this says whether *this* model uses its
    attention, and nothing about other models that could do without.

    Misleads where most texts have one label: compare `AttentionSwap.kept` with ``chance``, and look at the labels
    after. Attention that was replaced in all layers at once is far from anything seen in training, so predictions
    may be lost to surprise alone.

    Raises InterventionError for models that are no classifiers, for patterns that do not fit, and where no text is
    left.

    >>> import course
    >>> model = course.load("planted")
    >>> found = swap_attention(model, ["the dog was not happy", "the merry cat left"], model)
    >>> found.kept.mean, round(found.distance.mean, 5)
    (1.0, 0.0)
    """
    check_resampling(InterventionError, confidence, resamples)
    _check(model, texts, pattern)
    found, skipped, error = [], [], 0.0
    partners = _partners(model, texts) if pattern == "another" else list(texts)
    with unchanged(model.module):
        for text, other in zip(texts, partners, strict=True):
            if other is None:
                skipped.append(_name(model, text))
                continue
            before, _ = _predicted(model, text)
            after, own_error = _predicted(model, text, _pattern(model, pattern, other))
            error = max(error, own_error)
            names = _name(model, text), _name(model, other) if pattern == "another" else ""
            found.append(_swapped(model, names, before, after))
    if not found:
        raise InterventionError("no two of these texts have as many tokens: give more texts, or ones of one length")
    return AttentionSwap(
        texts=tuple(found),
        skipped=tuple(skipped),
        kept=bootstrapped([float(one.survived) for one in found], level=confidence, resamples=resamples, seed=seed),
        distance=bootstrapped([one.distance for one in found], level=confidence, resamples=resamples, seed=seed),
        model=model.title,
        pattern=_said(pattern),
        error=error,
    )


def _name(model: Model, text: Any) -> str:
    """A text, or the name of an image."""
    tokens = read(model, text)[0]
    return tokens.picture.name if isinstance(tokens, Patches) else str(text)


def _predicted(model: Model, text: Any, pattern: Pattern | None = None) -> tuple[torch.Tensor, float]:
    """The probabilities of the labels, and how far the attention was from the pattern."""
    inputs = {name: tensor.to(model.device) for name, tensor in read(model, text)[1].items()}
    if pattern is None:
        with torch.no_grad():
            logits, error = model.module(**inputs).logits[0], 0.0
    else:
        with replaced(model, pattern, compared=False) as replacement, torch.no_grad():
            logits = model.module(**inputs, output_attentions=True).logits[0]
        if replacement.error is None:
            raise InterventionError(f"{model.title} returned no attention, so the swap cannot be proven")
        error = replacement.error
    several = model.module.config.problem_type == "multi_label_classification"
    scores = logits.double().sigmoid() if several else logits.double().softmax(-1)
    if not torch.isfinite(scores).all():
        raise InterventionError(f"{model.title} returned scores that are not numbers (NaN or infinity)")
    return scores.cpu(), error


def _swapped(model: Model, names: tuple[str, str], before: torch.Tensor, after: torch.Tensor) -> Swapped:
    first, last = int(before.argmax()), int(after.argmax())
    return Swapped(
        text=names[0],
        before=model.labels[first],
        after=model.labels[last],
        probability_before=float(before[first]),
        probability_after=float(after[first]),
        distance=float((before - after).abs().sum()) / 2,
        other=names[1],
    )


def _pattern(model: Model, pattern: str | Model, text: Any) -> Pattern:
    if pattern == "uniform":
        return "uniform"
    source = model if isinstance(pattern, str) else pattern
    found = attend(source, text)
    if source is not model and isinstance(found, Attention) and found.tokens != read(model, text)[0]:
        raise InterventionError(
            f"{source.title} and {model.title} read different tokens, so attention does not carry over"
        )
    return found


def _partners(model: Model, texts: Sequence[Any]) -> list[Any]:
    """For each text the next different one of as many tokens, or None."""
    tokens: list[Tokens] = [read(model, text)[0] for text in texts]
    found: list[Any] = []
    for i in range(len(texts)):
        later = [*range(i + 1, len(texts)), *range(i)]
        alike = (texts[j] for j in later if len(tokens[j]) == len(tokens[i]) and tokens[j] != tokens[i])
        found.append(next(alike, None))
    return found


def _check(model: Model, texts: Sequence[str], pattern: str | Model) -> None:
    if model.task not in CLASSIFICATIONS or len(model.labels) < 2:
        raise InterventionError(
            f"{model.title} is a {type(model.module).__name__}: whether predictions survive takes a classifier of "
            "texts or images, such as course.load('sentiment'); for others look at the outputs inside course.replaced()"
        )
    if not isinstance(texts, (list, tuple)) or not texts:
        raise InterventionError("texts must be a list of at least one text (or image)")
    if isinstance(pattern, str) and pattern not in ELSEWHERE:
        raise InterventionError(f"pattern must be 'uniform', 'another' or a model, not {pattern!r}")


def _said(pattern: str | Model) -> str:
    if isinstance(pattern, str):
        return {"uniform": "uniform attention", "another": "that of another text of as many tokens"}[pattern]
    return f"that of {shown(pattern.title)} ({pattern.stage})"
