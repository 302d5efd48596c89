"""The wheel, built and unpacked: what `pip install` would put on a machine."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LOADING = """
import sys
import course
from course.models import read_catalogue

assert course.__file__.startswith(sys.argv[1]), course.__file__
for name, role in read_catalogue().items():
    if role.shipped:
        model = course.load(name, device="cpu")
        print(name, model.architecture, model.parameters)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_every_shipped_model_travels_with_its_card_and_loads(unpacked: Path) -> None:
    weights = unpacked / "course" / "models" / "weights"
    shipped = sorted(path.name for path in weights.iterdir())
    assert shipped == sorted(path.name for path in (ROOT / "course" / "models" / "weights").iterdir())
    assert all((weights / role / "MODEL_CARD.md").is_file() for role in shipped)
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(unpacked)],
        env=environment,
        cwd=unpacked,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert set(shipped) <= {line.split()[0] for line in done.stdout.splitlines()}


def test_the_models_are_small(unpacked: Path) -> None:
    weights = unpacked / "course" / "models" / "weights"
    sizes = {role.name: sum(file.stat().st_size for file in role.iterdir()) for role in weights.iterdir()}
    assert all(size <= 4.5e6 for size in sizes.values()), sizes
    assert sum(sizes.values()) <= 25e6, sizes
