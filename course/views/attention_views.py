"""head_view and model_view: bertviz's own pictures, fed from an Attention.

bertviz draws one SVG line a weight, and a browser stalls when there are too many: a picture may have `LINES`
(150,000; about three seconds). In a head view these are heads × queries × keys, in a model view layers ×
heads × queries × keys. Above it the picture is a grid of heat maps (`course.views.attention_grid`), and says why.

The weights travel as one byte each, round(255 w): what is drawn is off by at most 1/510.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod

from course.attention import Attention, EncoderDecoderAttention
from course.views import words
from course.views.attention_grid import attention_grid
from course.views.bertviz_page import head_page, model_page
from course.views.selection import Part, checked, checked_index, chosen, offered, parts_of
from course.views.static import head_twin, model_twin
from course.views.view import View

LINES = 150_000
"""The most lines that a picture may have."""

_SHORTEN = "merge sub-words with .words(), drop special tokens with .without_special(), or shorten the text"


def head_view(
    att: Attention | EncoderDecoderAttention,
    layer: int = 0,
    heads: Iterable[int] | None = None,
    *,
    show: str | None = None,
    theme: str = "auto",
) -> View:
    """Lines between the tokens, a colour a head, one layer at a time.

    ``layer`` and ``heads`` (all, if left out) are what is shown at first; in the page every layer and head can
    be had. Only where all heads together would be more than `LINES` lines, the page has just ``heads``; and where
    these are too many, too, it has heat maps of this layer's heads instead of lines, and says so.
    ``show`` says what is seen first of a sentence pair ("all", "A→A", "B→B", "A→B", "B→A") or of an
    encoder–decoder ("encoder", "decoder", "cross"). ``theme`` is "light", "dark", or "auto", which follows the
    reader's system. Weights are rounded to 1/255, so off by at most 1/510.

    The page also has the whole words and the attention without special tokens, where that makes a difference
    and is not too much (`READ_WEIGHTS`); ``att.words()`` and ``att.without_special()`` show them at first.

    Raises AttentionError for a layer or head that there is not, ViewError where the output would be too large.
    """
    given = parts_of(att)
    layer, wanted = checked_index("layer", layer, given), checked("head", heads, given)
    given = [_within_lines(part, wanted) for part in given]
    one_layer = [replace(part, layers=(layer,)) for part in given]
    if why := _why_no_lines(one_layer):
        return _as_grid("Head view", att, one_layer, show, theme, why, "choose fewer heads with heads=[…]")
    parts, choices = offered(att, given)
    first = chosen(choices, show)
    part = parts[choices[first].part]
    on = wanted or part.heads
    title = words.title("Head view", given)
    page, height, fluid_height = head_page(title, parts, choices, first, layer=layer, heads=on, theme=theme)
    alt, summary = words.head_words(part, choices[first], layer, on, title)
    twin = head_twin(part, choices[first], layer, on)
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large=_SHORTEN)


def model_view(
    att: Attention | EncoderDecoderAttention,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
    *,
    show: str | None = None,
    theme: str = "auto",
) -> View:
    """Every head as a small picture: layers from top to bottom, heads from left to right.

    ``layers`` and ``heads`` say which (all, if left out), in the order given. ``show`` and ``theme`` are as in
    `head_view`, and so are the readings that the page offers. Weights are rounded to 1/255, so off by at most 1/510.

    Where there would be more than `LINES` lines, each head is a heat map that can be opened; the picture says so.

    Raises AttentionError for a layer or head that there is not, ViewError where the output would be too large.
    """
    given = parts_of(att)
    some_layers, some_heads = checked("layer", layers, given), checked("head", heads, given)
    given = [replace(part, layers=some_layers or part.layers, heads=some_heads or part.heads) for part in given]
    if why := _why_no_lines(given):
        return _as_grid("Model view", att, given, show, theme, why, "choose fewer layers with layers=[…]")
    parts, choices = offered(att, given)
    first = chosen(choices, show)
    part = parts[choices[first].part]
    title = words.title("Model view", given)
    page, height, fluid_height = model_page(title, parts, choices, first, theme=theme)
    alt, summary = words.model_words(part, choices[first], title)
    return View(
        title,
        page,
        model_twin(part, choices[first]),
        alt,
        summary,
        height,
        fluid_height,
        theme,
        too_large=f"choose fewer layers with layers=[…], or {_SHORTEN}",
    )


def _within_lines(part: Part, wanted: tuple[int, ...] | None) -> Part:
    """The part with all its heads where that is few enough lines a layer, else with the wanted ones."""
    if wanted is None or len(part.heads) * len(part.queries) * len(part.keys) <= LINES:
        return part
    return replace(part, heads=tuple(sorted(wanted)))


def _why_no_lines(parts: list[Part]) -> str:
    """What to say where one of the parts would be too many lines; nothing where none is."""
    for part in parts:
        factors = (("layer", part.layers), ("head", part.heads), ("query", part.queries), ("key", part.keys))
        lines = prod(len(counted) for _, counted in factors)
        if lines > LINES:
            size = " × ".join(_counted(noun, len(counted)) for noun, counted in factors)
            of = "" if part.name == "all" else f" (the {part.name})"
            return (
                f"{size} would be {lines:,} lines{of}, and a browser draws {LINES:,} without stalling; drawn as heat "
                "maps instead."
            )
    return ""


def _as_grid(
    kind: str,
    att: Attention | EncoderDecoderAttention,
    given: list[Part],
    show: str | None,
    theme: str,
    why: str,
    advice: str,
) -> View:
    parts, choices = offered(att, given)
    too_large = f"{advice}, or {_SHORTEN}"
    title = words.title(kind, given)
    return attention_grid(title, parts, choices, chosen(choices, show), why=why, theme=theme, too_large=too_large)


def _counted(noun: str, count: int) -> str:
    return f"{count} {noun if count == 1 else {'query': 'queries'}.get(noun, f'{noun}s')}"
