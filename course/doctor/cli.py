"""``python -m course doctor``: is this machine ready for class? --help imports nothing heavy."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 ready, 1 not ready, 2 the call was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m course doctor",
        description="Look whether this machine is ready for class: what is well, what is worth knowing, what to mend.",
    )
    parser.add_argument("--full", action="store_true", help="load every shipped model and start a kernel, too")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    options = parser.parse_args(arguments)
    from course.doctor.examining import examine

    found = examine(full=options.full)
    print(json.dumps(found.as_json(), indent=2) if options.json else _legible(repr(found)))
    return 0 if found.ready else 1


def _legible(text: str) -> str:
    """The text as the terminal can show it: old Windows consoles know no ✓."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        for symbol, letters in (("✓", "ok"), ("○", "--"), ("✗", "!!"), ("→", "->")):
            text = text.replace(symbol, letters)
        return text.encode(encoding, "replace").decode(encoding)
