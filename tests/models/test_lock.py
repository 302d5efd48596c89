from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from course.models import ModelError
from course.models.lock import Locked, lock, lock_path, locked

FIRST = Locked("a1" * 20, {"config.json": "b2" * 32})


def test_the_lock_file_lies_beside_the_hub_cache(hub_cache: Path) -> None:
    assert lock_path() == hub_cache.parent / "attention-course-models.lock.json"


def test_what_is_locked_is_read_back(hub_cache: Path) -> None:
    assert locked("a/b") is None
    lock("a/b", FIRST)
    lock("c", Locked("c3" * 20, {}))
    assert locked("a/b") == FIRST
    assert locked("c") == Locked("c3" * 20, {})


def test_a_person_can_read_the_lock_file(hub_cache: Path) -> None:
    lock("b", FIRST)
    lock("a", FIRST)
    text = lock_path().read_text()
    assert list(json.loads(text)) == ["a", "b"]
    assert text.endswith("}\n") and '\n  "a": {\n    "revision": ' in text


def test_further_files_of_a_repository_are_added(hub_cache: Path) -> None:
    lock("a/b", FIRST)
    lock("a/b", Locked("a1" * 20, {"vocab.txt": "d4" * 32}))
    assert locked("a/b") == Locked("a1" * 20, {"config.json": "b2" * 32, "vocab.txt": "d4" * 32})


def test_another_hash_than_that_locked_meanwhile_is_refused(hub_cache: Path) -> None:
    lock("a/b", FIRST)
    with pytest.raises(ModelError) as refused:
        lock("a/b", Locked("a1" * 20, {"config.json": "e5" * 32}))
    assert str(refused.value) == (
        "config.json of a/b was locked with sha256 b2b2b2b2b2b2, but now has e5e5e5e5e5e5; "
        f'delete "a/b" from the lock file {lock_path()} to accept what is there now'
    )
    assert locked("a/b") == FIRST


def test_another_revision_than_that_locked_is_refused(hub_cache: Path) -> None:
    lock("a/b", FIRST)
    with pytest.raises(ModelError, match=r"locked at revision a1a1a1a1a1a1, but e5e5e5e5e5e5 is asked for; delete"):
        lock("a/b", Locked("e5" * 20, {}))


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"a": 1}',
        b'{"a": {"revision": "main", "sha256": {}}}',
        b'{"a": {"revision": "' + b"a1" * 20 + b'"}}',
    ],
)
def test_a_damaged_lock_file_is_neither_used_nor_overwritten(hub_cache: Path, damage: bytes) -> None:
    hub_cache.mkdir(parents=True)
    lock_path().write_bytes(damage)
    for use in (lambda: locked("a"), lambda: lock("a", FIRST)):
        with pytest.raises(ModelError) as refused:
            use()
        sentence = str(refused.value)
        assert str(lock_path()) in sentence
        assert sentence.endswith("; repair it, or delete it to lock anew on the next load")
        assert sentence.count(";") == 1
    assert lock_path().read_bytes() == damage


def test_a_folder_that_cannot_be_written_says_so(hub_cache: Path) -> None:
    hub_cache.parent.parent.joinpath("huggingface").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"cannot be written .*; make its folder writable, or set HF_HOME"):
        lock("a", FIRST)


def test_two_processes_lose_nothing_of_each_other(hub_cache: Path) -> None:
    code = """if True:
        import sys
        from course.models.lock import Locked, lock
        lock(f"{sys.argv[1]}/start", Locked("a1" * 20, {}))
        print("ready", flush=True)
        sys.stdin.readline()
        for i in range(30):
            lock(f"{sys.argv[1]}/{i}", Locked("a1" * 20, {}))
    """
    environment = {"HF_HUB_CACHE": str(hub_cache), "PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, name], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name in "ab"
    ]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert set(json.loads(lock_path().read_text())) == {f"{name}/{i}" for name in "ab" for i in ("start", *range(30))}
    assert not list(hub_cache.parent.glob("attention-course-models.lock.[0-9]*"))
