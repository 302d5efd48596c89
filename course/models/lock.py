"""The lock file: which revision and hashes the hub gave on first use, where the catalogue establishes none.

It lies beside the hub cache, so that whoever shares the cache shares the lock. A person can read and edit it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.models.errors import ModelError
from course.models.fields import digest, fields, revision, table


@dataclass(frozen=True)
class Locked:
    """What one repository held when it was first used: its revision, and the sha256 of each file read."""

    revision: str
    sha256: Mapping[str, str]


def lock_path() -> Path:
    """Where the lock file is: the folder that holds the hub cache."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser().parent / "attention-course-models.lock.json"


def locked(repo: str) -> Locked | None:
    """What is locked for a repository; None before its first use. Raises ModelError for a corrupt file."""
    return _read(lock_path()).get(repo)


def lock(repo: str, first: Locked) -> None:
    """Add what a first use found; what others have locked meanwhile is kept.

    Raises ModelError when it differs from what is locked already, or when the file cannot be written.
    """
    from huggingface_hub.utils import WeakFileLock

    path = lock_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(path.with_suffix(".guard"), timeout=30):
            repositories = _read(path)
            repositories[repo] = _joined(repo, repositories.get(repo), first)
            _write(path, repositories)
    except OSError as error:
        raise ModelError(
            f"the lock file {path} cannot be written ({error.strerror or error}); make its folder writable, "
            "or set HF_HOME to a folder of yours"
        ) from None


def check_revision(repo: str, held: Locked | None, wanted: str | None) -> None:
    """Raise ModelError when another revision is wanted than the one that is locked."""
    if held and wanted and held.revision != wanted:
        raise ModelError(
            f"{repo} was locked at revision {held.revision[:12]}, but {wanted[:12]} is asked for; {accept(repo)}"
        )


def accept(repo: str) -> str:
    """How a person accepts that a repository has changed."""
    return f'delete "{repo}" from the lock file {lock_path()} to accept what is there now'


def _joined(repo: str, held: Locked | None, first: Locked) -> Locked:
    if held is None:
        return first
    check_revision(repo, held, first.revision)
    for name, found in first.sha256.items():
        expected = held.sha256.get(name, found)
        if expected != found:
            raise ModelError(
                f"{name} of {repo} was locked with sha256 {expected[:12]}, but now has {found[:12]}; {accept(repo)}"
            )
    return Locked(held.revision, {**held.sha256, **first.sha256})


def _read(path: Path) -> dict[str, Locked]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"the lock file {path} cannot be read ({error.strerror}); give yourself access") from None
    except UnicodeDecodeError:
        raise ModelError(f"the lock file {path} is not text; {_REPAIR}") from None
    try:
        return {repo: _locked(value, repo) for repo, value in table(json.loads(text), "it").items()}
    except (ValueError, ModelError) as error:
        raise ModelError(f"the lock file {path} is damaged ({str(error).replace(';', ',')}); {_REPAIR}") from None


_REPAIR = "repair it, or delete it to lock anew on the next load"


def _locked(value: Any, repo: str) -> Locked:
    found = fields(value, repo, {"revision": revision, "sha256": table})
    return Locked(found["revision"], {name: digest(value, f"{repo}.{name}") for name, value in found["sha256"].items()})


def _write(path: Path, repositories: Mapping[str, Locked]) -> None:
    content = {repo: {"revision": held.revision, "sha256": dict(held.sha256)} for repo, held in repositories.items()}
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
