"""head_view and model_view: bertviz's own pictures, fed from an Attention.

bertviz draws one SVG line a weight, and a browser stalls when there are too many: a picture may have `LINES`
(150,000; about three seconds). In a head view these are heads × queries × keys, in a model view layers ×
heads × queries × keys. Above it a ViewError says what to select.

The weights travel as one byte each, round(255 w): what is drawn is off by at most 1/510.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from course.attention import Attention, EncoderDecoderAttention
from course.views import words
from course.views.bertviz_page import head_page, model_page
from course.views.selection import Part, checked, checked_index, chosen, offered, parts_of
from course.views.static import head_twin, model_twin
from course.views.view import View, ViewError

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
    be had. Only where all heads together would be more than `LINES` lines, the page has just ``heads``.
    ``show`` says what is seen first of a sentence pair ("all", "A→A", "B→B", "A→B", "B→A") or of an
    encoder–decoder ("encoder", "decoder", "cross"). ``theme`` is "light", "dark", or "auto", which follows the
    reader's system. Weights are rounded to 1/255, so off by at most 1/510.

    The page also has the whole words and the attention without special tokens, where that makes a difference
    and is not too much (`READ_WEIGHTS`); ``att.words()`` and ``att.without_special()`` show them at first.

    Raises AttentionError for a layer or head that there is not, ViewError where there are too many lines.
    """
    given = parts_of(att)
    layer, wanted = checked_index("layer", layer, given), checked("head", heads, given)
    given = [_within_lines(part, wanted) for part in given]
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

    Raises AttentionError for a layer or head that there is not, ViewError where there are too many lines.
    """
    given = parts_of(att)
    some_layers, some_heads = checked("layer", layers, given), checked("head", heads, given)
    given = [replace(part, layers=some_layers or part.layers, heads=some_heads or part.heads) for part in given]
    for part in given:
        _check_lines(part)
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
    each = len(part.queries) * len(part.keys)
    if each * len(part.heads) <= LINES:
        return part
    heads = wanted or part.heads
    if each * len(heads) <= LINES:
        return replace(part, heads=tuple(sorted(heads)))
    advice = f"choose at most {_heads(LINES // each)} with heads=[…], or " if each <= LINES else ""
    raise _too_many(part, f"{_heads(len(heads))} × ", each * len(heads), advice)


def _check_lines(part: Part) -> None:
    each = len(part.queries) * len(part.keys)
    layer = each * len(part.heads)
    if layer * len(part.layers) <= LINES:
        return
    if layer <= LINES:
        advice = f"choose at most {LINES // layer} of the layers with layers=[…], or fewer heads with heads=[…], or "
    elif each <= LINES:
        advice = f"choose one layer with layers=[…] and at most {_heads(LINES // each)} with heads=[…], or "
    else:
        advice = ""
    size = f"{len(part.layers)} layers × {_heads(len(part.heads))} × "
    raise _too_many(part, size, layer * len(part.layers), advice)


def _too_many(part: Part, size: str, lines: int, advice: str) -> ViewError:
    name = "this picture" if part.name == "all" else f"the picture of the {part.name}"
    return ViewError(
        f"{name} would have {size}{len(part.queries)} queries × {len(part.keys)} keys = {lines:,} lines, and a "
        f"browser draws {LINES:,} without stalling: {advice}{_SHORTEN}"
    )


def _heads(count: int) -> str:
    return "1 head" if count == 1 else f"{count} heads"
