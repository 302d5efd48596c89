"""Run a draft with papermill, and keep nothing of the machine it ran on."""

from __future__ import annotations

import logging
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.building.kernels import KERNEL, give_up, private_folder
from course.building.limits import LESSON_SECONDS, ending
from course.building.notebooks import INJECTED, Draft
from course.building.percent import Cell
from course.building.problems import Problem
from course.building.progress import Progress
from course.building.runs import Run

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"Cell In\[\d+\], line (\d+)")
_NO_KERNEL = Problem("", 0, "no kernel")


def run(draft: Draft, *, parameters: dict[str, Any], timeout: float) -> Run:
    """Execute all cells in a new kernel; a failing cell stops the run and becomes a problem with its line.

    ``timeout`` is the limit in seconds for one cell where the lesson's header sets none. ``parameters`` are
    injected by papermill after the parameters cell; none are injected where the lesson's own values stand.
    A run whose kernel could not be started, or was lost with its template, is made once more, with an ordinary kernel.
    """
    header = draft.lesson.header
    environment = private_folder()
    with tempfile.TemporaryDirectory(prefix="run-", dir=environment) as folder:
        for again in (False, True):
            progress = Progress(header.cell_seconds or timeout, header.lesson_seconds or LESSON_SECONDS)
            failure = _execute(draft, parameters, progress, Path(folder, f"work{again:d}"))
            if failure is not _NO_KERNEL or again or private_folder() != environment:  # it was closed meanwhile
                break
            give_up("a kernel did not start, or was lost with its template")
    if failure is _NO_KERNEL:
        failure = draft.placed[0].cell.problem("no kernel could be started for this lesson")
    scrubbed = _scrub(progress.notebook or draft.notebook(), draft)
    problems = [failure] if failure else []
    problems += [*_errors(draft, scrubbed), *_debris(draft, scrubbed, (folder, str(Path.home()), sys.prefix))]
    memory = progress.provisioner.watch.peak if progress.provisioner else 0
    return Run(draft, scrubbed, tuple(problems or _never_run(draft, scrubbed)), dict(progress.seconds), memory)


def _execute(draft: Draft, parameters: dict[str, Any], progress: Progress, work: Path) -> Problem | None:
    """Fill in ``progress``; returns what stopped the run, other than an exception in a cell, or _NO_KERNEL."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    from course.building.engine import ENGINE

    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    work.mkdir()
    told = ""
    try:
        papermill.execute_notebook(
            draft.notebook(), None, parameters=parameters, kernel_name=KERNEL, engine_name=ENGINE, progress_bar=False,
            log_output=False, progress=progress, folder=str(work),
        )  # fmt: skip
    except papermill.PapermillExecutionError:
        pass  # the failing cell is in the notebook, with its traceback
    except CellTimeoutError as error:
        told = progress.overtime() if "IOPub" not in str(error) else "this cell's output broke off"
    except (DeadKernelError, RuntimeError) as error:
        if progress.provisioner is None or getattr(progress.provisioner.launched, "lost", False):
            return _NO_KERNEL
        code = progress.provisioner.launched.poll()
        told = f"the kernel {ending(code)}" if code is not None else f"this cell lost its kernel: {error}"
    told = progress.stopped or (progress.provisioner and progress.provisioner.watch.reason) or told
    if progress.left:
        return _cell(draft, progress.left).problem("this cell asks its kernel to exit")
    return _cell(draft, progress.stopped_at or progress.at).problem(told) if told else None


def _cell(draft: Draft, cell_id: str) -> Cell:
    """The cell with this id, or the first that is code: parameters that papermill injected have none here."""
    place = draft.at(cell_id) or next(place for place in draft.placed if place.cell.kind == "code")
    return place.cell


def _scrub(notebook: NotebookNode, draft: Draft) -> NotebookNode:
    """Without papermill's paths, dates and markers; metadata and ids as the draft has them."""
    wanted = draft.notebook()
    metadata = {cell.id: cell.metadata for cell in wanted.cells}
    cells = []
    for cell in notebook.cells:
        if cell.id in metadata:
            cell.metadata = metadata[cell.id]
        elif INJECTED in cell.metadata.get("tags", []):
            cell.id, cell.metadata = INJECTED, nbformat.from_dict({"tags": [INJECTED]})
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
