"""The command line of the build; answers --help without importing what builds."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None, *, root: Path) -> int:
    """Run ``build.py``; returns the exit code: 0 all passed, 1 something failed, 2 the call was wrong."""
    options = _parser().parse_args(arguments)
    from course.building.problems import LessonError

    try:
        return int(
            {"list": _list, "check": _check, "new": _new, "clean": _clean, None: _build}[options.command](options, root)
        )
    except LessonError as error:
        print(
            *(problem.message if not problem.line else problem for problem in error.problems),
            sep="\n",
            file=sys.stderr,
        )
        return 2
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed: run pip install -c constraints.txt -e '.[build]'", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; what was written is complete", file=sys.stderr)
        return 130


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
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="list the lessons")
    check = commands.add_parser("check", help="check the sources without running anything")
    check.add_argument("--only", nargs="+", default=[], metavar="NN")
    new = commands.add_parser("new", help="write the skeleton of a lesson, which builds")
    new.add_argument("name", metavar="NN_name", help="two digits and a name, such as 12_my_lesson")
    new.add_argument("--title", default="", help="the title that students read (default: made from the name)")
    commands.add_parser("clean", help="remove build/")
    return parser


def _build(options: argparse.Namespace, root: Path) -> int:
    from course.building.assemble import build
    from course.building.skeletons import PLACEHOLDER, placeholders

    report = build(root, only=options.only, profile=options.profile, say=lambda line: print(line, flush=True))
    print(f"{report.summary()} Report: build/report.md, pages: build/site/index.html")
    for lesson in report.lessons:
        if count := sum(1 for _ in placeholders(root, [lesson.name])):
            print(f"{lesson.name} is not finished: {count} lines say {PLACEHOLDER}, as `build.py check` shows")
    return 0 if report.passed else 1


def _list(_options: argparse.Namespace, root: Path) -> int:
    from course.building.lesson import lesson_files, read_lesson
    from course.building.problems import LessonError

    code = 0
    for path in lesson_files(root):
        try:
            lesson = read_lesson(path, root)
            minutes, count = lesson.header.minutes, len(lesson.exercises)
            print(f"{lesson.name:32} {minutes:>3} min  {count} exercises  {lesson.header.title}")
        except LessonError as error:
            code = 1
            print(f"{path.stem:32} cannot be read", *(f"  {problem}" for problem in error.problems), sep="\n")
    return code


def _check(options: argparse.Namespace, root: Path) -> int:
    from course.building.assemble import pick
    from course.building.glossary import read_glossary
    from course.building.lesson import lesson_files, read_lesson
    from course.building.links import link_problems
    from course.building.problems import LessonError, Problem
    from course.building.skeletons import placeholders

    problems: list[Problem] = []
    paths, lessons = pick(lesson_files(root), options.only), []
    for path in paths:
        try:
            lessons.append(read_lesson(path, root))
        except LessonError as error:
            problems += error.problems
    problems += link_problems(lessons, read_glossary(root), all_read=lesson_files(root) == paths and not problems)
    problems += placeholders(root, [path.stem for path in paths])
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(paths)} lessons read, {len(problems)} problems (nothing was run)")
    return 1 if problems else 0


def _new(options: argparse.Namespace, root: Path) -> int:
    from course.building.skeletons import PLACEHOLDER, write_skeleton

    for path in write_skeleton(root, options.name, options.title):
        print(f"{path.relative_to(root)} is written")
    number = options.name[:2]
    print(f"Replace what says {PLACEHOLDER}; python build.py check --only {number} shows what is left")
    return 0


def _clean(_options: argparse.Namespace, root: Path) -> int:
    out = root / "build"
    if out.is_dir():
        shutil.rmtree(out)
    print("build/ is removed" if not out.exists() else "build/ could not be removed")
    return 0
