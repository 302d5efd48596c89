"""How far a build is and what runs now, in a line at the bottom of a terminal; nothing of it elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TextIO

from tqdm import tqdm


class Bar:
    """Lines to standard output and, where ``stream`` (standard error) is a terminal, a bar below them."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._tqdm = tqdm(
            total=0, file=stream or sys.stderr, disable=None, leave=False, dynamic_ncols=True,
            bar_format="{n_fmt} of {total_fmt} lessons |{bar:20}| {elapsed}{postfix}",
        )  # fmt: skip

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tqdm.close()

    def say(self, line: str) -> None:
        """Print a line that stays; from any thread."""
        self._tqdm.write(line)
        sys.stdout.flush()

    def show(self, now: list[str], done: int, of: int) -> None:
        """Show how many lessons are done, and what runs now; from any thread."""
        if not self._tqdm.disable:
            self._tqdm.n, self._tqdm.total = done, of
            self._tqdm.set_postfix_str(f" {' · '.join(now)}", refresh=True)
