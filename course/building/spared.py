"""Spares a process that imports this first up to 1.5 s, most of which nbformat and jupytext would take.

jsonschema, and so nbformat, imports packages that check formats which no notebook has (one builds a grammar when it is
imported); jupytext and nbconvert what makes them part of a server; bs4 another parser. Each does without. Python looks
for garbage whenever many objects were made, which importing does, and it makes none; and once more before it ends, when
all goes anyway.
"""

from __future__ import annotations

import atexit
import gc
import sys

gc.set_threshold(20_000, 20, 50)
atexit.register(gc.freeze)
for name in (
    "rfc3986_validator", "rfc3987_syntax", "isoduration", "jupytext.sync_contentsmanager",
    "jupytext.async_contentsmanager", "nbconvert.postprocessors.serve", "bs4.builder._lxml",
):  # fmt: skip
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
