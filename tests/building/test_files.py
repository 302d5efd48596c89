"""A file is the old one or the new one, never half of either."""

from __future__ import annotations

import pytest

from course.building.files import keep_only, write_if_changed, write_new


def test_a_file_is_written_once(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    assert write_if_changed(path, "ü\n")
    stamp = path.stat().st_mtime_ns
    assert not write_if_changed(path, "ü\n")
    assert path.stat().st_mtime_ns == stamp and path.read_bytes() == "ü\n".encode()


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_if_changed(path, "old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_if_changed(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_stale_files_go_and_folders_stay(tmp_path):
    for name in ("a.html", "b.html"):
        (tmp_path / name).touch()
    (tmp_path / "notebooks").mkdir()
    assert keep_only(tmp_path, {"a.html"}) == ["b.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "notebooks"]
    assert keep_only(tmp_path / "absent", set()) == []


def test_a_new_file_never_replaces_another(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    write_new(path, "mine")
    with pytest.raises(FileExistsError):
        write_new(path, "yours")
    assert path.read_text() == "mine" and list(path.parent.iterdir()) == [path]


def test_a_new_file_where_there_are_no_links(tmp_path, monkeypatch):
    def refuse(_path, _target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    path = tmp_path / "file.txt"
    write_new(path, "mine")
    with pytest.raises(FileExistsError):
        write_new(path, "yours")
    assert path.read_text() == "mine" and list(tmp_path.iterdir()) == [path]
