"""Sheets: tables whose cells hold a word or a number and a colour; what the pictures of a lens are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from course.views.view import ViewError

MOST_COLUMNS = 40
"""The columns of a sheet, where the caller did not choose them: of more positions, the last are shown."""


class Cell(NamedTuple):
    """One cell: its ``text``, how much of the colour it has (``share``, 0 to 1), and the sentence ``said`` about it."""

    text: str
    share: float
    said: str


@dataclass(frozen=True)
class Sheet:
    """A table: ``cells`` are rows x columns, and ``name`` is what a reader chooses it by.

    ``ticks`` are what no colour and all of it mean, and ``meaning`` what the colour is of. ``across`` says what the
    columns are.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    ticks: tuple[str, str]
    meaning: str
    across: str

    def __post_init__(self) -> None:
        if not self.rows or not self.columns or {len(row) for row in self.cells} != {len(self.columns)}:
            raise ViewError(f"{self.name}: every row needs {len(self.columns)} cells, one for each column")
        if any(not 0 <= cell.share <= 1 for row in self.cells for cell in row):  # nor is NaN
            raise ViewError(f"{self.name}: every cell needs a share from 0 to 1")


def rank_share(rank: int, size: int) -> float:
    """1 for the first rank, 0 for the last of ``size``, and in between by its logarithm."""
    return 1.0 if size < 2 else max(0.0, 1 - math.log(rank) / math.log(size))


def shown_positions(count: int, positions: Sequence[int] | None) -> tuple[tuple[int, ...], list[str]]:
    """The positions to be shown, and what has to be said about those that are not.

    Raises ViewError for positions that there are not, none, or one twice.
    """
    if positions is None:
        first = max(0, count - MOST_COLUMNS)
        note = f"Of {count} tokens the last {count - first} are shown; choose others with positions=."
        return tuple(range(first, count)), [note] if first else []
    given = tuple(positions)
    wrong = [one for one in given if isinstance(one, bool) or not isinstance(one, int) or not -count <= one < count]
    if not given or wrong:
        what = f"no position {wrong[0]!r}" if wrong else "nothing to show"
        raise ViewError(f"there is {what}: give positions from 0 to {count - 1}, such as range({min(count, 10)})")
    found = tuple(one % count for one in given)
    if len(set(found)) < len(found):
        raise ViewError(f"positions {list(given)} name one twice")
    return found, [] if len(found) == count else [f"{len(found)} of {count} tokens are shown."]
