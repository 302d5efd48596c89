"""The catalogue: which checkpoint stands behind each role, where its files lie, and what they must hash to.

`catalogue.toml` is data; this module reads it into records and refuses what does not fit, by field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from course.models.errors import ModelError
from course.models.fields import (
    Reader,
    digest,
    each,
    fields,
    interval,
    matching,
    number,
    revision,
    size,
    table,
    text,
    texts,
    wrong,
)

Profile = Literal["shipped", "hub"]
PROFILES: tuple[Profile, ...] = ("shipped", "hub")

READABLE = frozenset({".safetensors", ".json", ".txt", ".model", ".spm"})
"""File types that hold data and cannot run code when they are read; a pickle (.bin, .pt) can."""


@dataclass(frozen=True)
class Task:
    """What a checkpoint does: the transformers Auto class that loads it, and how its classes' names end."""

    auto_class: str
    endings: tuple[str, ...] = ()


TASKS: Mapping[str, Task] = {
    "encoder": Task("AutoModel"),
    "sequence-classification": Task("AutoModelForSequenceClassification", ("ForSequenceClassification",)),
    "question-answering": Task("AutoModelForQuestionAnswering", ("ForQuestionAnswering",)),
    "translation": Task("AutoModelForSeq2SeqLM", ("ForConditionalGeneration", "MTModel")),
    "causal-lm": Task("AutoModelForCausalLM", ("LMHeadModel", "ForCausalLM")),
    "image-classification": Task("AutoModelForImageClassification", ("ForImageClassification",)),
}
"""Every task that an entry may name."""

CLASSIFICATIONS = ("sequence-classification", "image-classification")
"""The tasks whose outputs have labels."""


@dataclass(frozen=True)
class Score:
    """A measured quality: name, value, the data it was measured on, and its 95 % interval where there is one."""

    name: str
    value: float
    data: str
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        spread = "" if self.interval is None else f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        return f"{self.name} {self.value:.3f}{spread} on {self.data}"


@dataclass(frozen=True)
class PackageMirror:
    """An installed Python package that carries the files as data."""

    package: str
    version: str
    folder: str


@dataclass(frozen=True)
class HubMirror:
    """A repository of the hub, or its copy in the hub cache; without a revision, that locked on first use."""

    repo: str
    revision: str | None = None


Mirror = PackageMirror | HubMirror


@dataclass(frozen=True)
class Entry:
    """One checkpoint behind a role.

    ``architecture`` is the class expected after loading; ``labels`` is empty where the checkpoint's own
    serve, or where there are none; ``size`` is the weights' size in bytes; ``files`` are those read, and
    ``sha256`` gives the hash of each file for which one is established (all of them when shipped).
    ``mirrors`` are the places that have the files, in the order in which they are tried.
    """

    role: str
    profile: Profile
    title: str
    task: str
    architecture: str
    licence: str
    languages: tuple[str, ...]
    labels: tuple[str, ...]
    size: int
    source: str
    files: tuple[str, ...]
    sha256: Mapping[str, str]
    mirrors: tuple[Mirror, ...]
    scores: tuple[Score, ...] = ()

    def __post_init__(self) -> None:
        if self.labels and self.task not in CLASSIFICATIONS:
            raise ModelError(f"{self.role}.{self.profile}.labels must be empty, for {self.task} has none")

    @property
    def name(self) -> str:
        """How messages call it, such as ``minilm (hub)``."""
        return f"{self.role} ({self.profile})"


@dataclass(frozen=True)
class Role:
    """One role with its two profiles: shipped works with no network, hub is the checkpoint the field uses."""

    name: str
    shipped: Entry | None = None
    hub: Entry | None = None


def read_catalogue(path: str | Path | None = None) -> dict[str, Role]:
    """The roles of a catalogue file by name; without a path, those of the course.

    Raises ModelError naming the field that is missing, unknown or of the wrong type.
    """
    file = Path(__file__).with_name("catalogue.toml") if path is None else Path(path)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"the catalogue {file} cannot be read ({error.strerror}); give its path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{file.name} is not valid TOML ({error}); correct it there") from None
    try:
        return {name: _role(table, name) for name, table in tables.items()}
    except ModelError as error:
        raise ModelError(f"{file.name}: {error}") from None


def _role(value: Any, name: str) -> Role:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ModelError(f"the role {name!r} must be lower-case words joined by hyphens")
    found = fields(value, name, {}, dict.fromkeys(PROFILES, table))
    if not found:
        raise ModelError(f"{name} must have a shipped or a hub entry")
    shipped, hub = found.get("shipped"), found.get("hub")
    return Role(
        name,
        shipped=None if shipped is None else _shipped(shipped, name),
        hub=None if hub is None else _hub(hub, name),
    )


def _shipped(value: Any, role: str) -> Entry:
    where = f"{role}.shipped"
    found = fields(value, where, {**_COMMON, "sha256": _digests, "mirrors": _mirrors, "scores": _scores})
    return Entry(role=role, profile="shipped", files=_files(list(found["sha256"]), f"{where}.sha256"), **found)


def _hub(value: Any, role: str) -> Entry:
    where = f"{role}.hub"
    required = {**_COMMON, "repo": _repo, "files": _files}
    found = fields(value, where, required, {"revision": revision, "sha256": _digests, "scores": _scores})
    digests = found.pop("sha256", {})
    stray = sorted(set(digests) - set(found["files"]))
    if stray:
        raise ModelError(f"{where}.sha256 names {stray[0]}, which {where}.files must then name too")
    mirror = HubMirror(found.pop("repo"), found.pop("revision", None))
    return Entry(role=role, profile="hub", sha256=digests, mirrors=(mirror,), **found)


_repo = matching(r"([\w.-]+/)?[\w.-]+", "a repository such as 'name' or 'owner/name'")


def _task(value: Any, where: str) -> str:
    if value not in TASKS:
        raise wrong(where, f"one of {', '.join(TASKS)}", value)
    return str(value)


def _file(value: Any, where: str) -> str:
    path = PurePosixPath(text(value, where))
    if path.is_absolute() or ".." in path.parts or "\\" in value or str(path) != value:
        raise wrong(where, "a plain path inside the repository", value)
    if path.suffix not in READABLE:
        allowed = ", ".join(sorted(READABLE))
        raise ModelError(f"{where} names {value}, which could run code when it is read; use {allowed} files")
    return str(value)


def _files(value: Any, where: str) -> tuple[str, ...]:
    files: tuple[str, ...] = each(value, where, _file)
    if "config.json" not in files or not any(name.endswith(".safetensors") for name in files):
        raise wrong(where, "a list with config.json and the .safetensors weights", list(files))
    return files


def _digests(value: Any, where: str) -> dict[str, str]:
    given = table(value, where)
    return {_file(name, where): digest(found, f'{where}."{name}"') for name, found in given.items()}


def _mirrors(value: Any, where: str) -> tuple[Mirror, ...]:
    mirrors = each(value, where, _mirror)
    if not mirrors:
        raise ModelError(f"{where} must name at least one place")
    return mirrors


def _mirror(value: Any, where: str) -> Mirror:
    if "package" in table(value, where):
        return PackageMirror(**fields(value, where, {"package": text, "version": text, "folder": text}))
    return HubMirror(**fields(value, where, {"repo": _repo, "revision": revision}))


def _scores(value: Any, where: str) -> tuple[Score, ...]:
    return each(value, where, _score)


def _score(value: Any, where: str) -> Score:
    return Score(**fields(value, where, {"name": text, "value": number, "data": text}, {"interval": interval}))


_COMMON: Mapping[str, Reader] = {
    "title": text,
    "task": _task,
    "architecture": text,
    "licence": text,
    "languages": texts,
    "labels": texts,
    "size": size,
    "source": text,
}
"""What every entry states, shipped or not."""
