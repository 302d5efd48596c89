"""nbval: run the solution a second time and compare every output with the stored one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from nbformat import NotebookNode

from course.building.execute import Run
from course.building.kernels import KERNEL
from course.building.notebooks import to_text
from course.building.problems import Problem

_NOT_COMPARED = {
    "image/png",
    "image/jpeg",
}  # nbval leaves pictures out without nbdime; their HTML twin is compared
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


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


def compare(run: Run, *, timeout: int) -> Comparison:
    """Compare the executed notebook with a second run of it, cell by cell.

    Nothing compared is a problem of its own: "all equal" about nothing says nothing.
    """
    code = [cell for cell in run.notebook.cells if cell.cell_type == "code"]
    reasons = [_why_not(cell) for cell in code]
    with tempfile.TemporaryDirectory(prefix="course-nbval-") as folder:
        notebook, report = Path(folder, "lesson.ipynb"), Path(folder, "report.xml")
        notebook.write_text(to_text(run.notebook), encoding="utf-8")
        command = [
            sys.executable, "-m", "pytest", "--nbval",
            f"--nbval-kernel-name={KERNEL}", f"--nbval-cell-timeout={timeout}",
            f"--rootdir={folder}", "-c", os.devnull, "-p", "no:cacheprovider", "-q", "--color=no",
            f"--junitxml={report}", str(notebook),
        ]  # fmt: skip
        # A caller's own pytest settings must not choose what is compared.
        settings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
        results = _results(report)
    first = run.draft.placed[0].cell
    if done.returncode not in (0, 1) or len(results) != len(code):
        message = (
            f"nbval could not compare this lesson: {len(results)} of {len(code)} cells reported. {done.stdout[-400:]}"
        )
        return Comparison(0, {"not run": len(code)}, (first.problem(message),))
    problems = []
    for cell, failure in zip(code, results, strict=True):
        place = run.draft.at(cell.id)
        if failure is not None:
            problems.append((place.cell if place else first).problem(f"a second run differs: {failure}"))
    compared = sum(reason is None for reason in reasons)
    if not compared:
        problems.append(first.problem("no cell of this lesson has an output that could be compared"))
    return Comparison(compared, dict(Counter(reason for reason in reasons if reason)), tuple(problems))


def _why_not(cell: NotebookNode) -> str | None:
    """None where nbval compares the cell's outputs, else the reason why there is nothing to compare."""
    if not cell.source.strip():
        return "empty"
    if cell.execution_count is None:
        return "never run"
    if not cell.outputs:
        return "without output"
    kinds = {kind for output in cell.outputs for kind in output.get("data", {output.output_type: None})}
    return None if kinds - _NOT_COMPARED else "only a picture"


def _results(report: Path) -> list[str | None]:
    """One entry per code cell, in order: None where it passed, else what nbval said."""
    if not report.exists():
        return []
    results: list[str | None] = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        trouble = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if trouble is None:
            results.append(None)
        else:
            lines = [line.strip() for line in _ANSI.sub("", trouble.text or "").split("\n")]
            said = [line for line in lines if line and not line.startswith(("Notebook cell", "Input:"))]
            results.append(" ".join(said)[:600] or trouble.tag)
    return results
