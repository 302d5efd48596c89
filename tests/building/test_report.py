"""The report tells people, programs and CI the same."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from course.building.problems import Problem
from course.building.report import STEPS, LessonReport, Report
from course.building.runs import Comparison

PASSED = LessonReport("01_a", "A", {step: [] for step in STEPS}, 2, 4, 1, Comparison(3, {"without output": 2}, ()), 1.5)
FAILED = LessonReport(
    "02_b", "B", {"source": [], "student": [Problem("lessons/02_b.py", 7, "\x1b[31m<broken> & \x00")]}
)


def test_a_lesson_passes_only_if_every_step_was_taken_and_found_nothing():
    assert PASSED.passed and not FAILED.passed
    assert not LessonReport("03_c", steps={"source": []}).passed
    assert Report("shipped", [PASSED]).passed and not Report("shipped", [PASSED, FAILED]).passed
    assert not Report("shipped", []).passed


def test_what_holds_for_the_whole_build_stands_above_the_table():
    text = Report("shipped", [PASSED], notes=["Kernels were started one by one."]).markdown()
    assert text.index("one by one.") < text.index("| 01_a")


def test_markdown_names_lines_and_counts():
    text = Report("shipped", [PASSED, FAILED]).markdown()
    assert "| 01_a | passed | 2 | 4 | 1 | 3 cells compared, 2 not (2 without output) | 2 |" in text
    assert "| 02_b | FAILED | 0 | 0 | 0 | not run | 0 |" in text and "- lessons/02_b.py:7: " in text
    assert "1 lessons passed, 1 failed." in text


def test_json_is_complete():
    data = json.loads(Report("hub", [PASSED, FAILED]).json())
    assert data["profile"] == "hub" and data["passed"] is False
    assert [lesson["passed"] for lesson in data["lessons"]] == [True, False]
    assert data["lessons"][1]["steps"]["student"][0]["line"] == 7


def test_junit_has_a_case_for_every_step_and_is_valid_xml_whatever_was_printed():
    root = ElementTree.fromstring(Report("shipped", [PASSED, FAILED]).junit().encode())
    passed, failed = root
    assert [passed.get(name) for name in ("tests", "failures", "skipped")] == ["7", "0", "0"]
    assert [failed.get(name) for name in ("tests", "failures", "skipped")] == ["7", "1", "5"]
    (failure,) = failed.iter("failure")
    assert failure.get("message").startswith("lessons/02_b.py:7: ") and "<broken> & " in failure.text
