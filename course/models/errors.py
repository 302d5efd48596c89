"""The one error of this package."""

from __future__ import annotations


class ModelError(RuntimeError):
    """A model cannot be had as asked; the message is one sentence: what is wrong, and what to do about it."""


class Absent(Exception):
    """A mirror is not there at all (not installed, not cached); never leaves this package.

    Unlike damage, absence is no reason to stop: the next mirror may have the files.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
