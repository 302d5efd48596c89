"""What earlier builds made: objects named by the hash of their content, and a record of each lesson.

Nothing here is trusted: an object is hashed when it is read, a record carries the hash of its text, and what does not
agree is removed, told, and made again. So nothing needs to be flushed to disk before the next step, either.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

FORMAT = 1
"""Raised when records mean something else than before; older ones are then ignored."""

Record = dict[str, Any]


class Store:
    """Objects and records below a folder, for one build at a time, and any number of its threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._one = Lock()
        self.damaged: list[str] = []
        """What was found damaged, and removed, since this was made."""

    def put(self, data: bytes) -> str:
        """Keep an object; returns its name, which is its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        if self.get(digest) is None:
            self._write(self._object(digest), data)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The object of this name; None where it is not there, or not what its name says."""
        path = self._object(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).hexdigest() == digest:
            return data
        self._damage(path)
        return None

    def has(self, digest: str) -> bool:
        """There is an object of this name; it is checked when it is read."""
        return self._object(digest).is_file()

    def record(self, name: str) -> Record:
        """The record of this name, such as ``shipped/01_counting``; empty where there is none, or a damaged one."""
        path = self._record(name)
        try:
            found = unseal(path.read_bytes())
        except FileNotFoundError:
            return {}
        if found is None:
            self._damage(path)
            return {}
        if time.time() - path.stat().st_mtime > 86_400:
            os.utime(path)  # in use: `collect` goes by this time
        return found

    def keep(self, name: str, record: Record) -> None:
        """Write a record, whole or not at all."""
        self._write(self._record(name), seal(record))

    def collect(self, seconds: float) -> int:
        """Remove records that no build used for so long, and every object that no record names; returns the bytes.

        A record with a time in the future, after the clock was set back, counts as new.
        """
        freed, named = 0, set()
        for path in self._files("records"):
            record = unseal(path.read_bytes())
            if record is None or time.time() - path.stat().st_mtime > seconds:
                freed += _unlink(path)
            elif path.parent.name != "records":  # the hashes of files name no object
                named |= set(_texts(record))
        for path in self._files("objects"):
            if path.name not in named:
                freed += _unlink(path)
        return freed

    def sweep(self) -> None:
        """Remove what a build that was killed had begun to write."""
        for path in (self.folder / "unfinished").glob("*"):
            path.unlink(missing_ok=True)

    def _files(self, kind: str) -> list[Path]:
        return sorted(path for path in (self.folder / kind).rglob("*") if path.is_file())

    def _object(self, digest: str) -> Path:
        return self.folder / "objects" / digest[:2] / digest

    def _record(self, name: str) -> Path:
        return self.folder / "records" / f"{name}.json"

    def _write(self, path: Path, data: bytes) -> None:
        beside = self.folder / "unfinished" / path.name
        with self._one:
            for folder in (path.parent, beside.parent):
                folder.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_bytes(data)
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise

    def _damage(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.damaged.append(path.relative_to(self.folder).as_posix())


def seal(record: Record) -> bytes:
    """A record as text under its own hash."""
    text = json.dumps({"format": FORMAT, **record}, ensure_ascii=True, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def unseal(data: bytes) -> Record | None:
    """The record in a sealed text; None where it is damaged, empty where it is of another format."""
    head, _, text = data.partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != head:
        return None
    record = dict(json.loads(text))
    return record if record.pop("format", None) == FORMAT else {}


def _unlink(path: Path) -> int:
    size = path.stat().st_size
    path.unlink()
    return size


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
