"""The build beside papermill, nbval and nbconvert as their documentation says to run them, on the same notebooks.

    python benchmarks/build.py whole [LESSON ...] [--rounds 1]   a clean build of the course, or of these lessons
    python benchmarks/build.py edited LESSON [--rounds 3]        one lesson whose code, and then whose prose, was edited
    python benchmarks/build.py idle [--lessons 500]              nothing changed; --help and list
    python benchmarks/build.py growth [--lessons 10 50 250]      clean, one of them edited, nothing changed

The peer's pipeline takes each lesson's notebooks by hand, one after the other: ``papermill`` for the student's, the
solution and the wrong answers, ``pytest --nbval`` for the second run of the solution, ``jupyter nbconvert`` for the
page. Ours is ``build.py`` in a folder with nothing but the lessons. Rounds are taken in turn, and both are given by
the clock and in processor time, which a busy machine changes less; medians over the rounds. Beside them stands the
least that any build could take: the cells' own seconds divided by the cores, and the start of the template.

``edited`` takes each edit twice: by ``build.py --watch``, until its server shows the new page and until it says that
all is built, and by a build that starts for it. Their peer is one plain papermill run of the lesson's solution.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import synthetic

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from pathlib import Path; from course.building.cli import main; sys.exit(main(root=Path.cwd()))"
CORES = len(os.sched_getaffinity(0))
Took = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    whole_ = kinds.add_parser("whole")
    whole_.add_argument("only", nargs="*")
    whole_.add_argument("--rounds", type=int, default=1)
    edited_ = kinds.add_parser("edited")
    edited_.add_argument("only")
    edited_.add_argument("--rounds", type=int, default=3)
    kinds.add_parser("idle").add_argument("--lessons", type=int, default=500)
    kinds.add_parser("growth").add_argument("--lessons", type=int, nargs="+", default=[10, 50, 250])
    given = parser.parse_args()
    print(f"{CORES} cores; load now {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory() as folder:
        if given.kind == "whole":
            whole(Path(folder), given.only, given.rounds)
        elif given.kind == "edited":
            edited(Path(folder), given.only, given.rounds)
        elif given.kind == "idle":
            idle(Path(folder), given.lessons)
        else:
            growth(Path(folder), given.lessons)


def whole(folder: Path, only: Sequence[str], rounds: int) -> None:
    written = notebooks(only, folder / "peer")
    ours: list[Took] = []
    peers: list[Took] = []
    for number in range(rounds):
        course = copy(folder / f"ours{number}", only)
        ours.append(timed(lambda course=course: build(course)))
        peers.append(timed(lambda: [peer(sources) for sources in written]))
    show(f"{len(written)} lessons, clean", ours, peers)
    report = json.loads((course / "build" / "report.json").read_text(encoding="utf-8"))
    cells = sum(lesson["in_cells"] * (1 + solution_share(lesson["ran"])) for lesson in report["lessons"])
    start = template_start(course)
    least = cells / CORES + start
    print(f"cells took {cells:.1f} s, by cores {cells / CORES:.1f} s; the template starts in {start:.1f} s")
    print(f"ours / (cells by cores + template): {statistics.median(took for took, _ in ours) / least:.2f}")


def solution_share(ran: Mapping[str, float]) -> float:
    """Of the seconds of the runs whose cells are timed; the second run, whose cells are not, takes as much again."""
    return ran["solution"] / (ran["student"] + ran["solution"] + ran["wrong answers"])


def edited(folder: Path, only: str, rounds: int) -> None:
    course = copy(folder / "ours", [])
    ((_, solution, _),) = notebooks([only], folder / "peer")
    build(course, "--only", only)
    (lesson,) = (course / "lessons").glob(f"{only}*.py")
    took: dict[str, list[float]] = {}
    plain: list[float] = []
    for number in range(rounds):
        edits = {"code": f"# %%\nedited = {{}}, {number}\n", "prose": f"# %% [markdown]\n# Edit {{}} {number}.\n"}
        with watching(course, lesson.stem) as follow:
            for kind, cell in edits.items():
                shown, built = follow(lambda cell=cell: append(lesson, cell.format(1)))
                took.setdefault(f"{kind}, shown", []).append(shown)
                took.setdefault(f"{kind}, watched", []).append(built)
        for kind, cell in edits.items():
            append(lesson, cell.format(2))
            took.setdefault(f"{kind}, built", []).append(clocked(lambda: build(course, "--only", only)))
        plain.append(clocked(lambda: papermill(solution)))
    peer_took = statistics.median(plain)
    print(f"{lesson.stem} edited ({rounds} rounds); one plain papermill run of its solution takes {peer_took:.1f} s")
    for kind, seconds in took.items():
        ours = statistics.median(seconds)
        print(f"  {kind:16} {ours:6.1f} s, {ours / peer_took:.2f} of papermill's")


def append(lesson: Path, cell: str) -> None:
    whole = lesson.read_text(encoding="utf-8") + f"\n{cell}"
    beside = lesson.with_name(f".{lesson.name}")  # as editors save
    beside.write_text(whole, encoding="utf-8")
    beside.replace(lesson)


@contextmanager
def watching(course: Path, lesson: str) -> Iterator[Callable[[Callable[[], None]], Took]]:
    """A watch that has built all. What is yielded makes an edit, and gives the seconds until its page is shown and
    until all is built again.
    """
    command = [sys.executable, "-c", BUILD, "--watch", "--only", lesson]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=course, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines = process.stdout

    address = re.findall(r"http://([\w.:]+)/", next(lines))[0]

    def built() -> None:
        line = next(line for line in lines if re.match(r"\d+ lessons passed", line))
        assert " 0 failed" in line, line

    def shown() -> str | None:
        connection = http.client.HTTPConnection(address)
        connection.request("HEAD", f"/{lesson}.html")
        tag = connection.getresponse().headers["ETag"]
        connection.close()
        return tag

    def follow(edit: Callable[[], None]) -> Took:
        before = shown()
        edit()
        start = time.perf_counter()
        while shown() == before:
            time.sleep(0.02)
        seen = time.perf_counter() - start
        built()
        return seen, time.perf_counter() - start

    try:
        built()
        time.sleep(10)  # templates are ready
        yield follow
    finally:
        process.terminate()
        process.wait()


def idle(folder: Path, lessons: int) -> None:
    for name, course in (
        ("the course", copy(folder / "course", [])),
        (f"{lessons} lessons", synthetic.write(folder / "synthetic", lessons)),
    ):
        clock, _ = timed(lambda course=course: build(course))
        print(f"{name}: clean {clock:.1f} s")
        for arguments in ([], ["--help"], ["list"]):
            took = [timed(lambda course=course, arguments=arguments: build(course, *arguments)) for _ in range(5)]
            clock, processor = map(statistics.median, zip(*took, strict=True))
            print(f"  {' '.join(arguments) or 'nothing changed':16} {clock:6.2f} s, processor {processor:6.2f} s")


def growth(folder: Path, sizes: Sequence[int]) -> None:
    print(f"{'lessons':>8} {'clean':>9} {'a lesson':>9} {'one edited':>11} {'nothing':>9}   (seconds by the clock)")
    for size in sizes:
        course = synthetic.write(folder / str(size), size)
        clean, _ = timed(lambda course=course: build(course))
        lesson = min((course / "lessons").glob("*.py"))
        lesson.write_text(lesson.read_text(encoding="utf-8").replace("the cat", "the dog"), encoding="utf-8")
        one, _ = timed(lambda course=course: build(course))
        nothing, _ = timed(lambda course=course: build(course))
        print(f"{size:8} {clean:9.1f} {clean / size:9.2f} {one:11.1f} {nothing:9.2f}")


def show(what: str, ours: Sequence[Took], peers: Sequence[Took]) -> None:
    mine, theirs = ([statistics.median(column) for column in zip(*took, strict=True)] for took in (ours, peers))
    print(f"{what} ({len(ours)} rounds)")
    for name, (clock, processor) in (("ours", mine), ("peer", theirs)):
        print(f"  {name:12} {clock:8.1f} s, processor {processor:8.1f} s")
    print(f"  peer / ours {theirs[0] / mine[0]:9.1f}×, processor {theirs[1] / mine[1]:9.1f}×")


def clocked(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def timed(call: Callable[[], object]) -> Took:
    """Seconds by the clock, and of processor time of all processes that the call started and waited for."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def build(course: Path, *arguments: str) -> None:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, *arguments], cwd=course, env=os.environ | {"PYTHONPATH": paths},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def template_start(course: Path) -> float:
    """Seconds until a template of the kernels of all lessons answers."""
    from course.building.forks import fork
    from course.building.imports import common
    from course.building.kernels import kernel_environment, private_folder
    from course.building.lesson import parse_lesson, read_sources
    from course.building.notebooks import solution, student, trial

    sources = read_sources(course)
    lessons = [parse_lesson(sources[name], list(sources)) for name in sources]
    start = time.perf_counter()
    names = common([make(lesson) for lesson in lessons for make in (student, solution, trial)])
    with kernel_environment(offline=True, warm=names):
        folder = private_folder()
        assert folder
        fork(folder / "kernels.socket", ["keyword"], env=dict(os.environ), cwd=folder).wait()
        return time.perf_counter() - start


def notebooks(only: Sequence[str], folder: Path) -> list[list[Path]]:
    """For each lesson: the student's notebook, the solution and the wrong answers, not yet executed."""
    from course.building.assemble import pick
    from course.building.lesson import parse_lesson, read_sources
    from course.building.notebooks import solution, student, to_text, trial

    folder.mkdir()
    sources, written = read_sources(ROOT), []
    for name in pick(list(sources), only):
        lesson = parse_lesson(sources[name], list(sources))
        drafts = {"student": student(lesson), "solution": solution(lesson), "trial": trial(lesson)}
        written.append([folder / f"{lesson.name}-{kind}.ipynb" for kind in drafts])
        for place, draft in zip(written[-1], drafts.values(), strict=True):
            place.write_text(to_text(draft.notebook()), encoding="utf-8")
    return written


def peer(sources: Sequence[Path]) -> None:
    """Their commands, a notebook at a time."""
    executed = [papermill(source) for source in sources]
    command("pytest", "--nbval", "--nbval-kernel-name=python3", "-c", os.devnull, "-q", executed[1])
    command("jupyter", "nbconvert", "--to", "html", executed[0])


def papermill(source: Path) -> Path:
    target = source.with_suffix(".out.ipynb")
    command("papermill", "-k", "python3", "--no-progress-bar", source, target)
    return target


def command(module: str, *arguments: object) -> None:
    settings = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], env=settings, capture_output=True, check=True)


def copy(course: Path, only: Sequence[str]) -> Path:
    """The sources of the course, or of the lessons whose names begin so."""
    for kind in ("lessons", "solutions"):
        (course / kind).mkdir(parents=True)
        for path in (ROOT / kind).iterdir():
            if path.suffix == ".md" or (path.name.startswith(tuple(only) or "") and path.name[:2].isdigit()):
                shutil.copy(path, course / kind)
    return course


if __name__ == "__main__":
    main()
