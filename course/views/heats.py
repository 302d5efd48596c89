"""What a grid of heat maps shows: the weights or the signed changes of every head, their scale, and a table.

Numbers travel as one byte each. Weights: round(255 w), off by at most 1/510. Changes: round(127.5 c / scale), from
-127 to 127, where ``scale`` is the largest change there is; 0 stays 0, and a change is off by at most scale / 255,
which is 1/510 of the legend from -scale to +scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course.differences.attention_diff import AttentionDiff
from course.movements import largest, signed
from course.views.selection import Choice, Part, quantised
from course.views.words import focus

LEAST_SCALE = 0.01
"""The scale of changes is never finer than this, so that rounding errors do not look like changes."""
MOST_ROWS = 10
"""The rows of a table."""


class Row(NamedTuple):
    """One row of a table: the positions in the part of layer, head, query and key, and what is printed."""

    place: tuple[int, int, int, int]
    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Heats:
    """``values`` are drawn: of each part, layers x heads x queries x keys, from -scale or 0 to scale.

    Where they are changes, ``before`` are the weights that changed. ``measures`` has a number a head (layers x
    heads), and ``measure`` is its name. ``tables`` has a table for each choice, under ``caption`` and ``columns``.
    """

    values: tuple[Tensor, ...]
    before: tuple[Tensor, ...]
    scale: float
    measure: str
    measures: tuple[Tensor, ...]
    caption: str
    columns: tuple[str, ...]
    tables: tuple[tuple[Row, ...], ...]

    @property
    def signed(self) -> bool:
        """The values are changes."""
        return bool(self.before)

    @property
    def ticks(self) -> tuple[str, ...]:
        """The numbers at the ends of the scale, and 0."""
        return (signed(-self.scale, 3), "0", signed(self.scale, 3)) if self.signed else ("0", "1")

    @property
    def scale_words(self) -> str:
        """The scale for those who do not see it."""
        if not self.signed:
            return "Colours from weight 0 to weight 1"
        return f"Colours from change {self.ticks[0]}, blue, over 0 to {self.ticks[2]}, orange"

    @property
    def digits(self) -> int:
        """Decimals of a change that was a byte: as many as leave its error under half of the last one."""
        return 2 if self.scale / 255 > 0.0005 else 3

    @cached_property
    def steps(self) -> tuple[NDArray[Any], ...]:
        """The values of each part as bytes: of weights from 0 to 255, of changes from -127 to 127."""
        if not self.signed:
            return tuple(quantised(weights) for weights in self.values)
        return tuple(signed_bytes(change, self.scale) for change in self.values)

    def planes(self) -> list[bytes]:
        """The bytes of each part; the weights before come before the changes."""
        before = [quantised(weights).tobytes() for weights in self.before] or [b""] * len(self.steps)
        return [weights + steps.tobytes() for weights, steps in zip(before, self.steps, strict=True)]


def heats_of_weights(parts: Sequence[Part], choices: Sequence[Choice]) -> Heats:
    """Plain weights on a scale from 0 to 1, and the strongest links."""
    return Heats(
        values=tuple(part.weights for part in parts),
        before=(),
        scale=1.0,
        measure="focus",
        measures=tuple(focus(part.weights) for part in parts),
        caption="Strongest links",
        columns=("Layer·head", "Query → key", "weight"),
        tables=tuple(_strongest(parts[choice.part], choice) for choice in choices),
    )


def heats_of_changes(parts: Sequence[Part], differences: Sequence[AttentionDiff], choices: Sequence[Choice]) -> Heats:
    """Changes on one scale for all parts, layers and heads, and what moved most; ``parts`` are those before."""
    changes, variations = (
        tuple(
            getattr(difference, name)[list(part.layers)][:, list(part.heads)]
            for part, difference in zip(parts, differences, strict=True)
        )
        for name in ("change", "total_variation")
    )
    return Heats(
        values=changes,
        before=tuple(part.weights for part in parts),
        scale=max(LEAST_SCALE, *(float(change.abs().max()) for change in changes)),
        measure="total variation",
        measures=variations,
        caption="What moved most",
        columns=("Layer·head", "Query → key", "before", "after", "change"),
        tables=tuple(_moved(parts[choice.part], differences[choice.part], choice) for choice in choices),
    )


def signed_bytes(change: Tensor, scale: float) -> NDArray[np.int8]:
    """Changes from -scale to scale as one signed byte each; off by at most scale / 255, and 0 stays 0."""
    steps: NDArray[np.int8] = change.mul(127.5 / scale).round_().clamp_(-127, 127).to(torch.int8).numpy()
    return steps


def _moved(part: Part, difference: AttentionDiff, choice: Choice) -> tuple[Row, ...]:
    found = difference.moved(MOST_ROWS, layers=part.layers, heads=part.heads, rows=choice.rows, columns=choice.columns)
    return tuple(
        Row(
            (part.layers.index(one.layer), part.heads.index(one.head), one.row, one.column),
            (
                f"{one.layer}·{one.head}",
                f"{part.queries[one.row]} → {part.keys[one.column]}",
                f"{one.before:.3f}",
                f"{one.after:.3f}",
                signed(one.change, 3),
            ),
        )
        for one in found
    )


def _strongest(part: Part, choice: Choice) -> tuple[Row, ...]:
    weights = part.weights[:, :, choice.rows.start : choice.rows.stop, choice.columns.start : choice.columns.stop]
    peaks = torch.from_numpy(weights.numpy().max(-1))
    rows = sorted(largest(peaks, MOST_ROWS))  # in which the largest of all must be
    found = []
    for i, key in largest(torch.stack([weights[row] for row in rows]), MOST_ROWS) if rows else []:
        layer, head, query = rows[i]
        row, column = choice.rows[query], choice.columns[key]
        where, tokens = f"{part.layers[layer]}·{part.heads[head]}", f"{part.queries[row]} → {part.keys[column]}"
        found.append(Row((layer, head, row, column), (where, tokens, f"{float(weights[layer, head, query, key]):.3f}")))
    return tuple(found)
