"""diff_view: what changed between two models' attention, both signs, drawn by ``grid.js``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from course.attention import Attention, EncoderDecoderAttention
from course.differences.attention_diff import AttentionDiff, EncoderDecoderDiff
from course.views.difference_words import difference_notes, difference_title, difference_words, title_lines
from course.views.grid_page import grid_page
from course.views.heat_twin import heat_twin
from course.views.heats import heats_of_changes
from course.views.selection import Part, checked, chosen, offered, parts_by_reading, parts_of
from course.views.view import View, ViewError

_SHORTEN = (
    "choose fewer layers with layers=[…] or heads with heads=[…], merge sub-words with .words(), drop special tokens "
    "with .without_special(), or shorten the text"
)


def diff_view(
    difference: AttentionDiff | EncoderDecoderDiff,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    *,
    show: str | None = None,
    theme: str = "auto",
) -> View:
    """Every head as a small heat map of signed changes: blue where a weight fell, orange where it rose.

    All heads have the same scale, from minus to plus the largest change on the page. A click or Enter opens a
    head; in it the mouse and the arrow keys read out the weight before and after, and the change. A table has
    what moved most.

    ``layers`` and ``heads`` say which (all, if left out), in the order given. ``show`` says what is seen first of
    a sentence pair ("all", "A→A", "B→B", "A→B", "B→A") or of an encoder–decoder ("encoder", "decoder", "cross").
    ``theme`` is "light", "dark", or "auto", which follows the reader's system. Changes are off by at most 1/510
    of the scale; see `course.views.heats`.

    Raises AttentionError for a layer or head that there is not, ViewError where the output would be too large.
    """
    before, after = _sides(difference)
    given = _selected(parts_of(before), layers, heads)
    parts, choices = offered(before, given)
    others, _ = offered(after, _selected(parts_of(after), layers, heads))
    differences = [AttentionDiff(part.attention, other.attention) for part, other in zip(parts, others, strict=True)]
    heats = heats_of_changes(parts, differences, choices)
    first = chosen(choices, show)
    choice = choices[first]
    part, changed = parts[choice.part], differences[choice.part]
    title = difference_title(given, differences)
    notes = {
        reading: difference_notes([parts[i] for i in own], [differences[i] for i in own])
        for reading, own in parts_by_reading(choices).items()
    }
    page, height, fluid_height = grid_page(title, parts, choices, first, heats, why="", notes=notes, theme=theme)
    alt, summary = difference_words(part, changed, choice, title)
    twin = heat_twin(title_lines(title, choice), part, choice, heats, heats.tables[first])
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large=_SHORTEN)


def _sides(
    difference: AttentionDiff | EncoderDecoderDiff,
) -> tuple[Attention, Attention] | tuple[EncoderDecoderAttention, EncoderDecoderAttention]:
    if isinstance(difference, AttentionDiff):
        return difference.before, difference.after
    if isinstance(difference, EncoderDecoderDiff):
        return difference.before, difference.after
    raise ViewError(
        f"diff_view draws a difference, not {type(difference).__name__}: call course.diff(before, after) first, "
        "and give what it returns"
    )


def _selected(parts: list[Part], layers: Iterable[int] | None, heads: Iterable[int] | None) -> list[Part]:
    some_layers, some_heads = checked("layer", layers, parts), checked("head", heads, parts)
    return [replace(part, layers=some_layers or part.layers, heads=some_heads or part.heads) for part in parts]
