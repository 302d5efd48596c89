"""``python -m course COMMAND``: what the course does at the command line.

A command is a module with ``main(arguments)``, which returns the exit code, and a line in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "doctor": ("course.doctor.cli", "is this machine ready for class?"),
    "models": ("course.models.cli", "list, verify, fetch ahead and share the models"),
}
"""Each command's module, imported only when it is called, and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code. Being stopped, or read by a program that stops reading, is no error."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    lines = "".join(f"\n  {name:10}{about}" for name, (_, about) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m course",
        description=f"commands:{lines}\n\npython -m course COMMAND --help tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    command = parser.parse_args(given[:1]).command
    try:
        code = int(import_module(COMMANDS[command][0]).main(given[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
