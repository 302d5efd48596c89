"""Run a draft with papermill, and keep nothing of the machine it ran on."""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.building.kernels import KERNEL
from course.building.notebooks import Draft
from course.building.problems import Problem

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")
_INJECTED = "injected-parameters"


@dataclass(frozen=True)
class Run:
    """An executed notebook, scrubbed, and what went wrong in it."""

    draft: Draft
    notebook: NotebookNode
    problems: tuple[Problem, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each cell took, by its id."""


def run(draft: Draft, *, parameters: dict[str, Any], timeout: int) -> Run:
    """Execute all cells in a new kernel; a failing cell stops the run and becomes a problem with its line.

    ``timeout`` is the limit in seconds for one cell. ``parameters`` are injected by papermill after the
    parameters cell; none are injected where the lesson's own values stand.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    notebook = draft.notebook()
    failure: Problem | None = None
    with tempfile.TemporaryDirectory(prefix="course-run-") as folder:
        source, target = Path(folder, "in.ipynb"), Path(folder, "out.ipynb")
        nbformat.write(notebook, source)
        (Path(folder) / "work").mkdir()
        try:
            papermill.execute_notebook(
                source, target, parameters=parameters, kernel_name=KERNEL, progress_bar=False, log_output=False,
                cwd=Path(folder) / "work", execution_timeout=timeout,
            )  # fmt: skip
        except papermill.PapermillExecutionError:
            pass  # the failing cell is in the output notebook, with its traceback
        except CellTimeoutError:
            failure = _stopped(draft, target, f"this cell ran longer than {timeout} s")
        except DeadKernelError:
            failure = _stopped(draft, target, "the kernel died in this cell (exit() or out of memory?)")
        executed = nbformat.read(target if target.exists() else source, as_version=4)
    seconds = {cell.id: cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in executed.cells}
    scrubbed = _scrub(executed, draft)
    problems = [failure] if failure else []
    problems += [*_errors(draft, scrubbed), *_debris(draft, scrubbed, (folder, str(Path.home()), sys.prefix))]
    return Run(draft, scrubbed, tuple(problems or _never_run(draft, scrubbed)), seconds)


def _scrub(notebook: NotebookNode, draft: Draft) -> NotebookNode:
    """Without papermill's paths, dates and markers; metadata and ids as the draft has them."""
    wanted = draft.notebook()
    metadata = {cell.id: cell.metadata for cell in wanted.cells}
    cells = []
    for cell in notebook.cells:
        if cell.id in metadata:
            cell.metadata = metadata[cell.id]
        elif _INJECTED in cell.metadata.get("tags", []):
            cell.id, cell.metadata = _INJECTED, nbformat.from_dict({"tags": [_INJECTED]})
        else:
            continue  # a marker that papermill adds above a failing cell
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        cells.append(cell)
    wanted.cells = cells
    return wanted


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Prints that follow each other as one output: when the kernel flushes them is a matter of timing."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _stopped(draft: Draft, target: Path, message: str) -> Problem:
    """The cell that never finished: the last that papermill started."""
    started: set[str] = set()
    if target.exists():
        cells = nbformat.read(target, as_version=4).cells
        started = {cell.id for cell in cells if cell.metadata.get("papermill", {}).get("start_time")}
    code = [place for place in draft.placed if place.cell.kind == "code"]
    place = next((place for place in reversed(code) if place.id in started), code[0])
    return place.cell.problem(message)


def _never_run(draft: Draft, notebook: NotebookNode) -> list[Problem]:
    """Cells that were passed over although nothing failed: what never ran has proven nothing."""
    waiting = {
        cell.id
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip() and not cell.execution_count
    }
    return [place.cell.problem("this cell was never run") for place in draft.placed if place.id in waiting]


def _errors(draft: Draft, notebook: NotebookNode) -> list[Problem]:
    problems = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            place = draft.at(cell.id)
            if output.output_type != "error" or place is None:
                continue
            lines = _LINE.findall(_ANSI.sub("", "\n".join(output.traceback)))
            line = int(lines[0]) if lines else 1
            if output.ename == "SyntaxError":
                line = 1
            problems.append(place.cell.problem(f"{output.ename}: {_ANSI.sub('', output.evalue)}", line_in_cell=line))
    return problems


def _debris(draft: Draft, notebook: NotebookNode, paths: tuple[str, ...]) -> list[Problem]:
    """Warnings on stderr, and paths of this machine, in outputs that students will see."""
    problems = []
    for cell in notebook.cells:
        place = draft.at(cell.id)
        if place is None:
            continue
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                first = output.text.strip().split("\n")[0]
                problems.append(place.cell.problem(f"this cell writes to stderr: {first}"))
            text = str(output.get("text", "")) + str(output.get("data", ""))
            found = next((path for path in paths if len(path) > 1 and f"{path}/" in f"{text}/"), None)
            if found:
                problems.append(place.cell.problem(f"this cell's output shows a path of this machine: {found}"))
    return problems
