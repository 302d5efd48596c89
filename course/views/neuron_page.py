"""The page of a neuron view: what bertviz's script is given, as 16-bit numbers, and how much room it takes.

A number of a vector is carried as a whole number of steps, a step being 1/32,767 of the largest number of its
layer and head: it is off by at most half of that. A weight is carried as round(65,535 w): off by at most 1/131,070.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course.views.libraries import LIBRARIES, bertviz_script, own_file
from course.views.neuron_words import factor_note, pale_note
from course.views.page import frame_page
from course.views.room import Page, below, legend_height, title_height
from course.views.selection import Part
from course.views.vectors import Vectors
from course.views.words import notes

_OWN = ("token_lists.js", "neuron_numbers.js", "neuron_controls.js", "neuron_frame.js")
_VECTOR_STEPS, _WEIGHT_STEPS = 32_767, 65_535

# From bertviz 1.4.1's script, neuron_frame.js and frame.css, in CSS pixels.
_WIDTH, _LEAST, _ROW, _HEADING = 1004, 760, 26, 58
_FRAME, _CONTROLS, _SCALE = 24, 38, 30
_WORDS = _FRAME + 28 + 6 + _CONTROLS + _SCALE + 46  # title, the legend's margin, controls, scale, line of numbers


@dataclass(frozen=True)
class Block:
    """What can be seen at a time: the positions of some queries and keys of the attention number ``part``.

    ``name`` is what ``show=`` takes, ``label`` what the page says.
    """

    name: str
    label: str
    part: int
    rows: Sequence[int]
    columns: Sequence[int]


@dataclass(frozen=True, eq=False)
class Carried:
    """An attention in the page, and its vectors: layers and heads of ``part``, and these queries and keys."""

    part: Part
    vectors: Vectors
    rows: Sequence[int]
    columns: Sequence[int]

    def of(self, tensor: Tensor, tokens: Sequence[int]) -> Tensor:
        """These layers, heads and tokens (on the third axis) only."""
        return tensor[list(self.part.layers)][:, list(self.part.heads)][:, :, list(tokens)]

    @property
    def size(self) -> int:
        """Bytes that it takes before they are packed."""
        rows, columns = len(self.rows), len(self.columns)
        each = rows * columns + (rows + columns) * self.vectors.size
        return 2 * len(self.part.layers) * len(self.part.heads) * each


@dataclass(frozen=True)
class Opening:
    """What is seen first: the position of a block, then a layer, a head, and a query in each block."""

    block: int
    layer: int
    head: int
    queries: tuple[int, ...]


def neuron_page(
    title: str, carried: Sequence[Carried], blocks: Sequence[Block], opening: Opening, *, theme: str, left_out: str
) -> Page:
    """The document, its height in CSS pixels on a wide screen, and its height as a CSS length for any width.

    ``left_out`` says which layers, heads and tokens are not carried, and is empty where all are.
    """
    legend = _legend(carried, left_out)
    pieces = [_packed(each) for each in carried]
    starts = [sum(len(piece) for piece, _ in pieces[:i]) for i in range(len(pieces))]
    libraries = (*LIBRARIES, *_OWN)
    page = frame_page(
        title=title,
        legend=legend,
        layout="above",
        scripts=[*map(own_file, libraries), bertviz_script("neuron_view")],
        weights=b"".join(piece for piece, _ in pieces),
        parcel={
            "choice": opening.block,
            "layer": opening.layer,
            "head": opening.head,
            "choices": [
                _choice(block, query, carried[block.part]) for block, query in zip(blocks, opening.queries, strict=True)
            ],
            "parts": [
                {"start": start, **_described(each), **steps}
                for each, start, (_, steps) in zip(carried, starts, pieces, strict=True)
            ],
        },
        theme=theme,
    )
    rows = max(max(len(each.rows), len(each.columns)) for each in blocks)
    height, fluid = _heights(title, legend, rows, blocks=len(blocks) > 1)
    return page, height, fluid


def _legend(carried: Sequence[Carried], left_out: str) -> list[str]:
    size = carried[0].vectors.size
    factors = [note for each in carried for note in factor_note(each.vectors)]
    return [
        f"A token on the left is a query: its vector q has {size} numbers. It is multiplied, number by number, with "
        f"the vector k of every key. The sum of the products, divided by √{size}, is the score (under q • k); softmax "
        "turns the scores into weights: the more opaque the lines to a key and its shade, the larger its weight.",
        "Blue is positive, orange negative, and the stronger the colour the larger the number. Point at a token, or "
        "go to it with Tab and the arrow keys; Enter shows or hides the vectors. At a key, the left and right arrow "
        "keys go through the dimensions.",
        f"{left_out}Numbers are rounded: in a vector by at most 1/65,534 of the largest of its head, weights by at "
        "most 1/131,070.",
        *dict.fromkeys([*factors, *pale_note([each.vectors for each in carried])]),
        *notes([each.part for each in carried]),
    ]


def _choice(block: Block, query: int, carried: Carried) -> dict[str, Any]:
    # bertviz hides what comes after the query by counting rows, which is right on the diagonal only.
    causal = carried.part.attention.causal and block.rows[0] == block.columns[0]
    rows, columns = (
        [every.index(some[0]), every.index(some[-1]) + 1]
        for every, some in ((carried.rows, block.rows), (carried.columns, block.columns))
    )
    return {
        "label": block.label,
        "part": block.part,
        "rows": rows,
        "columns": columns,
        "causal": causal,
        "query": carried.rows.index(query),
    }


def _described(each: Carried) -> dict[str, Any]:
    part = each.part
    return {
        "layers": part.layers,
        "heads": part.heads,
        "queries": [part.queries[i] for i in each.rows],
        "keys": [part.keys[i] for i in each.columns],
        "size": each.vectors.size,
    }


def _packed(each: Carried) -> tuple[bytes, dict[str, Any]]:
    """Weights, queries and keys one after another, and the steps of the last two; layers x heads."""
    queries, query_steps = _whole(each.of(each.vectors.queries, each.rows))
    keys, key_steps = _whole(each.of(each.vectors.keys, each.columns))
    seen = each.of(each.part.attention.weights, each.rows)[..., list(each.columns)]
    weights = seen.clamp(0, 1).mul(_WEIGHT_STEPS).round().numpy().astype("<u2").tobytes()
    return weights + queries + keys, {"query_steps": query_steps, "key_steps": key_steps}


def _whole(vectors: Tensor) -> tuple[bytes, list[list[float]]]:
    """Vectors as whole numbers of a step that each layer and head has for itself."""
    largest = vectors.double().abs().amax((2, 3))
    steps = torch.where(largest > 0, largest / _VECTOR_STEPS, 1.0)
    whole = (vectors.double() / steps[..., None, None]).round()
    return whole.numpy().astype("<i2").tobytes(), steps.tolist()


def _heights(title: str, legend: Sequence[str], rows: int, *, blocks: bool) -> tuple[int, str]:
    picture = _HEADING + _ROW * rows
    more = [
        title_height(title),
        legend_height(legend),
        below(620 if blocks else 330, _CONTROLS),
        below(440 if blocks else 0, _CONTROLS),
        below(330, _SCALE),
        below(700, 20),  # the line of numbers wraps
        below(480, 40),
        below(_LEAST + _FRAME, 14),  # a bar to scroll the picture with
        f"clamp({_LEAST}px, 100cqw - {_FRAME}px, {_WIDTH}px) * {picture / _WIDTH:.4f}",
    ]
    lines = sum(4 + 18 * (1 + len(line) // 150) for line in legend)
    return _WORDS + lines + picture, f"calc({_WORDS - 20}px + {' + '.join(more)})"
