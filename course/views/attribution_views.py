"""attribution_view: how much each token counted, as coloured text or as a chart of bars."""

from __future__ import annotations

from course.attributions.attribution import Attribution
from course.views.attribution_marks import readings_of
from course.views.attribution_page import STYLES, attribution_page
from course.views.attribution_twin import bars_twin, text_twin
from course.views.attribution_words import account, attribution_notes, attribution_title, attribution_words, explained
from course.views.view import View, ViewError


def attribution_view(attribution: Attribution, style: str = "text", *, theme: str = "auto") -> View:
    """The text as typed, each token on a colour: orange where it raised the number, blue where it lowered it.

    ``style`` says what is seen first, "text" or "bars"; the page has both, and the same for whole words and for
    characters. Strong values are also underlined, solid where they raise and dotted where they lower it. All values
    have one scale, from minus to plus the largest, and colours are in proportion to them. Of more than 40 tokens, the
    chart has the 40 values farthest from 0. ``theme`` is "light", "dark", or "auto", which follows the reader's system.

    Raises ViewError for anything but an attribution, and where the output would be too large.
    """
    if not isinstance(attribution, Attribution):
        raise ViewError(
            f"attribution_view draws an Attribution, not {type(attribution).__name__}: call "
            "course.attribute(model, text) first, and give what it returns"
        )
    if attribution.level == "patches":
        raise ViewError("this attribution is of an image: course.image_view(attribution) draws it")
    if style not in STYLES:
        raise ViewError(f"style must be one of {', '.join(map(repr, STYLES))}, not {style!r}")
    readings = readings_of(attribution)
    title = attribution_title(attribution)
    notes = [explained(attribution), *account(attribution), *attribution_notes(attribution)]
    alt, summary = attribution_words(attribution, readings[0], title, STYLES[style])
    page, height, fluid_height = attribution_page(title, notes, readings, style, theme=theme)
    twin = (text_twin if style == "text" else bars_twin)(title, notes, readings[0])
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large="shorten the text")
