"""Nothing in the store is trusted."""

from __future__ import annotations

import os
import time

from course.building.store import Store, seal, unseal


def flip(path, place: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_an_object_comes_back_and_a_damaged_one_does_not(tmp_path):
    store = Store(tmp_path)
    name = store.put(b"outputs")
    assert store.get(name) == b"outputs" and store.has(name) and store.get("0" * 64) is None
    flip(next((tmp_path / "objects").rglob(name)))
    assert store.get(name) is None and store.damaged == [f"objects/{name[:2]}/{name}"]
    assert not store.has(name)
    assert store.put(b"outputs") == name and store.get(name) == b"outputs"


def test_putting_an_object_again_mends_a_damaged_one(tmp_path):
    store = Store(tmp_path)
    name = store.put(b"outputs")
    flip(next((tmp_path / "objects").rglob(name)))
    assert store.put(b"outputs") == name and store.get(name) == b"outputs"


def test_every_flipped_bit_of_a_record_is_noticed(tmp_path):
    text = seal({"a": "b"})
    assert unseal(text) == {"a": "b"}
    for place in range(len(text)):
        for bit in range(8):
            broken = bytearray(text)
            broken[place] ^= 1 << bit
            assert unseal(bytes(broken)) is None
    assert unseal(b"") is None and unseal(text[:-1]) is None


def test_a_record_that_is_damaged_counts_as_none_and_is_told(tmp_path):
    store = Store(tmp_path)
    store.keep("shipped/01_a", {"x": 1})
    flip(tmp_path / "records" / "shipped" / "01_a.json")
    assert store.record("shipped/01_a") == {} and store.damaged == ["records/shipped/01_a.json"]


def test_a_record_of_another_format_counts_as_none(tmp_path, monkeypatch):
    text = seal({"a": "b"})
    monkeypatch.setattr("course.building.store.FORMAT", 2)
    assert unseal(text) == {}


def test_collect_removes_what_no_record_in_use_names(tmp_path):
    store = Store(tmp_path)
    used, old, lost = store.put(b"used"), store.put(b"old"), store.put(b"lost")
    store.keep("shipped/01_a", {"student": [{"gives": {"outputs": used}}]})
    store.keep("shipped/02_b", {"student": [{"gives": {"outputs": old}}]})
    stamp = time.time() - 31 * 86_400
    os.utime(tmp_path / "records" / "shipped" / "02_b.json", (stamp, stamp))
    ahead = time.time() + 10**6  # the clock was set back after this was written
    os.utime(tmp_path / "records" / "shipped" / "01_a.json", (ahead, ahead))
    assert store.collect(30 * 86_400) > 0
    assert store.get(used) and not store.get(old) and not store.get(lost) and not store.record("shipped/02_b")


def test_a_record_in_use_stays_young(tmp_path):
    store = Store(tmp_path)
    store.keep("a", {"x": 1})
    stamp = time.time() - 40 * 86_400
    os.utime(tmp_path / "records" / "a.json", (stamp, stamp))
    assert store.record("a")
    store.collect(30 * 86_400)
    assert store.record("a")


def test_an_unfinished_write_is_swept(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "x").write_bytes(b"ha")
    store.sweep()
    assert not list((tmp_path / "unfinished").iterdir())
