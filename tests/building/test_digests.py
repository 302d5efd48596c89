"""A hash is computed once, and never trusted for a file that could have changed."""

from __future__ import annotations

import hashlib
import os
import time

from course.building.digests import Digests, digest, names_in
from course.building.store import Store


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_settled_file_is_hashed_once(tmp_path, monkeypatch):
    file, store = tmp_path / "f", Store(tmp_path / "store")
    file.write_text("one")
    later = time.time_ns() + 10**10
    monkeypatch.setattr("time.time_ns", lambda: later)
    digests = Digests(store)
    assert digests.now(str(file)) == sha256("one")
    digests.save()
    monkeypatch.setattr("hashlib.file_digest", None)
    assert Digests(store).now(str(file)) == sha256("one")


def test_a_file_that_just_changed_is_hashed_again(tmp_path):
    """Same size, same inode, and a date that was set back to the same instant: only the content differs."""
    file, store = tmp_path / "f", Store(tmp_path / "store")
    file.write_text("one")
    stamp = file.stat()
    digests = Digests(store)
    assert digests.now(str(file)) == sha256("one")
    file.write_text("two")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert digests.now(str(file)) == sha256("two")
    digests.save()
    assert Digests(store).now(str(file)) == sha256("two")


def test_an_edit_that_keeps_size_and_date_is_seen_by_its_ctime(tmp_path, monkeypatch):
    file = tmp_path / "f"
    file.write_text("one")
    stamp = file.stat()
    later = time.time_ns() + 10**10
    monkeypatch.setattr("time.time_ns", lambda: later)
    digests = Digests(Store(tmp_path / "store"))
    assert digests.now(str(file)) == sha256("one")
    time.sleep(0.05)
    file.write_text("two")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert digests.now(str(file)) == sha256("two")


def test_a_clock_that_jumps_back_costs_a_hash_and_no_more(tmp_path, monkeypatch):
    file = tmp_path / "f"
    file.write_text("one")
    monkeypatch.setattr("time.time_ns", lambda: 10**9)  # 1970: every file is from the future
    digests = Digests(Store(tmp_path / "store"))
    assert digests.now(str(file)) == sha256("one")
    file.write_text("two")
    assert digests.now(str(file)) == sha256("two")


def test_the_first_answer_stays_for_the_whole_build(tmp_path):
    file = tmp_path / "f"
    digests = Digests(Store(tmp_path / "store"))
    assert digests.first(str(file)) is None
    file.write_text("one")
    assert digests.first(str(file)) is None and digests.now(str(file)) == sha256("one")


def test_a_folder_counts_by_its_names(tmp_path):
    (tmp_path / "b").touch()
    before = names_in(str(tmp_path))
    (tmp_path / "b").write_text("x")
    (tmp_path / "__pycache__").mkdir()
    assert names_in(str(tmp_path)) == before
    (tmp_path / "a").touch()
    assert names_in(str(tmp_path)) != before and names_in(str(tmp_path / "none")) is None


def test_parts_are_kept_apart():
    assert digest("ab", "c") != digest("a", "bc") and digest("a") == digest(b"a")
