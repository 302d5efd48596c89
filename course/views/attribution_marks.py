"""Marks: an attribution as a text in which every token has a value, at each level on which it can be read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from course.attributions.attribution import Attribution
from course.attributions.characters import visible
from course.movements import signed
from course.tokens import Offset, shown
from course.views.selection import label

MOST_BARS = 40
"""The bars of a chart: of more tokens, those farthest from 0 are shown."""
READINGS = {"tokens": "as the model reads", "words": "whole words", "characters": "characters"}


class Mark(NamedTuple):
    """A token in its text: what was typed between it and the one before, its own text, and its value.

    ``text`` is as typed, but with invisible characters as escapes. ``special`` tokens were never typed.
    """

    before: str
    text: str
    value: float
    special: bool
    segment: int

    @property
    def name(self) -> str:
        """The text in one line, such that there is something to be seen."""
        return label(self.text) if self.text.strip() else label(self.text.replace(" ", "␣"))


@dataclass(frozen=True, eq=False)
class Reading:
    """One level of an attribution: its ``marks`` in order, and the typed text after the last (``rest``)."""

    name: str
    marks: tuple[Mark, ...]
    rest: str
    scale: float
    signed: bool

    @property
    def digits(self) -> int:
        """Decimals of a number: three of the largest value, or more where all are small."""
        return max(3, 2 - math.floor(math.log10(self.scale)))

    def number(self, value: float) -> str:
        """A value as it is printed; with its sign, where values have one."""
        return signed(value, self.digits) if self.signed else f"{value:.{self.digits}f}"

    @property
    def ticks(self) -> tuple[str, ...]:
        """The numbers at the ends of the scale, and 0."""
        return (
            (self.number(-self.scale), "0", self.number(self.scale)) if self.signed else ("0", self.number(self.scale))
        )

    def share(self, mark: Mark) -> float:
        """The value as a share of the scale, -1 to 1."""
        return max(-1.0, min(1.0, mark.value / self.scale))

    def bars(self) -> list[Mark]:
        """The marks of the chart, in order: all that could be seen, or of many the `MOST_BARS` farthest from 0."""
        seen = [mark for mark in self.marks if mark.value or mark.text.strip()]
        if len(seen) <= MOST_BARS:
            return seen
        order = sorted(range(len(seen)), key=lambda i: -abs(seen[i].value))  # sorted() keeps ties in order
        return [seen[i] for i in sorted(order[:MOST_BARS])]

    def strongest(self, k: int, only: str) -> list[Mark]:
        """The ``k`` largest values above 0 (``only`` "for") or below ("against")."""
        sign = 1 if only == "for" else -1
        found = [mark for mark in self.marks if sign * mark.value > self.scale / 1000]
        return sorted(found, key=lambda mark: -sign * mark.value)[:k]


def readings_of(attribution: Attribution) -> list[Reading]:
    """The attribution as it is given, and the levels that can be made of it, where they differ."""
    others = {"tokens": ("words", "characters"), "words": ("characters",), "characters": ("words",)}
    found = [_reading(attribution)]
    for name in others[attribution.level]:
        reading = _reading(getattr(attribution, name)())
        if all(len(reading.marks) != len(one.marks) for one in found):
            found.append(reading)
    return found


def _reading(attribution: Attribution) -> Reading:
    *marks, rest = _marks(attribution)
    noise = 1e-6 * max(1.0, abs(attribution.score))
    scale = max([noise, *(abs(mark.value) for mark in marks)])
    return Reading(READINGS[attribution.level], tuple(marks), rest.before, scale, attribution.signed)


def _marks(attribution: Attribution) -> Iterator[Mark]:
    """The marks, and a last one without text for what was typed after them."""
    tokens, values = attribution.tokens, attribution.values.tolist()
    groups = _groups(tokens.offsets, tokens.segments)
    read = [0] * len(tokens.sources)
    for number, group in enumerate(groups):
        segment, special = tokens.segments[group[0]], tokens.special[group[0]]
        source, value = tokens.sources[segment], sum(values[i] for i in group)
        spans = [offset for i in group if (offset := tokens.offsets[i])]
        if not spans:
            follows = any(
                tokens.offsets[i] and tokens.segments[i] == segment for later in groups[number:] for i in later
            )
            before = "" if follows or tokens.dropped else source[read[segment] :]
            read[segment] += len(before)
            yield Mark(_typed(before), _typed(tokens.texts[group[0]]), value, special, segment)
            continue
        start, end = spans[0][0], max(span[1] for span in spans)
        start += len(source[start:end]) - len(source[start:end].lstrip()) if source[start:end].strip() else 0
        text = visible(_typed(source[start:end] or tokens.texts[group[0]]))
        yield Mark(_typed(source[read[segment] : start]), text, value, special, segment)
        read[segment] = max(read[segment], end)
    rest = "" if tokens.dropped else tokens.sources[-1][read[-1] :]
    yield Mark(_typed(rest), "", 0.0, False, len(tokens.sources) - 1)


def _groups(offsets: Sequence[Offset | None], segments: Sequence[int]) -> list[list[int]]:
    """Positions, and together those of which the characters overlap: parts of one character, in byte-level models."""
    groups: list[list[int]] = []
    end = -1
    for i, offset in enumerate(offsets):
        last = groups[-1][-1] if groups else None
        joined = last is not None and offset and offsets[last] and segments[last] == segments[i] and offset[0] < end
        if joined:
            groups[-1].append(i)
        else:
            groups.append([i])
        end = max(end if joined else -1, offset[1] if offset else -1)
    return groups


def _typed(text: str) -> str:
    """Text as typed, its lines kept, and other invisible characters shown."""
    return "\n".join(map(shown, text.split("\n")))
