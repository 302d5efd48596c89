"""generation_view: what each written token came from, as coloured text, one written token at a time."""

from __future__ import annotations

from dataclasses import replace

from course.attributions.attribution import METHODS, Attribution
from course.causal.generation import Generation
from course.views.attribution_marks import Reading, readings_of
from course.views.attribution_page import STYLES, attribution_page
from course.views.generation_twin import generation_twin
from course.views.selection import label
from course.views.view import View, ViewError

_LISTED = 12


def generation_view(generation: Generation, style: str = "text", *, theme: str = "auto") -> View:
    """The text before each written token, coloured by what raised its score (orange) or lowered it (blue).

    The page shows one written token at a time, and each has a scale of its own. ``style`` is what it begins with,
    "text" or "bars". The static picture has as many written
    tokens as fit beside the page. ``theme`` is "light", "dark" or
    "auto". Raises ViewError for anything but a generation with attributions, and where the output would be too large.
    """
    if not isinstance(generation, Generation):
        raise ViewError(
            f"generation_view draws a Generation, not {type(generation).__name__}: call "
            "course.generate(model, text) first, and give what it returns"
        )
    if style not in STYLES:
        raise ViewError(f"style must be one of {', '.join(map(repr, STYLES))}, not {style!r}")
    found = [step.attribution for step in generation if step.attribution is not None]
    if len(found) != len(generation):
        raise ViewError("this was generated without attributions: call course.generate with a method")
    readings = [
        replace(
            readings_of(one)[0], name=f"{i}. {label(step.text)} {step.probability:.3f}", rest=f" → {label(step.text)}"
        )
        for i, (step, one) in enumerate(zip(generation, found, strict=True), start=1)
    ]
    method = METHODS[found[0].method]
    title = f"{method[0].upper()}{method[1:]} for {len(generation)} tokens written by {label(generation.model)}"
    notes = [
        f"Written: “{label(generation.text)}”. Explained: the {found[0].of} of each written token, "
        "on a scale of its own.",
        _account(found),
    ]
    how = "Choose a written token under Tokens: it stands there with its number and its probability."
    lines = [_line(reading) for reading in readings]
    more = [f"… and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    alt = f"Coloured text before each of {len(generation)} written tokens. {' '.join(lines[:3])} {notes[1]}"
    summary = "\n".join([title, *notes, *(f"  {line}" for line in lines[:_LISTED]), *more])
    page, _, _ = attribution_page(title, [*notes, how], readings, style, theme=theme)
    # The last has the longest text before it, and so needs the most room.
    _, height, fluid_height = attribution_page(title, [*notes, how], readings[-1:], style, theme=theme)
    twin = generation_twin(title, notes, readings, height)
    return View(title, page, twin, alt, summary, height, fluid_height, theme, "write fewer tokens")


def _line(reading: Reading) -> str:
    strongest = sorted(reading.marks, key=lambda mark: -abs(mark.value))[:3]
    return f"{reading.name} from {', '.join(f'{mark.name} {reading.number(mark.value)}' for mark in strongest)}."


def _account(found: list[Attribution]) -> str:
    """How far all of the values add up."""
    gaps = [one.gap or 0.0 for one in found]
    if found[0].complete is None:
        return f"This method promises no sum; completeness gaps are from {min(gaps):.1e} to {max(gaps):.1e}."
    failed = sum(not one.complete for one in found)
    promised = f"{found[0].tolerance:.2%} of the change from the baseline"
    if failed:
        return f"Of {len(found)} sums {failed} are NOT within {promised}: raise most_steps."
    return f"All {len(found)} sums are within {promised}; the largest completeness gap is {max(gaps):.1e}."
