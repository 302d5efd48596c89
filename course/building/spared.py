"""Spares a process that imports this first 1.2 s, which jsonschema, and so nbformat, would take.

jsonschema 4.26 has this package build a grammar when it is imported, to check a format that no notebook has.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
