"""Spares a process that imports this first up to 1.5 s, most of which nbformat and jupytext would take.

jsonschema, and so nbformat, imports packages that check formats which no notebook has (one builds a grammar when it is
imported); jupytext what reads another format, jupytext and nbconvert what makes them part of a server, bs4 another
parser. Each does without. What bs4 needs for pages with pictures that have no text is imported when there is one.
Python looks for garbage whenever many objects were made, which importing does, and it makes none; and once more before
it ends, when all goes anyway.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from threading import Lock
from types import ModuleType
from typing import Any

_lock = Lock()


class _Later(ModuleType):
    """Stands where a module would, until something of it is used; importlib's own kind is not for threads (3.11)."""

    def __getattr__(self, name: str) -> Any:
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


gc.set_threshold(20_000, 20, 50)
atexit.register(gc.freeze)
for name in (
    "rfc3986_validator", "rfc3987_syntax", "isoduration", "markdown_it", "jupytext.sync_contentsmanager",
    "jupytext.async_contentsmanager", "nbconvert.postprocessors.serve", "bs4.builder._lxml",
):  # fmt: skip
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
sys.modules.setdefault("soupsieve", _Later("soupsieve"))
