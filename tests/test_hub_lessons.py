"""Every lesson on the hub profile: from its first cell to its last, on a mirror of the hub, without a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.building.execute import run
from course.building.imports import common
from course.building.kernels import kernel_environment
from course.building.lesson import Lesson, lesson_files, read_lesson
from course.building.notebooks import solution, student
from course.building.outcomes import outcomes, prove_solution
from course.building.runs import Run
from course.models import read_catalogue
from tests import mirror

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PATHS = lesson_files(ROOT)
HUB = {"PROFILE": "hub"}


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mirror that kernels find in place of the hub; what they read of it, they lock in a file beside it."""
    folder = tmp_path_factory.mktemp("mirror")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in mirror.lay_out(folder).items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="module")
def kernels(mirrored: Path) -> Iterator[None]:
    drafts = [draft(read_lesson(path, ROOT)) for path in PATHS for draft in (student, solution)]
    with kernel_environment(offline=True, warm=common(drafts, "hub")):
        yield


def pictures(found: Run) -> list[str]:
    """The pages of the views that were drawn."""
    pages = [
        output.data.get("text/html", "")
        for cell in found.notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    return [page for page in pages if "<iframe" in page]


def wanted_pictures(lesson: Lesson) -> int:
    """How many cells end in a view, whatever the profile."""
    views = re.compile(r"^course\.\w+_view\(.*(?<! else None)\Z", re.MULTILINE | re.DOTALL)
    return sum(bool(views.search(cell.source.rpartition("\n\n")[2])) for cell in lesson.cells if cell.kind == "code")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_runs_to_its_end_and_every_answer_is_taken(path: Path, kernels, mirrored: Path) -> None:
    lesson = read_lesson(path, ROOT)
    found = run(solution(lesson), parameters=HUB, timeout=600)
    assert [str(problem) for problem in prove_solution(found)] == []
    assert not [one.data["hint"] for one in outcomes(found) if "raised" in one.data["hint"]]
    assert len(pictures(found)) >= max(1, wanted_pictures(lesson))
    entries = [read_catalogue()[role].hub for role in lesson.header.roles]
    read = json.loads((mirrored / "attention-course-models.lock.json").read_text(encoding="utf-8"))
    assert next(entry.mirrors[0].repo for entry in entries if entry) in json.dumps(read)


def test_a_lesson_is_built_on_the_hubs_models(mirrored: Path, tmp_path: Path) -> None:
    for folder in ("lessons", "solutions"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    arguments = ["--only", "04", "--profile", "hub"]
    script = f"import sys, pathlib, course.building.cli as cli; sys.exit(cli.main({arguments}, root=pathlib.Path()))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "build" / "hub" / "site" / "04_sentence_pairs.html").read_text(encoding="utf-8")
    assert "bert-base-uncased: 12 layers" in page and "MiniLM" not in page


def test_without_a_network_and_files_the_first_cell_says_what_to_do(
    kernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    lesson = read_lesson(PATHS[1], ROOT)
    (problem,) = run(student(lesson), parameters=HUB, timeout=60).problems
    assert problem.message == (
        "ModelError: minilm (hub): config.json of bert-base-uncased is not in the hub cache and HF_HUB_OFFLINE "
        'is set; unset HF_HUB_OFFLINE, connect to the network once and load again, or use profile="shipped"'
    )
