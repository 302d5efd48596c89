"""The page of heat maps: a small one for every head, of weights or of signed changes, and one of them opened.

Weights and changes travel as bytes, with errors stated in `course.views.heats`. The weight after a change is printed
as before + change, so it is off by at most 1/510 + scale / 255 (0.006 at worst) before it is rounded to two decimals.
Each number is rounded by itself, so that the last digits may miss their sum by one. The numbers of the table come from
the record and are exact to the digits shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from course.views.heats import Heats, Row
from course.views.libraries import own_file
from course.views.page import frame_page
from course.views.room import Page, below, legend_height, lines_of, stepwise, title_height
from course.views.selection import Choice, Part, selects_of

_COLOURS = "Blue: the weight became smaller; orange: it became larger. All heads have one scale."
_HOW = (
    "Each square is a head: rows of squares are layers, columns are heads; within a square queries run down and keys "
    "across. Open a head with a click or with Enter. In it, point at a cell or move with the arrow keys to read its "
    "numbers; Escape goes back."
)
_POOLED = "Where a square has fewer points than cells, each point shows the strongest of its cells."

# From grid.css and frame.css, in CSS pixels.
_WIDE, _ACROSS, _BELOW, _PADDING = 860, 24, 16, 24
_LEFT = 5 / 11  # the share of heads and table, the opened head has the rest
_FRAME, _CONTROLS, _SELECT = 38, 38, 34
_AXIS, _CELLS, _CELL_FROM, _CELL_TO = 24, 30, 22, 64
_HEAD_TOOLS, _LABELS, _LARGEST = 66, 108, 28
_TABLE_ROW, _TABLE_LINE, _TABLE_TOP, _TABLE_NUMBERS, _LETTER = 9, 18, 52, (76, 50, 50, 58), 7.5
_ORDINARY_WIDTH = 960


def grid_page(
    title: str,
    parts: Sequence[Part],
    choices: Sequence[Choice],
    first: int,
    heats: Heats,
    *,
    why: str,
    notes: Mapping[str, Sequence[str]],
    theme: str,
) -> Page:
    """The page that shows ``heats``, beginning with the choice ``first``.

    ``why`` is said first, if anything; ``notes`` are what to know of each reading.
    """
    legend = [*([why] if why else []), *([_COLOURS] if heats.signed else []), _HOW, f"{_POOLED} {_honesty(heats)}"]
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[own_file("grid.js")],
        weights=b"".join(heats.planes()),
        parcel={
            "view": "grid",
            "style": own_file("grid.css"),
            "signed": heats.signed,
            "scale": heats.scale,
            "digits": heats.digits,
            "ticks": heats.ticks,
            "scale_words": heats.scale_words,
            "measure": heats.measure,
            "caption": heats.caption,
            "columns": heats.columns,
            "choice": first,
            "notes": notes,
            "choices": [_described(choice, table) for choice, table in zip(choices, heats.tables, strict=True)],
            "parts": _carried(parts, heats),
        },
        theme=theme,
    )
    longest = max(notes.values(), key=lambda lines: len("".join(lines)))
    texts = [*legend, *longest]
    return page, _ordinary_height(title, texts, parts, choices, heats), _height(title, texts, parts, choices, heats)


def _honesty(heats: Heats) -> str:
    if not heats.signed:
        return "What is read out is off by at most 0.002, and rounded; the table is exact."
    error = heats.scale / 255
    return (
        f"What is read out is rounded: the weight before is off by at most 0.002, the change by {error:.4f}; the table "
        "is exact."
    )


def _described(choice: Choice, table: Sequence[Row]) -> dict[str, Any]:
    return {
        "label": choice.label,
        "reading": choice.reading,
        "part": choice.part,
        "rows": [choice.rows.start, choice.rows.stop],
        "columns": [choice.columns.start, choice.columns.stop],
        "table": [row._asdict() for row in table],
    }


def _carried(parts: Sequence[Part], heats: Heats) -> list[dict[str, Any]]:
    sizes = [values.numel() * (1 + heats.signed) for values in heats.values]
    return [
        {
            "start": sum(sizes[:i]),
            "layers": part.layers,
            "heads": part.heads,
            "queries": part.queries,
            "keys": part.keys,
            "measures": [[f"{value:.2f}" for value in row] for row in heats.measures[i].tolist()],
        }
        for i, part in enumerate(parts)
    ]


def _height(title: str, legend: Sequence[str], parts: Sequence[Part], choices: Sequence[Choice], heats: Heats) -> str:
    """Room for the text, and for heads and table on the left, the opened head on the right; below each other on
    narrow screens.
    """
    words = f"{_FRAME + _CONTROLS}px + {title_height(title)} + {legend_height(legend)}"
    words += f" + {below(560, _SELECT * selects_of(choices))}"
    whole, wide = f"(100cqw - {_PADDING}px)", f"(100cqw - {_PADDING + _ACROSS}px)"
    left, right = (
        f"({wide} * {share:.4f} + {below(_WIDE, f'{whole} - {wide} * {share:.4f}')})" for share in (_LEFT, 1 - _LEFT)
    )
    grids = {
        f"{_AXIS}px + {len(part.layers)} * "
        f"clamp({_CELL_FROM}px, ({left} - {_CELLS}px) / {len(part.heads)}, {_CELL_TO}px)"
        for part in parts
    }
    heads = f"max({', '.join(sorted(grids))}) + {_BELOW}px + {stepwise(lambda width: _table_height(heats, width))}"
    longest = _LARGEST * max(len(choice.rows) for choice in choices)
    head = f"{_HEAD_TOOLS + _LABELS}px + min({longest}px, max({right} - 100px, 240px)) + {below(480, 60)}"
    return f"calc({words} + max({heads}, {head}) + {below(_WIDE, f'min({heads}, {head}) + {_BELOW}px')})"


def _ordinary_height(
    title: str, legend: Sequence[str], parts: Sequence[Part], choices: Sequence[Choice], heats: Heats
) -> int:
    """The same in pixels for an output of ordinary width, for browsers that do not know cqw."""
    room = _ORDINARY_WIDTH - _PADDING - _ACROSS
    cells = round(_LEFT * room) - _CELLS
    heads = max(_AXIS + len(part.layers) * max(_CELL_FROM, min(_CELL_TO, cells // len(part.heads))) for part in parts)
    heads += _BELOW + _table_height(heats, _ORDINARY_WIDTH)
    longest = _LARGEST * max(len(choice.rows) for choice in choices)
    head = _HEAD_TOOLS + _LABELS + min(longest, round((1 - _LEFT) * room) - 100)
    text = 20 * (1 + len(title) // 110) + sum(4 + 18 * (1 + len(line) // 140) for line in legend)
    return _FRAME + _CONTROLS + text + max(heads, head)


def _table_height(heats: Heats, width: int) -> int:
    """The longest of the tables, where long tokens wrap."""
    whole = width - _PADDING if width <= _WIDE else _LEFT * (width - _PADDING - _ACROSS)
    room = whole - sum(_TABLE_NUMBERS[: len(heats.columns) - 1])
    return _TABLE_TOP + max(
        sum(_TABLE_ROW + _TABLE_LINE * lines_of(row.cells[1], room, _LETTER) for row in table) for table in heats.tables
    )
