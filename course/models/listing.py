"""catalogue(): what can be loaded, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from course.models.catalogue import read_catalogue
from course.models.entries import Entry
from course.models.errors import ModelError

COLUMNS = ("role", "profile", "task", "architecture", "size", "languages", "licence", "stages", "scores")


@dataclass(frozen=True, repr=False)
class Catalogue:
    """The entries of a catalogue, one for each role and profile; shows itself as a table.

    ``size`` is that of the weights alone; an adapter's is followed by the role whose weights it needs besides.
    """

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __repr__(self) -> str:
        rows = [COLUMNS, *map(_cells, self.entries)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        style = ' style="text-align:left"'
        head = "".join(f"<th{style}>{name}</th>" for name in COLUMNS)
        body = "".join(
            f"<tr>{''.join(f'<td{style}>{escape(cell)}</td>' for cell in _cells(entry))}</tr>" for entry in self.entries
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def to_frame(self) -> Any:
        """A pandas DataFrame of the same columns, with sizes in bytes; raises ModelError without pandas."""
        try:
            pandas: Any = import_module("pandas")
        except ModuleNotFoundError:
            raise ModelError("pandas is not installed; pip install pandas, or iterate over the catalogue") from None
        frame = pandas.DataFrame([_cells(entry) for entry in self.entries], columns=list(COLUMNS))
        return frame.assign(size=[entry.size for entry in self.entries])


def catalogue(path: str | Path | None = None) -> Catalogue:
    """Every model that `load` knows, as a table: role, profile, task, size, licence, stages and scores.

    ``path`` is that of another catalogue file. Raises ModelError when it cannot be read.

    >>> print(catalogue().entries[0].name)
    minilm (shipped)
    """
    return Catalogue(tuple(entry for role in read_catalogue(path).values() for entry in role.entries))


def spoken(size: int) -> str:
    """A number of bytes for people, such as 90.9 MB."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _cells(entry: Entry) -> tuple[str, ...]:
    base = f" + {entry.base.role}" if entry.base else ""
    return (
        entry.role,
        entry.profile,
        entry.task,
        entry.architecture,
        spoken(entry.size) + base,
        " ".join(entry.languages),
        entry.licence,
        " ".join(entry.stages),
        "; ".join(map(str, entry.scores)),
    )
