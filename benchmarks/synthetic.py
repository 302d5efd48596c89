"""Synthetic lessons for the benchmarks of the build: they load no model, and have one exercise."""

from __future__ import annotations

from pathlib import Path

LESSON = """\
# ---
# title: Words NUMBER
# minutes: 5
# objectives:
#   - count (NUMBER.1)
# prerequisites: []
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %% [markdown]
# Lesson NUMBER of many.

# %%
import time

import numpy as np
from course import claim, exercise

words = "the cat sat on the mat".split()
print(np.unique(words))
WORK
claim("six words", len(words) == 6)

# %% exercise="NUMBER.1"
count = ...

# %%
with exercise("NUMBER.1", count) as answer:
    assert answer != 5, "Counting starts at one."
    assert answer != 7, "A full stop is no word."
    assert answer == 6, "Count the words."
"""
SOLUTION = """\
# %% exercise="NUMBER.1"
count = len(words)  # as many as the list is long

# %% wrong="NUMBER.1" advice="Counting starts at one."
count = 5

# %% wrong="NUMBER.1" advice="A full stop is no word."
count = 7
"""


def write(root: Path, count: int, work: str = "") -> Path:
    """Write so many lessons below ``root``; ``work`` is what each does besides, in the same cell. Returns ``root``."""
    for kind in ("lessons", "solutions"):
        (root / kind).mkdir(parents=True)
    for number in range(count):
        name = f"{number % 100:02}_words{number // 100}.py"
        lesson = LESSON.replace("NUMBER", str(number)).replace("WORK\n", f"{work}\n" if work else "")
        (root / "lessons" / name).write_text(lesson, encoding="utf-8")
        (root / "solutions" / name).write_text(SOLUTION.replace("NUMBER", str(number)), encoding="utf-8")
    return root
