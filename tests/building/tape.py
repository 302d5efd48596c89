"""Builds whose kernels ran once, for real: their runs are on a tape, so that faults can be tried by the dozen.

``python -m tests.building.tape TAPE ROOT [ARGUMENTS]`` is ``build.py`` with such a tape.
"""

from __future__ import annotations

import pickle
import sys
from contextlib import contextmanager
from pathlib import Path

from course.building import making
from course.building.digests import digest


@contextmanager
def on_tape(tape: Path):
    """Within it, what was run before is not run again; yields a list of what was asked for."""
    asked, real = [], (making.execute, making.run_again)

    def played(task):
        def play(draft, *arguments):
            given = b"".join(part if isinstance(part, bytes) else repr(part).encode() for part in arguments[:-1])
            file = tape / digest(task.__name__, draft.code(), given)
            asked.append(task.__name__)
            if not file.exists():
                file.write_bytes(pickle.dumps(task(draft, *arguments)))
            return pickle.loads(file.read_bytes())

        return play

    making.execute, making.run_again = map(played, real)
    try:
        yield asked
    finally:
        making.execute, making.run_again = real


if __name__ == "__main__":
    from course.building.cli import main

    with on_tape(Path(sys.argv[1])):
        sys.exit(main(sys.argv[3:], root=Path(sys.argv[2])))
