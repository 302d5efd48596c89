"""The report of a build: what was proven of each lesson, for people (Markdown), programs (JSON) and CI (JUnit)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from xml.etree import ElementTree

from course.building.problems import Problem

UNCHANGED = "passed before, and nothing has changed"
STEPS = ("source", "student", "solution", "wrong answers", "second run", "page", "leaks")


@dataclass(frozen=True)
class Counted:
    """How many code cells were compared with a second run, and how many were not, by reason."""

    compared: int
    skipped: dict[str, int]

    def __str__(self) -> str:
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.skipped.items())
        return f"{self.compared} cells compared, {sum(self.skipped.values())} not" + (
            f" ({reasons})" if reasons else ""
        )


@dataclass
class LessonReport:
    """What happened to one lesson. ``steps`` maps each step that was taken to its problems.

    ``ran`` has the seconds of every step that was done now and ``why`` the reason, ``kept`` the steps whose results
    were taken from the store; ``in_cells`` are the seconds of all cells of these runs, ``slowest`` names cells by
    step, line and seconds, and ``memory`` is the most bytes that one of its kernels held. With ``doubts`` about what
    was read, nothing of the lesson is kept for the next build.
    """

    name: str
    title: str = ""
    steps: dict[str, list[Problem]] = field(default_factory=dict)
    exercises: int = 0
    wrong_answers: int = 0
    claims: int = 0
    comparison: Counted | None = None
    seconds: float = 0.0
    in_cells: float = 0.0
    memory: int = 0
    ran: dict[str, float] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    slowest: list[tuple[str, int, float]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def did(
        self,
        step: str,
        seconds: float,
        *,
        in_cells: float = 0.0,
        memory: int = 0,
        slowest: Iterable[tuple[int, float]] = (),
    ) -> None:
        """Enter a step that was done now."""
        self.ran[step] = seconds
        self.in_cells += in_cells
        self.memory = max(self.memory, memory)
        self.slowest += [(step, *cell) for cell in slowest]

    @property
    def problems(self) -> list[Problem]:
        """All problems of all steps, without repetitions."""
        return list(dict.fromkeys(problem for found in self.steps.values() for problem in found))

    @property
    def passed(self) -> bool:
        """Every step was taken and found nothing wrong."""
        return set(self.steps) == set(STEPS) and not self.problems

    def line(self) -> str:
        """The result in a line; a failure with a line for each problem."""
        if not self.passed:
            return "\n".join([f"{self.name} FAILED", *(f"  {problem}" for problem in self.problems)])
        if not self.ran:
            return f"{self.name} {UNCHANGED}"
        return (
            f"{self.name} passed: {self.exercises} exercises, {self.wrong_answers} wrong answers, "
            f"{self.claims} claims, {self.comparison} – {self.seconds:.0f} s"
        )

    def work(self) -> list[str]:
        """What was done and what was taken from the store, as sentences."""
        lines = [f"{step}: {seconds:.1f} s, because {self.why[step]}" for step, seconds in self.ran.items()]
        if self.kept:
            lines.append(f"taken from the store: {', '.join(self.kept)}")
        slowest = sorted(self.slowest, key=lambda cell: -cell[2])[:3]
        if self.in_cells:
            lines.append(f"{sum(self.ran.values()):.1f} s in all, of which cells took {self.in_cells:.1f} s")
        if slowest:
            cells = (f"line {line} ({step}) {seconds:.1f} s" for step, line, seconds in slowest)
            lines.append(f"slowest cells: {', '.join(cells)}")
        return lines + [f"runs again next time: {doubt}" for doubt in self.doubts]


@dataclass
class Report:
    """A whole build.

    ``damaged`` names what was found damaged in the store, and made again; ``notes`` say how kernels were started;
    ``left`` are the lessons that were not looked at, as one before them failed.
    """

    profile: str
    lessons: list[LessonReport] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """There was at least one lesson, and all of them passed."""
        return bool(self.lessons) and not self.left and all(lesson.passed for lesson in self.lessons)

    def files(self) -> dict[str, str]:
        """The text of each file that a build writes of it."""
        return {"report.md": self.markdown(), "report.json": self.json(), "report.xml": self.junit()}

    def markdown(self) -> str:
        """For people."""
        lines = [
            "# Build report",
            "",
            f"Profile: {self.profile}. {self.summary()}",
            "",
            *(line for note in self.notes for line in (note, "")),
        ]
        lines += [
            "| lesson | result | exercises | wrong answers | claims | second run | seconds | memory |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for lesson in self.lessons:
            cells = (
                lesson.name, "passed" if lesson.passed else "FAILED", lesson.exercises, lesson.wrong_answers,
                lesson.claims, lesson.comparison or "not run", f"{lesson.seconds:.0f}",
                f"{lesson.memory / (1 << 20):.0f} MiB" if lesson.memory else "–",
            )  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
        for lesson in self.lessons:
            if lesson.problems:
                lines += ["", f"## {lesson.name}", "", *(f"- {problem}" for problem in lesson.problems)]
        worked = [lesson for lesson in self.lessons if lesson.ran or lesson.doubts]
        lines += ["", "## What was done", "", *([] if worked else ["Nothing: nothing has changed."])]
        for lesson in worked:
            lines += [f"- {lesson.name}", *(f"  - {line}" for line in lesson.work())]
        if self.damaged:
            lines += ["", "## Damaged in the store, and made again", "", *(f"- {name}" for name in self.damaged)]
        return "\n".join(lines) + "\n"

    def summary(self) -> str:
        """One sentence."""
        failed = sum(not lesson.passed for lesson in self.lessons)
        left = f", {len(self.left)} left, as one failed" if self.left else ""
        return f"{len(self.lessons) - failed} lessons passed, {failed} failed{left}."

    def json(self) -> str:
        """For programs."""
        return (
            json.dumps(
                {
                    "profile": self.profile,
                    "passed": self.passed,
                    "damaged": self.damaged,
                    "notes": self.notes,
                    "left": self.left,
                    "lessons": [asdict(lesson) | {"passed": lesson.passed} for lesson in self.lessons],
                },
                indent=2,
                ensure_ascii=False,
            )
            + "\n"
        )

    def junit(self) -> str:
        """For CI: one test suite a lesson, one test case a step; a step that was not reached is skipped."""
        root = ElementTree.Element("testsuites")
        for lesson in self.lessons:
            failures = sum(bool(found) for found in lesson.steps.values())
            suite = ElementTree.SubElement(
                root, "testsuite", name=lesson.name, tests=str(len(STEPS)), failures=str(failures),
                skipped=str(len(STEPS) - len(lesson.steps)), time=f"{lesson.seconds:.1f}",
            )  # fmt: skip
            for step in STEPS:
                case = ElementTree.SubElement(suite, "testcase", classname=lesson.name, name=step)
                if step not in lesson.steps:
                    ElementTree.SubElement(case, "skipped", message="an earlier step failed")
                elif lesson.steps[step]:
                    failure = ElementTree.SubElement(case, "failure", message=_printable(str(lesson.steps[step][0])))
                    failure.text = _printable("\n".join(map(str, lesson.steps[step])))
        ElementTree.indent(root)
        return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """XML knows no control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
