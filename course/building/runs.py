"""What came of running a draft: records that need nothing of what runs it, which takes long to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode

from course.building.needs import Reads
from course.building.notebooks import Draft
from course.building.problems import Problem


@dataclass(frozen=True)
class Run:
    """An executed notebook, scrubbed, and what went wrong in it.

    ``seconds`` are those of its cells by id, and ``memory`` the most bytes that its kernel held; both differ from
    run to run.
    """

    draft: Draft
    notebook: NotebookNode
    problems: tuple[Problem, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    memory: int = 0


@dataclass(frozen=True)
class Comparison:
    """How many code cells were compared, and how many were not, by reason."""

    compared: int
    skipped: dict[str, int]
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.skipped.items())
        return f"{self.compared} cells compared, {sum(self.skipped.values())} not" + (
            f" ({reasons})" if reasons else ""
        )


@dataclass(frozen=True)
class Executed:
    """An executed draft: its outputs by cell id, what went wrong, what it read, and what it took."""

    outputs: bytes
    problems: tuple[Problem, ...]
    reads: Reads
    seconds: float
    slowest: tuple[tuple[int, float], ...] = ()
    """The line and seconds of the slowest cells, the slowest first."""
    memory: int = 0
    """The most bytes that its kernel held."""
    in_cells: float = 0.0
    """Seconds that its cells took."""


@dataclass(frozen=True)
class Compared:
    """A second run, compared with the first."""

    comparison: Comparison
    reads: Reads
    seconds: float
