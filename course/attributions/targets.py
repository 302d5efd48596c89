"""Targets: which number of a model an attribution explains, such as the logit of a label or the start of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from course.attributions.embedded import AttributionError
from course.attributions.spans import Best, best_span, span_scores
from course.tokens import InputError, Tokens

if TYPE_CHECKING:
    from course.models import Model

OF = ("logit", "probability")
SPAN_TARGETS = ("span", "start", "end")


@dataclass(frozen=True, eq=False)
class Target:
    """``name`` is what is explained, such as a label; ``of`` its "logit" or "probability".

    ``predicted`` says that the model chose it, and not the caller. ``score`` reads it from the model's outputs, one
    number a row. ``readers`` are the positions of the tokens from which the model's head reads it.
    """

    name: str
    of: str
    predicted: bool
    score: Callable[[Any], Tensor]
    readers: tuple[int, ...]


def label_target(model: Model, logits: Tensor, target: str | int | None, of: str) -> Target:
    """The label called ``target`` (or with that number), or the one with the highest of ``logits`` (labels).

    The probability is a softmax over the labels; where the model was trained for several labels at once, a sigmoid
    of the label's own. Raises AttributionError for a label that there is not.
    """
    labels = model.labels
    if len(labels) == 1 and of == "probability":
        raise AttributionError(f"{model.title} has one output, a score without a probability: use of='logit'")
    place = int(logits.argmax()) if target is None else _label_place(model, target)
    several = model.module.config.problem_type == "multi_label_classification"

    def score(outputs: Any) -> Tensor:
        found: Tensor = outputs.logits
        if of == "probability":
            found = found.sigmoid() if several else found.softmax(-1)
        return found[:, place]

    return Target(labels[place], of, target is None, score, readers=(0,))


def span_target(tokens: Tokens, outputs: Any, target: str | int | None, span: Best | None, of: str) -> Target:
    """The start, the end, or (None, "span") both of ``span``, which is the best of the context if left out.

    The logit of a span is the sum of those of its start and end. The probability of a start or an end is a softmax
    over the tokens of the context, and that of a span over all spans that may be an answer, as in `course.answer`.
    """
    which = "span" if target is None else target
    if which not in SPAN_TARGETS:
        raise AttributionError(
            f"target must be one of {', '.join(map(repr, SPAN_TARGETS))}, or None for the whole span, not {target!r}"
        )
    best = checked_best(tokens, outputs) if span is None else span
    name = span_text(tokens, best)
    return Target(
        name if which == "span" else f"{which} of {name}",
        of,
        span is None,
        _span_score(str(which), best, answerable(tokens).to(outputs.start_logits.device), of),
        readers={"start": (best.first,), "end": (best.last,)}.get(str(which), (best.first, best.last)),
    )


def answerable(tokens: Tokens) -> Tensor:
    """Which tokens an answer may start or end with: those of the second text that are more than white space."""
    return torch.tensor([
        segment == 1 and not special and offset is not None and bool(tokens.sources[1][slice(*offset)].strip())
        for segment, special, offset in zip(tokens.segments, tokens.special, tokens.offsets, strict=True)
    ])  # fmt: skip


def checked_best(tokens: Tokens, outputs: Any) -> Best:
    """The best span of the context. Raises AttributionError where the logits are no numbers."""
    starts, ends = outputs.start_logits[0].cpu(), outputs.end_logits[0].cpu()
    valid = answerable(tokens)
    if not bool(valid.any()):
        raise InputError("nothing in the context can be an answer: give it some visible text")
    if not (torch.isfinite(starts[valid]).all() and torch.isfinite(ends[valid]).all()):
        raise AttributionError("the model returned scores that are not numbers (NaN or infinity)")
    return best_span(starts, ends, valid)


def span_offsets(tokens: Tokens, best: Best) -> tuple[int, int]:
    """The characters of a span in the context, first and after the last, without white space around them."""
    first, last = tokens.offsets[best.first], tokens.offsets[best.last]
    if first is None or last is None:
        raise AttributionError(f"tokens {best.first} to {best.last} are not in the context: give a span of this input")
    text = tokens.sources[1][first[0] : last[1]]
    return first[0] + len(text) - len(text.lstrip()), first[0] + len(text.rstrip())


def span_text(tokens: Tokens, best: Best) -> str:
    """The words of a span as they were typed."""
    start, end = span_offsets(tokens, best)
    return tokens.sources[1][start:end]


def _span_score(which: str, best: Best, valid: Tensor, of: str) -> Callable[[Any], Tensor]:
    def score(outputs: Any) -> Tensor:
        if which == "span":
            found: Tensor = outputs.start_logits[:, best.first] + outputs.end_logits[:, best.last]
            if of == "probability":
                sums = span_scores(outputs.start_logits, outputs.end_logits, valid)
                found = (found - sums.flatten(1).logsumexp(-1)).exp()
            return found
        logits: Tensor = getattr(outputs, f"{which}_logits")
        if of == "probability":
            logits = logits.masked_fill(~valid, -torch.inf).softmax(-1)
        return logits[:, best.first if which == "start" else best.last]

    return score


def _label_place(model: Model, target: str | int) -> int:
    if isinstance(target, str) and target in model.labels:
        return model.labels.index(target)
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < len(model.labels):
        return target
    known = ", ".join(map(repr, model.labels))
    last = len(model.labels) - 1
    raise AttributionError(f"{model.title} has no label {target!r}; it has {known}, or their numbers, 0 to {last}")
