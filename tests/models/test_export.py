from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course.models import ModelError, read_catalogue
from course.models.export import export
from course.models.files import here
from course.models.shared import MANIFEST, read_manifest


@pytest.fixture
def base(own):
    return read_catalogue(own.path)["base"].shipped


def test_copies_are_the_originals(base, tmp_path: Path) -> None:
    found = here(base)
    assert export(base, found, tmp_path / "out") == 4
    for name, path in found.paths.items():
        copy = tmp_path / "out" / "base" / "shipped" / name
        assert copy.read_bytes() == path.read_bytes() and not copy.is_symlink()
    assert read_manifest(tmp_path / "out") == {"base/shipped": dict(base.sha256)}


def test_a_second_export_copies_nothing(base, tmp_path: Path) -> None:
    export(base, here(base), tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.json") if path.name != MANIFEST}
    assert export(base, here(base), tmp_path / "out") == 0
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_a_damaged_copy_is_made_again(base, tmp_path: Path) -> None:
    export(base, here(base), tmp_path / "out")
    copy = tmp_path / "out" / "base" / "shipped" / "config.json"
    copy.write_text("{}")
    assert export(base, here(base), tmp_path / "out") == 1
    assert copy.read_bytes() == here(base).paths["config.json"].read_bytes()


def test_another_role_is_added(base, own, tmp_path: Path) -> None:
    judge = read_catalogue(own.path)["judge"].shipped
    for entry in (base, judge):
        export(entry, here(entry), tmp_path / "out")
    assert set(read_manifest(tmp_path / "out")) == {"base/shipped", "judge/shipped"}


def test_what_breaks_off_is_not_in_the_manifest_and_can_be_run_again(base, tmp_path: Path, monkeypatch) -> None:
    copied = []

    def stop(source: Path, target: Path) -> None:
        if len(copied) == 2:
            raise OSError(28, "No space left on device")
        copied.append(target.write_bytes(source.read_bytes()))

    monkeypatch.setattr(shutil, "copyfile", stop)
    with pytest.raises(
        ModelError, match=r"^.*out cannot be written \(No space left on device\); make room, or name an"
    ):
        export(base, here(base), tmp_path / "out")
    assert read_manifest(tmp_path / "out") == {}
    assert not [path for path in (tmp_path / "out").rglob(".*") if path.is_file()]
    monkeypatch.undo()
    assert export(base, here(base), tmp_path / "out") == 2


def test_a_folder_with_other_things_is_left_alone(base, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"^.*out is not empty, and no export; name a new folder$"):
        export(base, here(base), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_file_in_the_way_says_so(base, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ModelError, match=r"out cannot be written \(File exists\); make room, or name another folder$"):
        export(base, here(base), tmp_path / "out")
