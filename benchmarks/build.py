"""The build beside papermill, nbval and nbconvert as their documentation says to run them, on the same notebooks.

The peer's pipeline takes each lesson's notebooks by hand: ``papermill`` for the student's, the solution and the wrong
answers, ``pytest --nbval`` for the second run of the solution, ``jupyter nbconvert --to html`` for the page. Ours
executes the same notebooks in kernels forked from a template, runs nbval on the same solution, and renders the
same page. Both start with nothing; imports and the template's start are within our time. Rounds are taken in turn.

Printed for both: seconds by the clock and of processor time (which a busy machine changes less), medians over the
rounds, and their ratios; and the least that any pipeline could take on these cores, the sum of the cells' own
seconds divided by the cores, with what the build takes above it.

    python benchmarks/build.py [--rounds 3] [--without-peer] [LESSON ...]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
SECONDS = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="lessons whose names begin so (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs (default: 3)")
    parser.add_argument("--without-peer", action="store_true", help="our side only")
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        print(f"cells {ours(given.lessons):.3f}")
        return
    with TemporaryDirectory() as folder:
        written = notebooks(given.lessons, Path(folder))
        sides: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}
        cells: list[float] = []
        for _ in range(given.rounds):
            sides["ours"].append(timed(lambda: cells.append(execution(given.lessons))))
            if not given.without_peer:
                sides["peer"].append(timed(lambda: peer(written)))
    show(len(written), sides, statistics.median(cells))


def show(lessons: int, sides: dict[str, list[tuple[float, float]]], cells: float) -> None:
    medians = {name: [statistics.median(column) for column in zip(*took, strict=True)] for name, took in sides.items()}
    print(f"{lessons} lessons, {os.cpu_count()} cores; load now {os.getloadavg()[0]:.1f}")
    print(f"{'':24} {'clock':>10} {'processor':>10}")
    for name, took in medians.items():
        if took:
            print(f"{name:24} {took[0]:8.1f} s {took[1]:8.1f} s")
    if medians["peer"]:
        ratios = [other / own for other, own in zip(medians["peer"], medians["ours"], strict=True)]
        print(f"{'peer / ours':24} {ratios[0]:9.1f}× {ratios[1]:9.1f}×")
    least = cells / (os.cpu_count() or 1)
    print(f"the cells' own seconds: {cells:.1f}, by cores: {least:.1f}; ours / that: {medians['ours'][0] / least:.1f}")


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processor time of all processes that the call started and waited for."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def notebooks(only: Sequence[str], folder: Path) -> list[list[Path]]:
    """For each lesson: the student's notebook, the solution and the wrong answers, not yet executed."""
    from course.building.assemble import pick
    from course.building.lesson import lesson_files, read_lesson
    from course.building.notebooks import solution, student, to_text, trial

    written = []
    for path in pick(lesson_files(ROOT), only):
        lesson = read_lesson(path, ROOT)
        drafts = {"student": student(lesson), "solution": solution(lesson), "trial": trial(lesson)}
        written.append([folder / f"{lesson.name}-{name}.ipynb" for name in drafts])
        for place, draft in zip(written[-1], drafts.values(), strict=True):
            place.write_text(to_text(draft.notebook()), encoding="utf-8")
    return written


def peer(written: Sequence[Sequence[Path]]) -> None:
    """Their commands, a notebook at a time."""
    for sources in written:
        executed = [source.with_suffix(".out.ipynb") for source in sources]
        for source, target in zip(sources, executed, strict=True):
            command("papermill", "-k", "python3", "--no-progress-bar", source, target)
        command("pytest", "--nbval", "--nbval-kernel-name=python3", "-c", os.devnull, "-q", executed[1])
        command("jupyter", "nbconvert", "--to", "html", executed[0])


def command(module: str, *arguments: object) -> None:
    settings = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], env=settings, capture_output=True, check=True)


def execution(only: Sequence[str]) -> float:
    """Our side, in a process of its own; returns the sum of the cells' seconds."""
    done = subprocess.run(
        [sys.executable, __file__, "--ours", *only], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return float(done.stdout.split()[-1])


def ours(only: Sequence[str]) -> float:
    from course.building.assemble import pick
    from course.building.compare import compare
    from course.building.execute import run
    from course.building.imports import imported
    from course.building.kernels import kernel_environment
    from course.building.lesson import lesson_files, read_lesson
    from course.building.notebooks import solution, student, trial
    from course.building.site import lesson_page

    lessons = [read_lesson(path, ROOT) for path in pick(lesson_files(ROOT), only)]
    cells = 0.0
    with kernel_environment(offline=True, warm=imported(lessons), say=lambda line: print(line, file=sys.stderr)):
        for lesson in lessons:
            runs = [run(make(lesson), parameters={}, timeout=SECONDS) for make in (student, solution, trial)]
            compared = compare(runs[1], timeout=SECONDS)
            problems = [problem for found in (*runs, compared) for problem in found.problems]
            assert not problems, problems
            lesson_page(lesson, runs[0].notebook, lessons)
            cells += sum(sum(one.seconds.values()) for one in (*runs, runs[1]))
    return cells


if __name__ == "__main__":
    main()
