"""The report of a build: what was proven of each lesson, for people (Markdown), programs (JSON) and CI (JUnit)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from xml.etree import ElementTree

from course.building.compare import Comparison
from course.building.problems import Problem

STEPS = ("source", "student", "solution", "wrong answers", "second run", "leaks")


@dataclass
class LessonReport:
    """What happened to one lesson. ``steps`` maps each step that was taken to its problems."""

    name: str
    title: str = ""
    steps: dict[str, list[Problem]] = field(default_factory=dict)
    exercises: int = 0
    wrong_answers: int = 0
    claims: int = 0
    comparison: Comparison | None = None
    seconds: float = 0.0

    @property
    def problems(self) -> list[Problem]:
        """All problems of all steps, without repetitions."""
        return list(dict.fromkeys(problem for found in self.steps.values() for problem in found))

    @property
    def passed(self) -> bool:
        """Every step was taken and found nothing wrong."""
        return set(self.steps) == set(STEPS) and not self.problems


@dataclass
class Report:
    """A whole build."""

    profile: str
    lessons: list[LessonReport]
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """There was at least one lesson, and all of them passed."""
        return bool(self.lessons) and all(lesson.passed for lesson in self.lessons)

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
            "| lesson | result | exercises | wrong answers | claims | second run | seconds |",
            "|---|---|---|---|---|---|---|",
        ]
        for lesson in self.lessons:
            cells = (
                lesson.name, "passed" if lesson.passed else "FAILED", lesson.exercises, lesson.wrong_answers,
                lesson.claims, lesson.comparison or "not run", f"{lesson.seconds:.0f}",
            )  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
        for lesson in self.lessons:
            if lesson.problems:
                lines += ["", f"## {lesson.name}", "", *(f"- {problem}" for problem in lesson.problems)]
        return "\n".join(lines) + "\n"

    def summary(self) -> str:
        """One sentence."""
        failed = sum(not lesson.passed for lesson in self.lessons)
        return f"{len(self.lessons) - failed} lessons passed, {failed} failed."

    def json(self) -> str:
        """For programs."""
        return (
            json.dumps(
                {
                    "profile": self.profile,
                    "passed": self.passed,
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
