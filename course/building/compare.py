"""nbval: run the solution a second time and compare every output with the stored one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from nbformat import NotebookNode

from course.building.forks import Fork
from course.building.kernels import (
    CHECKS,
    KERNEL,
    fallbacks,
    give_up,
    own_variables,
    private_folder,
    still_open,
    try_to_fork,
)
from course.building.limits import LESSON_SECONDS, MEMORY_BYTES, STARTING_SECONDS, Watch
from course.building.notebooks import to_text
from course.building.runs import Comparison, Run

_NOT_COMPARED = {
    "image/png",
    "image/jpeg",
}  # nbval leaves pictures out without nbdime; their HTML twin is compared
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def compare(run: Run, *, timeout: float) -> Comparison:
    """Compare the executed notebook with a second run of it, cell by cell.

    ``timeout`` is the limit in seconds for one cell where the lesson's header sets none. Nothing compared is a
    problem of its own: "all equal" about nothing says nothing. As in `run`, only what befell the kernels
    themselves makes it try again.
    """
    code = [cell for cell in run.notebook.cells if cell.cell_type == "code"]
    reasons = [_why_not(cell) for cell in code]
    first = run.draft.placed[0].cell
    environment = private_folder()
    for again in (False, True):
        before = fallbacks()
        with tempfile.TemporaryDirectory(prefix="nbval-", dir=private_folder()) as folder:
            ended, said = _nbval(run, Path(folder), timeout)
            results = _results(Path(folder, "report.xml"))
        if ended == 0 or again or fallbacks() == before or private_folder() != environment:
            break
    if ended not in (0, 1) or len(results) != len(code):
        message = f"nbval could not compare this lesson: {len(results)} of {len(code)} cells reported. {said}"
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


def _nbval(run: Run, folder: Path, timeout: float) -> tuple[int | None, str]:
    """Run nbval in ``folder``: pytest's exit code, None where it took too long, and the end of what it said."""
    header = run.draft.lesson.header
    (folder / "lesson.ipynb").write_text(to_text(run.notebook), encoding="utf-8")
    arguments = [
        "pytest", "-p", "course.building.spared", "-p", "nbval.plugin", "-p", "course.building.second_run", "--nbval",
        f"--nbval-kernel-name={KERNEL}", f"--nbval-cell-timeout={header.cell_seconds or timeout}",
        f"--rootdir={folder}", "-c", os.devnull, "-p", "no:cacheprovider", "-q", "--color=no",
        f"--junitxml={folder / 'report.xml'}", str(folder / "lesson.ipynb"),
    ]  # fmt: skip
    # A caller's own pytest settings and plugins must not choose what is compared.
    env = {name: value for name, value in own_variables().items() if not name.startswith("PYTEST_")}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with (folder / "said.txt").open("w+", encoding="utf-8", errors="replace") as said:
        output = (said.fileno(), said.fileno())
        process: Fork | subprocess.Popen[bytes] | None = try_to_fork(
            CHECKS, arguments, env=env, cwd=folder, output=output
        )
        if process is None:
            with still_open():
                process = subprocess.Popen(
                    [sys.executable, "-m", *arguments], cwd=folder, env=env, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                )  # fmt: skip
        watch = Watch(process.pid, 2 * MEMORY_BYTES)  # an ordinary kernel is within, and its own watch names the cell
        watch.start()
        try:
            ended = process.wait((header.lesson_seconds or LESSON_SECONDS) + STARTING_SECONDS)
        except subprocess.TimeoutExpired:
            ended = None
        finally:
            process.kill()
            watch.close()
            process.wait()
        if isinstance(process, Fork) and process.lost:
            give_up("the template of the second runs died")
        said.seek(0)
        return ended, "It took too long." if ended is None else said.read()[-400:]


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
