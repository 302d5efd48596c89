"""From a finished run into the package: the weights, their card and their catalogue entry."""

from __future__ import annotations

import shutil
from pathlib import Path

import tomlkit

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
    shutil.copytree(place, target)
    catalogue = models / "catalogue.toml"
    text = replaced(catalogue.read_text(encoding="utf-8"), role, entry.read_text(encoding="utf-8"))
    unfinished = catalogue.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(catalogue)
    return target


def replaced(catalogue: str, role: str, entry: str) -> str:
    """The text of a catalogue with the shipped entry of a role exchanged, and everything else as it was.

    >>> print(replaced('[a.shipped]\\nsize = 1\\n\\n[a.hub]\\nsize = 2\\n', "a", '[a.shipped]\\nsize = 3\\n'))
    [a.shipped]
    size = 3
    <BLANKLINE>
    [a.hub]
    size = 2
    <BLANKLINE>
    """
    old, new = tomlkit.parse(catalogue), tomlkit.parse(entry)
    if role in old:
        old[role]["shipped"] = new[role]["shipped"]
    else:
        old.add(tomlkit.nl())
        old.add(role, new[role])
    return tomlkit.dumps(old)
