"""The rules for lessons that the build does not hold them to: each broken one is named by file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from course.building.glossary import read_glossary
from course.building.lesson import Lesson, lesson_files, read_lesson
from course.building.links import glossary_links, link_problems
from course.building.objectives import practised
from course.building.percent import Cell
from course.building.skeletons import placeholders

ROOT = Path(__file__).parents[1]
PAPER = re.compile(r"arXiv \d{4}\.\d{4,5}|doi\.org/\S+|doi:\S+|\b[A-Z]\d{2}-\d{4}\b|\b20\d\d\.[a-z]+-[a-z]+\.\d+\b")


@pytest.fixture(scope="module", params=lesson_files(ROOT), ids=lambda path: path.stem)
def lesson(request) -> Lesson:
    return read_lesson(request.param, ROOT)


def broken(cells: list[Cell], rule: str) -> str:
    return "\n".join(f"{cell.file}:{cell.line}: {rule}" for cell in cells)


def prose(lesson: Lesson) -> list[Cell]:
    return [cell for cell in lesson.cells if cell.kind == "markdown"]


def is_picture(cell: Cell) -> bool:
    return cell.kind == "code" and bool(re.match(r"course\.\w+_view\(", cell.source.strip().split("\n")[-1]))


def test_there_are_four_exercises_or_more_and_one_that_cannot_be_failed(lesson):
    stubs = list(lesson.exercises.values())
    assert len(stubs) >= 4, broken(stubs[-1:], f"{len(stubs)} exercises; a lesson has at least four")
    assert any(cell.metadata.get("open") for cell in stubs), broken(stubs[-1:], "no exercise is open=true")


def test_exercises_are_numbered_by_lesson_in_order(lesson):
    number = int(lesson.name[:2])
    wanted = [f"{number}.{i + 1}" for i in range(len(lesson.exercises))]
    wrong = [cell for (key, cell), want in zip(lesson.exercises.items(), wanted, strict=True) if key != want]
    assert not wrong, broken(wrong, f"exercises of this lesson are {', '.join(wanted)}")


def test_every_exercise_is_announced_by_a_heading_with_its_key(lesson):
    headings = re.findall(r"^### Exercise (\S+?):", "\n".join(cell.source for cell in prose(lesson)), re.MULTILINE)
    assert headings == list(lesson.exercises), f"{lesson.name}: headings for {headings}"


def test_a_picture_or_a_number_comes_within_three_cells(lesson):
    start = next(i for i, cell in enumerate(lesson.cells) if "parameters" in cell.metadata.get("tags", []))
    first = lesson.cells[start + 1 : start + 4]
    shows = [cell for cell in first if is_picture(cell) or (cell.kind == "code" and "print(" in cell.source)]
    assert shows, broken(list(first[:1]), "nothing is shown in the first three cells")


def test_every_picture_is_followed_by_words(lesson):
    """Right after it, or after the numbers that belong to it."""
    silent = [
        cell for i, cell in enumerate(lesson.cells)
        if is_picture(cell) and not any(after.kind == "markdown" for after in lesson.cells[i + 1 : i + 3])
    ]  # fmt: skip
    assert not silent, broken(silent, "say what to look at, soon after the picture")


def test_facts_are_claimed(lesson):
    claims = sum(cell.source.count("claim(") for cell in lesson.cells if cell.kind == "code")
    assert claims >= 3, broken(list(lesson.cells[:1]), f"{claims} claims: what the lesson says is not measured")


def test_it_ends_with_a_summary_and_papers(lesson):
    last = lesson.cells[-1]
    assert last.kind == "markdown" and "## What you have seen" in last.source, broken([last], "no summary at the end")
    read_next = last.source.partition("**Read next.**")[2]
    assert PAPER.search(" ".join(read_next.split())), broken([last], "no paper with its identifier to read next")


def test_links_lead_somewhere_and_every_word_of_the_glossary_is_used():
    lessons = [read_lesson(path, ROOT) for path in lesson_files(ROOT)]
    problems = link_problems(lessons, read_glossary(ROOT))
    assert not problems, "\n".join(map(str, problems))


def test_a_lesson_links_into_the_glossary(lesson):
    assert glossary_links(lesson), broken(prose(lesson)[:1], "no word is linked: [head](glossary.md#head)")


def test_every_objective_is_practised(lesson):
    empty = [objective for objective in lesson.header.objectives if not practised(objective)[1]]
    assert not empty, f"lessons/{lesson.name}.py:1: no exercise practises {empty}"


def test_no_cell_is_longer_than_thirty_lines(lesson):
    long = [cell for cell in lesson.cells if cell.source.count("\n") >= 30]
    assert not long, broken(long, "this cell has more than thirty lines")


def test_nothing_of_a_skeleton_is_left(lesson):
    left = list(placeholders(ROOT, [lesson.name]))
    assert not left, "\n".join(map(str, left))


def test_no_reader_is_told_that_it_is_simple(lesson):
    told = [cell for cell in prose(lesson) if re.search(r"\b(simply|obviously|of course)\b", cell.source, re.I)]
    assert not told, broken(told, "leave out simply, obviously and of course")
