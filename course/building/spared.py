"""Spares a process that imports this first up to 1.5 s, most of which nbformat and jupytext would take.

jsonschema, and so nbformat, imports two packages that check formats which no notebook has (one builds a grammar when it
is imported), and jupytext what makes it a part of a server, where they are there. Each does without. Python looks for
garbage whenever many objects were made, which importing does, and it makes none.
"""

from __future__ import annotations

import gc
import sys

gc.set_threshold(20_000, 20, 50)
for name in ("rfc3987_syntax", "isoduration", "jupytext.sync_contentsmanager", "jupytext.async_contentsmanager"):
    sys.modules.setdefault(name, None)  # type: ignore[arg-type]
