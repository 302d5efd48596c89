from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from course.training.paraphrase import LESSON_PAIRS, Pair, f1, read, split, turned

HEADER = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"


def pairs(count: int) -> list[Pair]:
    return [Pair(frozenset((f"{i}", f"{i + 1}")), (f"first {i}", f"second {i}"), i % 3 > 0) for i in range(count)]


def test_file_is_read_as_published(tmp_path: Path) -> None:
    path = tmp_path / "msr.txt"
    path.write_text(f'{HEADER}1\t70\t71\tAmrozi said "so".\tHe said so.\n0\t80\t81\tYes.\tNo.\n', encoding="utf-8")
    assert read(path) == [
        Pair(frozenset(("70", "71")), ('Amrozi said "so".', "He said so."), True),
        Pair(frozenset(("80", "81")), ("Yes.", "No."), False),
    ]


def test_no_sentence_of_validation_or_lesson_is_trained_on() -> None:
    shown = [Pair(ids, ("a", "b"), True) for ids in LESSON_PAIRS]
    near = Pair(frozenset(("849568", "1")), ("a", "c"), False)  # shares one sentence with a lesson's pair
    training, validation = split([*pairs(100), *shown, near])
    trained_on = frozenset().union(*(pair.ids for pair in training))
    assert len(validation) == 25
    assert not trained_on & frozenset().union(*LESSON_PAIRS, *(pair.ids for pair in validation))


def test_about_half_of_the_pairs_are_turned() -> None:
    found = turned(pairs(400), random.Random(0))
    assert 150 < sum(first.startswith("second") for first, _ in found.texts) < 250
    assert sum(found.labels) == sum(pair.equivalent for pair in pairs(400))


def test_f1_by_hand() -> None:
    wanted = np.array([1, 1, 1, 0, 0])
    assert f1(np.array([1, 1, 0, 1, 0]), wanted) == pytest.approx(2 / 3)
    assert f1(np.zeros(5, dtype=int), wanted) == 0
