"""The pages of the head and the model view: what bertviz's scripts are given, and how much room they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from course.views.colours import HEADS
from course.views.libraries import LIBRARIES, bertviz_script, own_file
from course.views.page import frame_page
from course.views.room import Page, below, legend_height
from course.views.selection import Choice, Part, parts_by_reading, quantised, selects_of
from course.views.words import notes

_HEAD_LEGEND = (
    "A line runs from a query (left), the token that looks, to a key (right), the token looked at. The more "
    "opaque the line, the larger the weight; where several heads are shown, it is divided by their number.",
    "Each colour is a head. Click a numbered square, or press Space on it, to switch its head on or off; double-click, "
    "or press Shift and Enter, to see it alone.",
    "Numbers that are read out are off by at most 0.002, and rounded.",
)
_MODEL_LEGEND = (
    "Each small picture is a head. Its lines run from the queries (left) to the keys (right); the more opaque "
    "a line, the larger the weight. Rows and colours are layers, columns are heads. Click a head to enlarge it, "
    "and again to close it; or go there with the arrow keys, and press Enter. Numbers that are read out are off by at "
    "most 0.002, and rounded.",
)

# From bertviz 1.4.1's scripts and from frame.css, in CSS pixels.
_FRAME, _CHOICES, _CONTROL, _READOUT = 54, 38, 34, 46
_HEAD_ROW, _HEAD_TOP, _HEAD_BOX, _HEAD_LINES = 22.5, 30, 110, 115
_MODEL_WIDTH, _MODEL_AXIS, _MODEL_PADDING, _MODEL_LEAST = 970, 38, 5, 640
_DETAIL_WIDTH, _DETAIL_ROW, _DETAIL_HEADING = 300, 18, 55
_FEWEST_HEADS = 6  # bertviz makes the heads of smaller models as large as the page


def head_page(
    title: str,
    parts: Sequence[Part],
    choices: Sequence[Choice],
    first: int,
    *,
    layer: int,
    heads: Sequence[int],
    theme: str,
) -> Page:
    """The page of a head view; ``layer`` and ``heads`` of the choice ``first`` are shown to begin with."""
    legend = [*_HEAD_LEGEND, *_longest_notes(parts, choices)]
    parcel = {"view": "head", "layer": layer, "heads": list(heads), "choice": first}
    page = _page("head_view", title, _HEAD_LEGEND, "beside", parts, choices, parcel, theme)
    rows = max(max(len(choice.rows), len(choice.columns)) for choice in _at_first(choices, first))
    controls = _CHOICES + _CONTROL * selects_of(choices) + _READOUT + 20
    picture = controls + _HEAD_TOP + round(_HEAD_ROW * rows)
    beside = _CHOICES + sum(8 + 18 * (1 + len(line) // 58) for line in legend)
    height = _FRAME + max(picture, beside)
    width = (
        _HEAD_LINES + 2 * _HEAD_BOX + _overhang(part.queries for part in parts) + _overhang(part.keys for part in parts)
    )
    return page, height, f"calc({height}px + {_title_wraps(title)} + {below(width + 310, min(picture, beside))})"


def model_page(title: str, parts: Sequence[Part], choices: Sequence[Choice], first: int, *, theme: str) -> Page:
    """The page of a model view; the choice ``first`` is shown to begin with."""
    legend = [*_MODEL_LEGEND, *_longest_notes(parts, choices)]
    shown = parts[choices[first].part]
    parcel = {"view": "model", "layer": shown.layers[0], "heads": shown.heads, "choice": first}
    page = _page("model_view", title, _MODEL_LEGEND, "above", parts, choices, parcel, theme)
    controls = _FRAME + _CHOICES * (selects_of(choices) > 0) + _READOUT + 6
    wrapped = below(560, _CONTROL * max(0, selects_of(choices) - 1))
    words = f"{controls}px + {legend_height(legend)} + {_title_wraps(title)} + {wrapped}"
    height = controls + sum(4 + 18 * (1 + len(line) // 140) for line in legend)
    seen = _at_first(choices, first)
    tallest, width = max(
        (_model_height(parts[choice.part], choice), _model_width(parts[choice.part])) for choice in seen
    )
    extent = f"clamp({min(width, _MODEL_LEAST)}px, 100cqw - 24px, {width}px)"
    return page, height + tallest, f"calc({words} + {extent} * {tallest / width:.4f})"


def _at_first(choices: Sequence[Choice], first: int) -> Sequence[Choice]:
    """The choices that the frame has room for without scrolling: the first one shown, or all three parts."""
    alike = [choice for choice in choices if choice.reading == choices[first].reading]
    return alike if len({choice.part for choice in alike}) > 1 else [choices[first]]


def _longest_notes(parts: Sequence[Part], choices: Sequence[Choice]) -> list[str]:
    """The notes of the reading that has most to say, for which the page needs room."""
    return max(_notes(parts, choices).values(), key=lambda found: len("".join(found)))


def _notes(parts: Sequence[Part], choices: Sequence[Choice]) -> dict[str, list[str]]:
    return {reading: notes([parts[i] for i in own]) for reading, own in parts_by_reading(choices).items()}


def _page(
    script: str,
    title: str,
    legend: Sequence[str],
    layout: str,
    parts: Sequence[Part],
    choices: Sequence[Choice],
    parcel: Mapping[str, Any],
    theme: str,
) -> str:
    libraries = (*LIBRARIES, "token_lists.js", "bertviz_frame.js")
    weights = [quantised(part.weights).tobytes() for part in parts]
    starts = [sum(map(len, weights[:i])) for i in range(len(parts))]
    return frame_page(
        title=title,
        legend=legend,
        layout=layout,
        scripts=[*map(own_file, libraries), bertviz_script(script)],
        weights=b"".join(weights),
        parcel={
            **parcel,
            "colours": HEADS,
            "choices": [
                {
                    "label": choice.label,
                    "reading": choice.reading,
                    "part": choice.part,
                    "rows": [choice.rows.start, choice.rows.stop],
                    "columns": [choice.columns.start, choice.columns.stop],
                }
                for choice in choices
            ],
            "notes": _notes(parts, choices),
            "parts": [_described(part, start) for part, start in zip(parts, starts, strict=True)],
        },
        theme=theme,
    )


def _described(part: Part, start: int) -> dict[str, Any]:
    return {
        "start": start,
        "layers": part.layers,
        "heads": part.heads,
        "queries": part.queries,
        "keys": part.keys,
        "total_heads": _total_heads(part),
        "width": _model_width(part),
    }


def _total_heads(part: Part) -> int:
    return max(part.attention.heads, _FEWEST_HEADS)


def _model_width(part: Part) -> int:
    pitch = (_MODEL_WIDTH - _MODEL_AXIS) / _total_heads(part)
    detail = _MODEL_AXIS + (len(part.heads) - 0.2) * pitch + _MODEL_PADDING + _DETAIL_WIDTH
    return min(_MODEL_WIDTH, round(detail))


def _model_height(part: Part, choice: Choice) -> int:
    rows = max(len(choice.rows), len(choice.columns))
    thumbnail = rows * 7 * 12 / _total_heads(part) + 2 * _MODEL_PADDING
    return round(max(len(part.layers) * thumbnail + _MODEL_AXIS, rows * _DETAIL_ROW + _DETAIL_HEADING))


def _overhang(columns: Any) -> int:
    """How far the longest token sticks out of bertviz's column, about."""
    return max(0, 8 * max(len(text) for column in columns for text in column) - _HEAD_BOX)


def _title_wraps(title: str) -> str:
    return below(round(8.2 * len(title)) + 40, 20)
