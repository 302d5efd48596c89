"""Attention as heat maps, drawn by ``grid.js``: what the head and the model view become when lines are too many."""

from __future__ import annotations

from collections.abc import Sequence

from course.views import words
from course.views.grid_page import grid_page
from course.views.heat_twin import heat_twin
from course.views.heats import heats_of_weights
from course.views.selection import Choice, Part, parts_by_reading
from course.views.view import View


def attention_grid(
    title: str,
    parts: Sequence[Part],
    choices: Sequence[Choice],
    first: int,
    *,
    why: str,
    theme: str,
    too_large: str,
) -> View:
    """Every head of the parts as a small heat map that can be opened; ``why`` says why there are no lines.

    ``why`` stands in the page's legend, in the alt text and in the summary.
    """
    choice = choices[first]
    part = parts[choice.part]
    heats = heats_of_weights(parts, choices)
    notes = {reading: words.notes([parts[i] for i in own]) for reading, own in parts_by_reading(choices).items()}
    page, height, fluid_height = grid_page(title, parts, choices, first, heats, why=why, notes=notes, theme=theme)
    alt, summary = words.model_words(part, choice, title)
    heading, rest = summary.split("\n", 1)
    lines = [f"Heads of {words.model_name(part)}{words.block_note(choice)}"]
    twin = heat_twin(lines, part, choice, heats, heats.tables[first])
    alt, summary = f"{alt} {why}", f"{heading}\n{why}\n{rest}"
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large=too_large)
