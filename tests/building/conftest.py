"""A small course in a temporary folder: one lesson of a few cells that needs no model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

LESSON = """\
# ---
# title: Counting
# minutes: 5
# objectives:
#   - count (1.1, 1.2)
# prerequisites: []
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %% [markdown]
# A lesson with the formula $\\sqrt{d}$ and one picture less than the others.

# %%
from course import claim, exercise

words = "the cat sat".split()
print(len(words), "words on", PROFILE)
claim("three words", len(words) == 3)

# %% [markdown]
# ### Exercise 1.1

# %% exercise="1.1"
count = ...

# %%
with exercise("1.1", count) as answer:
    assert answer != 2, "Counting starts at one."
    assert answer != 4, "A full stop is no word."
    assert answer == 3, "Count the words."


# %% exercise="1.2"
def twice(number):
    return ...


# %%
with exercise("1.2", twice) as answer:
    assert answer(2) != 2, "That is the number itself."
    assert answer(3) == 6, "Twice three is six."
"""

SOLUTION = """\
# %% exercise="1.1"
count = len(words)  # as many as the list is long

# %% wrong="1.1" advice="Counting starts at one."
count = 2

# %% wrong="1.1" advice="A full stop is no word."
count = 4


# %% exercise="1.2"
def twice(number):
    doubled = number + number
    return doubled


# %% wrong="1.2" advice="That is the number itself."
def twice(number):
    return number


# %% wrong="1.2" advice="Twice three is six."
def twice(number):
    return number**2
"""


@dataclass
class Course:
    """A course on disk, to be broken by a test."""

    root: Path
    name: str = "01_counting"

    @property
    def lesson(self) -> Path:
        return self.root / "lessons" / f"{self.name}.py"

    @property
    def solution(self) -> Path:
        return self.root / "solutions" / f"{self.name}.py"

    def change(self, before: str, after: str, *, solution: bool = False) -> int:
        """Replace one passage; returns the line it stood in."""
        path = self.solution if solution else self.lesson
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
        save(path, text.replace(before, after))
        return text[: text.index(before)].count("\n") + 1

    def line(self, passage: str, *, solution: bool = False) -> int:
        text = (self.solution if solution else self.lesson).read_text(encoding="utf-8")
        assert text.count(passage) == 1
        return text[: text.index(passage)].count("\n") + 1


def save(path: Path, text: str) -> None:
    """Write a file as editors do: whole, or not yet."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


@pytest.fixture
def small_course(tmp_path: Path) -> Course:
    course = Course(tmp_path)
    for path, text in ((course.lesson, LESSON), (course.solution, SOLUTION)):
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    return course


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tape")
