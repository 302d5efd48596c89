"""What a process read, and whether all of that is as it was."""

from __future__ import annotations

import json
import os

import pytest

from course.building.needs import still_as_read
from course.building.recording import signature


def record_of(folder, *lines):
    record = folder / "record"
    record.write_text("".join(json.dumps(line) + "\n" for line in ({"early": False}, *lines)))
    return record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path


@pytest.mark.parametrize("change", ["other", "", None])
def test_a_file_that_was_read(folder, change):
    file = folder / "data"
    file.write_text("first")
    record = record_of(folder, {"read": str(file), "stat": signature(str(file))})
    assert still_as_read(record, {})
    file.unlink() if change is None else file.write_text(change)
    assert not still_as_read(record, {})


def test_what_it_was_like_before_the_process_began_counts(folder):
    file = folder / "data"
    file.write_text("first")
    before = {str(file): signature(str(file))}
    os.utime(file, (1, 1))
    record = record_of(folder, {"read": str(file), "stat": signature(str(file))})
    assert still_as_read(record, {}) and not still_as_read(record, before)


def test_a_missing_file_a_listed_folder_and_what_hides_its_reads(folder):
    (folder / "listed").mkdir()
    place = f"{folder / 'listed'}/"
    missing, listed = {"read": str(folder / "no"), "stat": None}, {"listed": place, "stat": signature(place)}
    record = record_of(folder, missing, listed)
    assert still_as_read(record, {})
    (folder / "listed" / "new").touch()
    assert not still_as_read(record, {}) and still_as_read(record_of(folder, missing), {})
    (folder / "no").touch()
    assert not still_as_read(record_of(folder, missing), {})
    assert not still_as_read(record_of(folder, {"opaque": "os.system"}), {})
    assert not still_as_read(folder / "no record", {})


def test_what_it_wrote_itself_and_what_is_temporary_may_change(folder):
    written, temporary = str(folder / "written"), str(folder / "temporary" / "x")
    lines = [{"wrote": written}, *({"read": path, "stat": [1, 1, 1]} for path in (written, temporary))]
    assert still_as_read(record_of(folder, *lines), {})
