"""From a finished run into the package: the weights, their card and their catalogue entry."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from course.training.recipe import TrainingError

MODELS = Path(__file__).parents[1] / "models"


def ship(role: str, out: Path, models: Path = MODELS) -> Path:
    """Put a role's result into the package's `weights/` and `catalogue.toml`; gives the folder of the weights.

    Raises TrainingError when ``out`` has no finished result of this role.
    """
    place, entry = out / "weights" / role, out / "catalogue.toml"
    if not (place.is_dir() and entry.is_file()):
        raise TrainingError(f"{out} has no finished {role}; train it first")
    target = models / "weights" / role
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(place, target, copy_function=shutil.copyfile)  # without the modes of where it lay
    catalogue = models / "catalogue.toml"
    text = replaced(catalogue.read_text(encoding="utf-8"), role, entry.read_text(encoding="utf-8"))
    unfinished = catalogue.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(catalogue)
    return target


def replaced(catalogue: str, role: str, entry: str) -> str:
    """The text of a catalogue with the shipped entry of a role exchanged, and everything else as it was.

    A new entry goes before the role's hub entry, or to the end. Comments above a table stay with it.

    >>> print(replaced('[a.shipped]\\nsize = 1\\n\\n[a.hub]\\nsize = 2\\n', "a", '[a.shipped]\\nsize = 3\\n'))
    [a.shipped]
    size = 3
    <BLANKLINE>
    [a.hub]
    size = 2
    <BLANKLINE>
    """
    tables = _tables(catalogue)
    old = [i for i, (_, header, _) in enumerate(tables) if re.match(rf"\[+{re.escape(role)}\.shipped[.\]]", header)]
    own = [i for i, (_, header, _) in enumerate(tables) if re.match(rf"\[+{re.escape(role)}\.", header)]
    place = (old or own or [len(tables)])[0]
    comment = tables[place][0] if old else ""
    kept = ["".join(table).strip() for i, table in enumerate(tables) if i not in old]
    kept.insert(place, comment + entry.strip())
    text = "\n\n".join(kept) + "\n"
    wanted = tomllib.loads(catalogue)
    wanted[role] = {**wanted.get(role, {}), **tomllib.loads(entry)[role]}
    if _content(text) != wanted:
        raise TrainingError(f"the catalogue is not laid out as expected; put the entry of {role} there by hand")
    return text


def _content(text: str) -> dict[str, Any] | None:
    """What a TOML text says; None where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _tables(text: str) -> list[tuple[str, str, str]]:
    """The tables of a TOML text: the comments above each, its header, and what follows up to the next."""
    tables = re.split(r"(?m)^((?:#.*\n)*)(\[.*\n)", text)
    if tables[0].strip():
        tables[1:2] = [tables[0] + tables[1]]  # the comment at the top of the file
    return list(zip(tables[1::3], tables[2::3], tables[3::3], strict=True))
