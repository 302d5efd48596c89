"""The command line of the build; answers --help without importing what builds."""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path


def main(arguments: Sequence[str] | None = None, *, root: Path) -> int:
    """Run ``build.py``; returns the exit code: 0 all passed, 1 something failed, 2 the call was wrong, 130 stopped."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.port and not options.watch:
        parser.error("--port says where --watch serves the pages: give both")
    if options.watch and options.scheduler:
        parser.error("--watch builds on this machine, in kernels that are ready: leave out --scheduler")
    import course.building.spared  # noqa: F401
    from course.building.lock import BusyError
    from course.building.problems import ClusterError, LessonError

    commands = {"list": _list, "check": _check, "why": _why, "new": _new, "clean": _clean, None: _build}
    try:
        with _stopped_by(signal.SIGTERM):
            return int(commands[options.command](options, root))
    except LessonError as error:
        lines = [problem.message if not problem.line else str(problem) for problem in error.problems]
        code = 2
    except (BusyError, ClusterError) as error:
        lines, code = [str(error)], 2
    except ModuleNotFoundError as error:
        extra = "build,cluster" if error.name in ("dask", "distributed") else "build"
        lines, code = [f"{error.name} is not installed: run pip install -c constraints.txt -e '.[{extra}]'"], 2
    except KeyboardInterrupt:
        lines, code = ["stopped; what was written is complete"], 130
    except BrokenPipeError:  # read by a program that stops reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _DISK:
            raise
        where = f" at {error.filename}" if error.filename else ""
        lines, code = [f"{_DISK[error.errno]}{where}, and build again; what was written is complete"], 1
    print(*lines, sep="\n", file=sys.stderr)
    return code


_DISK = {
    errno.ENOSPC: "the disk is full: make room",
    errno.EDQUOT: "your share of the disk is full: make room",
    errno.EROFS: "this file system is read-only: make it writable",
    errno.EACCES: "this may not be written: give yourself access",
    errno.EPERM: "this may not be written: give yourself access",
}


@contextmanager
def _stopped_by(number: signal.Signals) -> Iterator[None]:
    """Let a signal stop the build as Ctrl-C does; only the main thread of a program can be told of signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, stop)
    try:
        yield
    finally:
        signal.signal(number, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build.py",
        description="Build the course: lessons to notebooks, executed, checked and published, all under build/.",
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NN", help="build only lessons whose names begin so")
    parser.add_argument(
        "--profile", default="shipped", choices=("shipped", "hub"),
        help="the models to run on: shipped (no network, the default) or hub (full-size checkpoints)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=_count, metavar="N",
        help="run up to N notebooks at a time (default: one a core, as far as memory goes; "
        "with --scheduler, one a thread of its workers)",
    )  # fmt: skip
    parser.add_argument("--fail-fast", action="store_true", help="stop at the first lesson that fails")
    parser.add_argument("--watch", action="store_true", help="build again what each save changed; serve the pages")
    parser.add_argument("--port", type=_count, metavar="N", help="where --watch serves pages (default: a free port)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="run the notebooks on the workers of a Dask scheduler that you trust, such as tcp://10.0.0.1:8786",
    )  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="wait where another build of this course is running")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="list the lessons")
    check = commands.add_parser("check", help="check the sources without running anything")
    check.add_argument("--only", nargs="+", default=[], metavar="NN")
    new = commands.add_parser("new", help="write the skeleton of a lesson, which builds")
    new.add_argument("name", metavar="NN_name", help="two digits and a name, such as 12_my_lesson")
    new.add_argument("--title", default="", help="the title that students read (default: made from the name)")
    why = commands.add_parser("why", help="say what a build would do again, and why")
    why.add_argument("only", nargs="*", metavar="NN")
    clean = commands.add_parser("clean", help="remove build/, or what has not been used for long from its store")
    clean.add_argument("--keep", type=_seconds, metavar="30d", help="keep what was used in this time, and all pages")
    return parser


def _build(options: argparse.Namespace, root: Path) -> int:
    if options.watch:
        from course.building.watch import watch

        watch(
            root, only=options.only, profile=options.profile, jobs=options.jobs, fail_fast=options.fail_fast,
            port=options.port,
        )  # fmt: skip
    from course.building.assemble import build
    from course.building.bar import Bar
    from course.building.plan import folder_of
    from course.building.skeletons import PLACEHOLDER, placeholders

    with Bar() as bar:
        report = build(
            root, only=options.only, profile=options.profile, jobs=options.jobs, fail_fast=options.fail_fast,
            scheduler=options.scheduler, say=bar.say, show=bar.show, wait=options.wait,
        )  # fmt: skip
    out = folder_of(root, options.profile).relative_to(root).as_posix()
    print(f"{report.summary()} Report: {out}/report.md, pages: {out}/site/index.html")
    for lesson in report.lessons:
        if count := sum(1 for _ in placeholders(root, [lesson.name])):
            print(f"{lesson.name} is not finished: {count} lines say {PLACEHOLDER}, as `build.py check` shows")
    return 0 if report.passed else 1


def _list(_options: argparse.Namespace, root: Path) -> int:
    from course.building.lesson import read_sources
    from course.building.plan import Plan
    from course.building.problems import LessonError
    from course.building.published import facts

    code, sources = 0, read_sources(root)
    plan = Plan(root, root / "build", "shipped")
    for name in sources:
        try:
            header, exercises = facts(plan, sources, name)
            print(f"{name:32} {header.minutes:>3} min  {exercises} exercises  {header.title}")
        except LessonError as error:
            code = 1
            print(f"{name:32} cannot be read", *(f"  {problem}" for problem in error.problems), sep="\n")
    return code


def _check(options: argparse.Namespace, root: Path) -> int:
    from course.building.assemble import pick
    from course.building.glossary import read_glossary
    from course.building.lesson import parse_lesson, read_sources
    from course.building.links import link_problems
    from course.building.problems import LessonError, Problem
    from course.building.shown import prose_problems
    from course.building.skeletons import placeholders

    problems: list[Problem] = []
    sources, lessons = read_sources(root), []
    names = pick(list(sources), options.only)
    for name in names:
        try:
            lessons.append(parse_lesson(sources[name], list(sources)))
        except LessonError as error:
            problems += error.problems
    glossary = read_glossary(root)
    problems += link_problems(lessons, glossary, all_read=len(names) == len(sources) and not problems)
    problems += prose_problems(lessons, glossary)
    problems += placeholders(root, names)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(names)} lessons read, {len(problems)} problems (nothing was run)")
    return 1 if problems else 0


def _new(options: argparse.Namespace, root: Path) -> int:
    from course.building.skeletons import PLACEHOLDER, write_skeleton

    for path in write_skeleton(root, options.name, options.title):
        print(f"{path.relative_to(root)} is written")
    number = options.name[:2]
    print(f"Replace what says {PLACEHOLDER}; python build.py check --only {number} shows what is left")
    return 0


def _why(options: argparse.Namespace, root: Path) -> int:
    from course.building.why import why

    for sentence in why(root, options.only, profile=options.profile):
        print(sentence)
    return 0


def _clean(options: argparse.Namespace, root: Path) -> int:
    from course.building.lock import LOCK, hold
    from course.building.plan import folder_of
    from course.building.store import Store
    from course.models.entries import PROFILES

    out = root / "build"
    if not out.is_dir():
        print("build/ is removed")
        return 0
    folders = [folder for profile in PROFILES if (folder := folder_of(root, profile)).is_dir()]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(hold(folder))
        if options.keep is not None:
            freed = sum(Store(folder / ".store").collect(options.keep) for folder in folders)
            print(f"{freed / 1e6:.1f} MB were freed in the store of build/")
            return 0
        for path in out.iterdir():
            if path.name != LOCK:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (out / LOCK).unlink()
        out.rmdir()
    print("build/ is removed")
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no such number: write 1, 2, 3 …")
    return int(text)


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([dh])", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 30d for thirty days, or 12h for twelve hours")
    return int(match[1]) * {"d": 86_400.0, "h": 3_600.0}[match[2]]
