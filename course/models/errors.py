"""The one error of this package, its special case, and what never leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ModelError(RuntimeError):
    """A model cannot be had as asked; the message is one sentence: what is wrong, and what to do about it."""


class Pickled(ModelError):
    """The hub has the weights of a repository, at this revision, as a pickle only."""

    def __init__(self, what: str, repo: str, revision: str) -> None:
        super().__init__(what)
        self.repo = repo
        self.revision = revision


class Absent(Exception):
    """A mirror is not there at all (not installed, not cached); never leaves this package.

    Unlike damage, absence is no reason to stop: the next mirror may have the files.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def unknown(kind: str, given: object, valid: Iterable[str]) -> ModelError:
    """The error for a name that does not exist, with those that do and the one that was probably meant."""
    names = list(valid)
    close = get_close_matches(str(given), names, n=1)
    fix = f"did you mean {close[0]!r}?" if close else "choose one of these"
    return ModelError(f"there is no {kind} {given!r}, only {', '.join(map(repr, names))}; {fix}")
