"""The catalogue: which checkpoint stands behind each role, where its files lie, and what they must hash to.

`catalogue.toml` is data; this module reads it into records and refuses what does not fit, by field.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from course.models.entries import (
    PROFILES,
    READABLE,
    TASKS,
    Entry,
    HubMirror,
    Mirror,
    PackageMirror,
    Role,
    Score,
    WeightsMirror,
)
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

__all__ = ["OWN", "TASKS", "Entry", "Role", "Score", "read_catalogue"]

OWN = Path(__file__).with_name("catalogue.toml")
"""The course's own catalogue."""


def read_catalogue(path: str | Path | None = None) -> dict[str, Role]:
    """The roles of a catalogue file by name; without a path, those of the course.

    Folders of weights are those in ``weights`` beside the file. A base is a role of the same file, or else of
    the course's own catalogue.

    Raises ModelError naming the field that is missing, unknown or of the wrong type.
    """
    file = OWN if path is None else Path(path)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"the catalogue {file} cannot be read ({error.strerror}); give its path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{file.name} is not valid TOML ({error}); correct it there") from None
    try:
        roles, bases = {}, {}
        for name, value in tables.items():
            roles[name], bases[name] = _role(value, name, file.absolute().parent / "weights")
        return {name: _on_base(role, bases[name], roles, own=path is None) for name, role in roles.items()}
    except ModelError as error:
        raise ModelError(f"{file.name}: {error}") from None


def _on_base(role: Role, name: str | None, roles: Mapping[str, Role], *, own: bool) -> Role:
    """The role with the entry of the base that its adapter stands on; without a base, as it is."""
    if name is None or role.shipped is None:
        return role
    found = roles.get(name) or (None if own else read_catalogue().get(name))
    where = f"{role.name}.shipped.base"
    if found is None or found.shipped is None:
        raise ModelError(f"{where} names {name}, which has no shipped entry; name a role that has one")
    if _ADAPTER[-1] in found.shipped.files:
        raise ModelError(f"{where} names {name}, which is an adapter itself; name the role that it stands on")
    return replace(role, shipped=replace(role.shipped, base=found.shipped))


def _role(value: Any, name: str, weights: Path) -> tuple[Role, str | None]:
    """A role, and the name of the base that its shipped entry stands on."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ModelError(f"the role {name!r} must be lower-case words joined by hyphens")
    found = fields(value, name, {}, dict.fromkeys(PROFILES, table))
    if not found:
        raise ModelError(f"{name} must have a shipped or a hub entry")
    shipped, base = _shipped(found["shipped"], name, weights) if "shipped" in found else (None, None)
    return Role(name, shipped=shipped, hub=_hub(found["hub"], name) if "hub" in found else None), base


def _shipped(value: Any, role: str, weights: Path) -> tuple[Entry, str | None]:
    where = f"{role}.shipped"
    mirrors = partial(_mirrors, weights=weights)
    required: Mapping[str, Reader] = {**_COMMON, "sha256": _digests, "mirrors": mirrors, "scores": _scores}
    found = fields(value, where, required, {"base": text})
    base = found.pop("base", None)
    files = _files(list(found["sha256"]), f"{where}.sha256")
    for name in _ADAPTER:
        if (name in files) != (base is not None):
            raise ModelError(f"{where}.sha256 names {name} if there is a base, and only then; correct one of the two")
    return Entry(role=role, profile="shipped", files=files, **found), base


def _hub(value: Any, role: str) -> Entry:
    where = f"{role}.hub"
    optional = {"scores": _scores, "pretrained": table, **_ESTABLISHED}
    found = fields(value, where, {**_COMMON, **_REPOSITORY}, optional)
    before = found.pop("pretrained", None)
    entry = Entry(role=role, profile="hub", **_on_hub(found, where))
    if before is None:
        return entry
    where = f"{where}.pretrained"
    required: Mapping[str, Reader] = {"title": text, "licence": text, "size": size, "source": text, **_REPOSITORY}
    given = fields(before, where, required, _ESTABLISHED)
    pretrained = replace(entry, part="pretrained", scores=(), **_on_hub(given, where))
    return replace(entry, pretrained=pretrained)


def _on_hub(found: dict[str, Any], where: str) -> dict[str, Any]:
    """The fields of an entry, with the repository as its only mirror."""
    digests = found.pop("sha256", {})
    stray = sorted(set(digests) - set(found["files"]))
    if stray:
        raise ModelError(f"{where}.sha256 names {stray[0]}, which {where}.files must then name too")
    mirror = HubMirror(found.pop("repo"), found.pop("revision", None))
    return {**found, "sha256": digests, "mirrors": (mirror,)}


_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
"""The files of an adapter, in the form in which peft saves one."""

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


def _folder(value: Any, where: str) -> str:
    if ".." in PurePosixPath(text(value, where)).parts:
        raise wrong(where, "a folder inside weights/ or a whole path", value)
    return str(value)


def _digests(value: Any, where: str) -> dict[str, str]:
    given = table(value, where)
    return {_file(name, where): digest(found, f'{where}."{name}"') for name, found in given.items()}


def _mirrors(value: Any, where: str, weights: Path) -> tuple[Mirror, ...]:
    mirrors = each(value, where, partial(_mirror, weights=weights))
    if not mirrors:
        raise ModelError(f"{where} must name at least one place")
    return mirrors


def _mirror(value: Any, where: str, weights: Path) -> Mirror:
    if "package" in table(value, where):
        return PackageMirror(**fields(value, where, {"package": text, "version": text, "folder": text}))
    if "weights" in value:
        return WeightsMirror(weights / fields(value, where, {"weights": _folder})["weights"])
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

_REPOSITORY: Mapping[str, Reader] = {"repo": _repo, "files": _files}
_ESTABLISHED: Mapping[str, Reader] = {"revision": revision, "sha256": _digests}
"""What an entry of the hub states where public material establishes it."""
