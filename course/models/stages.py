"""Stages: how far training has come, which files that takes, and the module that they make."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from course.models import modules
from course.models.entries import STAGES, Entry
from course.models.errors import ModelError, unknown
from course.models.files import Files, find, staged


class Folders(NamedTuple):
    """Where the files of an entry are laid out, those of its body, and those of its tokenizer."""

    own: Path
    body: Path
    reading: Path


@dataclass(frozen=True)
class Sources:
    """The verified files that a stage of an entry is made of.

    ``own`` are those of the entry itself. ``body`` are those of what it was trained from: the base that an
    adapter stands on, or the checkpoint before fine-tuning; None where the stage needs neither.
    """

    entry: Entry
    stage: str
    own: Files
    body: Files | None = None

    @classmethod
    def of(cls, entry: Entry, stage: str) -> Sources:
        """Find and verify them; weights that the stage does not need are not asked for."""
        trained, random = stage == "trained", stage == "random"
        own = find(entry, None if trained else entry.without_weights)
        if entry.base:  # its tokenizer is needed at every stage
            return cls(entry, stage, own, find(entry.base, entry.base.without_weights if random else None))
        if entry.pretrained and not trained and not random:
            return cls(entry, stage, own, find(entry.pretrained))
        return cls(entry, stage, own)

    @property
    def reading(self) -> Files:
        """The files that hold the tokenizer; an adapter has none of its own."""
        return self.body if self.entry.base and self.body else self.own

    @contextmanager
    def laid_out(self) -> Iterator[Folders]:
        """Folders with these files and no others, for as long as they are needed."""
        with ExitStack() as stack:
            own = stack.enter_context(staged(self.own.paths))
            body = stack.enter_context(staged(self.body.paths)) if self.body else own
            yield Folders(own, body, own if self.reading is self.own else body)

    def module(self, folders: Folders, seed: int) -> Any:
        """The transformers module, from the folders in which the files are laid out."""
        if self.stage == "random":
            return modules.untrained(self.entry, folders.own, seed)
        if self.stage == "pretrained":
            return modules.pretrained(self.entry, folders.own, folders.body, seed)
        if self.entry.base:
            return modules.adapted(self.entry, folders.own, folders.body)
        return modules.trained(self.entry, folders.own)

    def keep(self) -> None:
        """Lock what the catalogue does not establish, once the files have proved to be a model."""
        self.own.keep()
        if self.body:
            self.body.keep()


def check_stage(entry: Entry, stage: str) -> None:
    """Raise ModelError when there is no such stage, or when this entry does not have it."""
    if stage not in STAGES:
        raise unknown("stage", stage, STAGES)
    if stage not in entry.stages:
        others = " or ".join(f'stage="{name}"' for name in entry.stages)
        raise ModelError(
            f"{entry.name} has no stage {stage!r}, for nothing was trained on top of another model; use {others}"
        )


def check_seed(seed: int) -> int:
    """The seed as an int; raises ModelError for what cannot be one."""
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if isinstance(seed, bool) or not 0 <= number < 2**63:
        raise ModelError(f"the seed must be a whole number from 0 to 2 ** 63 - 1, not {seed!r}; leave it out for 0")
    return number
