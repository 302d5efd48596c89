"""Where a translator looks for a word: cross-attention against a small English–German lexicon made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from course.attention import Attention
from course.measures.alignment import looked_at, predicting
from course.tokens import Tokens

LEXICON = "lexicon_en_de.tsv"
"""Word forms, one pair a line, as captions of photographs use them: nouns, numbers, adjectives and verbs."""


@dataclass(frozen=True)
class Occurrence:
    """A pair of the lexicon in a sentence and its translation.

    ``sources`` are the positions of the English word's tokens among the keys of the cross-attention, and ``row``
    is its query that predicts the first token of the German word: the one before it.
    """

    english: str
    german: str
    sources: tuple[int, ...]
    row: int


@cache
def lexicon() -> frozenset[tuple[str, str]]:
    """The pairs, English first. Case tells German nouns from other words: *Junge* is a boy, *junge* is young.

    >>> ("dog", "Hund") in lexicon()
    True
    """
    text = resources.files(__package__).joinpath(LEXICON).read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in text.splitlines()[1:])
    return frozenset((english, german) for english, german in pairs)


def occurrences(cross: Attention) -> list[Occurrence]:
    """The pairs of the lexicon in the two sentences of a cross-attention, in the order of the German ones.

    A pair counts where each of its words stands exactly once in its sentence, so that there is one right place
    to look. Case counts too, but for the first word of a sentence, which may have its capital from there. The
    sentence that the decoder reads may be the model's own or another's.
    """
    english, german = _words(cross.keys), _words(cross.queries)
    return [
        Occurrence(source, target, english[source][0], predicting(german[target][0]))
        for target in german
        for source in english
        if (source, target) in lexicon() and len(english[source]) == len(german[target]) == 1
    ]


def _words(tokens: Tokens) -> dict[str, list[tuple[int, ...]]]:
    """Each word as typed, with the token positions of each time that it stands there."""
    found: dict[str, list[tuple[int, ...]]] = {}
    for group in tokens.word_groups():
        spans = [span for i in group if (span := tokens.offsets[i]) is not None]
        if not spans:
            continue
        word = tokens.sources[0][spans[0][0] : spans[-1][1]].strip()
        for form in (word,) if found else dict.fromkeys((word, word.lower())):
            found.setdefault(form, []).append(group)
    return found


def found_at(
    cross: Attention, places: Iterable[Occurrence], layer: int, heads: Sequence[int] | None = None
) -> list[bool]:
    """Whether the largest weight of a layer stands on the right word, for each occurrence.

    The weights are averaged over ``heads``, or over all of the layer. All source tokens compete, the end
    mark and punctuation too: the rule is that of `course.measures.align`.
    """
    columns = looked_at(cross, layer, heads)
    return [columns[place.row] in place.sources for place in places]
