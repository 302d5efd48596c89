"""Importing ahead of need, so that nobody can tell: what says something while it is imported is told."""

from __future__ import annotations

import os
import runpy
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any


def package_of(name: str) -> str:
    """The package of a name."""
    return name.partition(":")[0].split(".")[0]


def silently(name: str) -> bool:
    """Import a name, as `course.building.imports` gives them; whether that was silent."""
    said = os.memfd_create("said")
    before = os.dup(1), os.dup(2)
    for number in (1, 2):
        os.dup2(said, number)
    try:
        _resolve(name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, stream in enumerate(before, start=1):
            os.dup2(stream, number)
            os.close(stream)
        length = os.lseek(said, 0, os.SEEK_END)
        os.close(said)
    return length == 0


def _resolve(name: str) -> None:
    imported, _, used = name.partition(":")
    first, *rest = imported.split(".")
    # As a cell does it, so that a warning meant for the importing code is shown, and noticed.
    found: Any = {"__name__": "__main__"}
    with suppress(Exception):  # the lesson that imports it will say so
        if name.endswith(".py"):
            runpy.run_path(name)
            return
        exec(f"import {first} as module", found)
        module = found["module"]
        for part in rest:
            if not isinstance(module, ModuleType):
                break
            if not hasattr(module, part):
                exec(f"import {module.__name__}.{part}", {"__name__": "__main__"})
            module = getattr(module, part)
        for part in filter(None, used.split(".")):
            if not isinstance(module, ModuleType):
                break
            module = getattr(module, part)
