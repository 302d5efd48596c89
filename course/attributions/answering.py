"""answer(): the words of a text that answer a question, with the runners-up and with what they come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import torch

from course.attributions.attributing import attribute
from course.attributions.attribution import Attribution
from course.attributions.embedded import AttributionError, unchanged
from course.attributions.spans import LONGEST, Best, best_spans, span_scores
from course.attributions.targets import answerable, checked_best, span_offsets
from course.tokenising import tokenise
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model


class AnswerError(ValueError):
    """This question cannot be answered so; the message says what to change."""


@dataclass(frozen=True)
class Candidate:
    """A span that may be the answer: its text as typed, its characters in the context, and how probable it is.

    ``start`` is its first character and ``end`` the one after its last; ``probability`` is among all spans that may
    be an answer (0 to 1), ``score`` the sum of the logits of its start and end. ``span`` are its tokens.
    """

    text: str
    start: int
    end: int
    probability: float
    score: float
    span: Best = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """The best span of the context, and the ``candidates`` it was chosen from, best first.

    ``null`` is the probability that the context has no answer, None where that was not asked. Where it is more
    probable than every span, ``found`` is False and ``text`` is empty.

    A probability is among the spans of this context: it is not that of being right, and the context need not have
    an answer for one span to be far more probable than the others.
    """

    question: str
    context: str
    candidates: tuple[Candidate, ...]
    null: float | None
    dropped: int
    model: Model = field(repr=False)

    @property
    def found(self) -> bool:
        """A span is more probable than no answer."""
        return self.null is None or self.null < self.candidates[0].probability

    @property
    def text(self) -> str:
        """The answer as it stands in the context; empty where there is none."""
        return self.candidates[0].text if self.found else ""

    @property
    def start(self) -> int | None:
        """Its first character in the context; None where there is no answer."""
        return self.candidates[0].start if self.found else None

    @property
    def end(self) -> int | None:
        """The character after its last; None where there is no answer."""
        return self.candidates[0].end if self.found else None

    @property
    def score(self) -> float:
        """How probable the answer is (or that there is none) among all that was considered, 0 to 1."""
        return self.candidates[0].probability if self.found or self.null is None else self.null

    @cached_property
    def attribution(self) -> Attribution:
        """Which tokens of question and context the best span comes from: its start and end logit together."""
        return self._attribution("span")

    @cached_property
    def start_attribution(self) -> Attribution:
        """Which tokens its start comes from (logit)."""
        return self._attribution("start")

    @cached_property
    def end_attribution(self) -> Attribution:
        """Which tokens its end comes from (logit)."""
        return self._attribution("end")

    def _attribution(self, which: str) -> Attribution:
        span = self.candidates[0].span
        found = attribute(self.model, self.question, self.context, target=which, span=span, truncate=True)
        return replace(found, predicted=True)

    def _parts(self) -> tuple[str, str, str]:
        """The context before the answer, the answer, and the context after it."""
        start, end = self.start or 0, self.end or 0
        return self.context[:start], self.context[start:end], self.context[end:]

    def __repr__(self) -> str:
        said = f"“{shown(self.text)}”" if self.found else "no answer"
        lines = [f"{shown(self.question)} → {said} ({self.score:.3f})"]
        if self.null is not None:
            lines.append(f"  no answer: {self.null:.3f}")
        lines += [
            f"  {place}) “{shown(one.text)}” {one.probability:.3f}, characters {one.start} to {one.end}"
            for place, one in enumerate(self.candidates, start=1)
        ]
        if self.dropped:
            lines.append(f"  truncated: {self.dropped} tokens of the input were never read")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [_lines(part) for part in self._parts()]
        read = f"{parts[0]}<mark>{parts[1]}</mark>{parts[2]}" if self.found else parts[2]
        rows = [(one.text, one.probability, f"{one.start} to {one.end}") for one in self.candidates]
        if self.null is not None:
            rows.append(("(no answer)", self.null, ""))
        cells = "".join(
            f'<tr><td style="text-align:left">{escape(shown(text))}</td>'
            f'<td><meter min="0" max="1" value="{share:.4f}"></meter> {share:.4f}</td><td>{place}</td></tr>'
            for text, share, place in rows
        )
        dropped = f"<p>{self.dropped} tokens of the input were never read.</p>" if self.dropped else ""
        return (
            f"<p><strong>{escape(shown(self.question))}</strong></p>"
            f'<p style="white-space:pre-wrap;overflow-wrap:anywhere">{read}</p>{dropped}'
            f"<table><caption>{escape(self.model.title)}, {len(self.candidates)} best spans</caption>"
            "<thead><tr><th>answer</th><th>probability</th><th>characters</th></tr></thead>"
            f"<tbody>{cells}</tbody></table>"
        )


def answer(
    qa: Model,
    question: str,
    context: str,
    *,
    k: int = 5,
    longest: int = LONGEST,
    no_answer: bool = False,
    truncate: bool = False,
) -> Answer:
    """The words of ``context`` that answer ``question``: the best span that is one.

    Of all spans of at most ``longest`` tokens that start and end in the context, and do not end before they start,
    the one with the highest sum of start and end logit; its probability is a softmax over all these sums. The
    ``k`` best are kept. Texts are as typed, character by character, without white space around them.

    ``no_answer`` lets "no answer" compete, with the logits of the first token ([CLS]), as models are trained for
    questions without an answer (SQuAD 2.0, Rajpurkar et al. 2018). Leave it out for other models, where these
    logits mean nothing; the shipped one answers everything.

    Raises AnswerError for a model without such a head and where a number does not fit; InputError for text that
    cannot be read, or that is longer than the model reads (unless ``truncate``: then its end is never read).

    >>> import course
    >>> found = course.answer(course.load("qa"), "Who built the tower?", "Gustave Eiffel built the tower in 1889.")
    >>> found.text, found.start, found.end
    ('Gustave Eiffel', 0, 14)
    """
    _check(qa, k, longest)
    tokens, inputs = tokenise(qa, question, context, truncate=truncate)
    with unchanged(qa.module), torch.no_grad():
        outputs = qa.module(**{name: tensor.to(qa.device) for name, tensor in inputs.items()})
    starts, ends = outputs.start_logits[0].float().cpu(), outputs.end_logits[0].float().cpu()
    try:
        checked_best(tokens, outputs)
    except AttributionError as error:
        raise AnswerError(str(error)) from None
    valid = answerable(tokens)
    null = float(starts[0] + ends[0]) if no_answer else None
    found = best_spans(starts, ends, valid, longest, k=k, null=null)
    spans = span_scores(starts[None], ends[None], valid, longest).double().flatten().logsumexp(0)
    candidates = []
    for one in found:
        start, end = span_offsets(tokens, one)
        candidates.append(Candidate(context[start:end], start, end, one.probability, one.score, one))
    return Answer(
        question=question,
        context=context,
        candidates=tuple(candidates),
        null=None if null is None else float(torch.sigmoid(null - spans)),
        dropped=tokens.dropped,
        model=qa,
    )


def _lines(text: str) -> str:
    """Text for a page, its lines kept and its invisible characters shown."""
    return "\n".join(escape(shown(line)) for line in text.splitlines()) + ("\n" if text.endswith("\n") else "")


def _check(qa: Model, k: int, longest: int) -> None:
    if qa.task != "question-answering":
        raise AnswerError(
            f"{qa.title} is a {type(qa.module).__name__}, which gives no starts and ends of answers: load a model with "
            "a question answering head, such as course.load('qa')"
        )
    for name, count in (("k", k), ("longest", longest)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise AnswerError(f"{name} must be a whole number from 1, not {count!r}")
