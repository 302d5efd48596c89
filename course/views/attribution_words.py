"""An attribution in words: the title, the alt text and the summary of its picture."""

from __future__ import annotations

from collections.abc import Sequence

from course.attributions.attribution import METHODS, Attribution
from course.tokens import shown
from course.views.attribution_marks import Mark, Reading
from course.views.selection import label

_LISTED = 5


def attribution_title(attribution: Attribution) -> str:
    """Such as "Integrated gradients for “positive”: MiniLM, 9 tokens"."""
    method = METHODS[attribution.method]
    target = f" for “{label(attribution.target)}”" if attribution.signed else ""
    return (
        f"{method[0].upper()}{method[1:]}{target}: {label(attribution.model)}, {len(attribution)} {attribution.level}"
    )


def attribution_words(attribution: Attribution, reading: Reading, heading: str, picture: str) -> tuple[str, str]:
    """Alt text and summary: what raised the number most, what lowered it most, and how far that adds up."""
    rises, falls = (reading.strongest(_LISTED, only) for only in ("for", "against"))
    said = [
        f"{name}: {_listed(reading, found)}." for name, found in zip(_names(attribution), (rises, falls), strict=False)
    ]
    what = explained(attribution)
    alt = f"{picture} of {len(attribution)} {attribution.level}. {what} {' '.join(said)} {account(attribution)[0]}"
    return alt, "\n".join([heading, what, *said, *account(attribution), *attribution_notes(attribution)])


def _names(attribution: Attribution) -> tuple[str, ...]:
    return ("Raise it most", "Lower it most") if attribution.signed else ("Largest weights",)


def _listed(reading: Reading, found: Sequence[Mark]) -> str:
    return ", ".join(f"{mark.name} {reading.number(mark.value)}" for mark in found) or "nothing"


def explained(attribution: Attribution) -> str:
    """What number the values belong to."""
    if not attribution.signed:
        return "Attention has no sign: the values are weights, and none speaks against anything."
    score = f"{attribution.score:.3f}".replace("-", "−")
    chosen = ", which the model chose" if attribution.predicted else ""
    return f"Explained: the {attribution.of} {score} of “{label(attribution.target)}”{chosen}."


def account(attribution: Attribution) -> list[str]:
    """How far the values add up, in the words of the record."""
    text = shown(attribution.account)
    return [f"{text[0].upper()}{text[1:]}."]


def attribution_notes(attribution: Attribution) -> list[str]:
    """What a reader must know beside that."""
    dropped = attribution.tokens.dropped
    return [f"The input was too long: {dropped} tokens were dropped at its end."] if dropped else []
