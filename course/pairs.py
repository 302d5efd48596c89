"""Sentence pairs: eighty, written for this course, in which word overlap and meaning come apart."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class SentencePair:
    """Two sentences, and whether they say the same (``equivalent``)."""

    id: str
    first: str
    second: str
    equivalent: bool

    @property
    def overlap(self) -> float:
        """Shared words: different words in both sentences over different words in either, 0 to 1."""
        first, second = (set(re.findall(r"[a-z0-9]+", text.lower())) for text in (self.first, self.second))
        return len(first & second) / len(first | second)


def sentence_pairs() -> list[SentencePair]:
    """The pairs in file order: half are equivalent, and in both halves some share most words and some few.

    As in corpora of paraphrases, equivalent pairs share more words on average than the others.
    """
    lines = resources.files("course").joinpath("data", "sentence_pairs.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [SentencePair(row["id"], row["first"], row["second"], row["equivalent"] == "1") for row in rows]
