"""The front door: light, complete, and true to its list of names."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import course
from course.pairs import sentence_pairs


def test_importing_course_imports_nothing_heavy():
    heavy = ("torch", "transformers", "matplotlib", "IPython", "papermill", "numpy")
    code = f"import sys, course, course.building.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented():
    assert sorted(course._HOMES) == sorted(course.__all__)
    for name in course.__all__:
        assert getattr(course, name).__doc__, name
    with pytest.raises(AttributeError, match=f"course has no 'lod'; it has {min(course.__all__)}"):
        _ = course.lod


def test_measures_are_there_without_an_import_of_their_own():
    code = "import course; print(course.measures.entropy.__name__)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "entropy\n"
    )


def test_build_help_answers_without_importing_what_builds():
    root = Path(__file__).parents[1]
    code = (
        "import sys; from course.building.cli import main\n"
        "try: main(['--help'], root=None)\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'nbformat', 'papermill', 'jupytext', 'nbconvert') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.rstrip().endswith("[]") and "--profile" in done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "course.attending", "course.attributions.answering", "course.attributions.attributing",
        "course.attributions.characters", "course.attributions.spans", "course.exercises", "course.models.model",
        "course.vision.handwriting", "course.vision.polarity",
    ],
)  # fmt: skip
def test_examples_in_docstrings_run(module):
    __import__(module)
    results = doctest.testmod(sys.modules[module])
    assert results.attempted and not results.failed


def test_sentence_pairs_are_balanced_and_overlap_is_matched_within_strata():
    pairs = sentence_pairs()
    assert len(pairs) == 80 and sum(pair.equivalent for pair in pairs) == 40
    assert len({pair.id for pair in pairs}) == 80 and len({text for p in pairs for text in (p.first, p.second)}) == 160
    cells = {
        (equivalent, high): [p.overlap for p in pairs if p.equivalent == equivalent and (p.overlap >= 0.5) == high]
        for equivalent in (True, False) for high in (True, False)
    }  # fmt: skip
    assert {key: len(found) for key, found in cells.items()} == {
        (True, True): 24, (True, False): 16, (False, True): 16, (False, False): 24,
    }  # fmt: skip
    means = {key: sum(found) / len(found) for key, found in cells.items()}
    assert abs(means[True, True] - means[False, True]) < 0.05 and abs(means[True, False] - means[False, False]) < 0.05
    assert max(cells[True, False] + cells[False, False]) <= 0.25
