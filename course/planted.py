"""A little language with a rule that we made ourselves, so that the right explanation of every label is known.

The words that decide are planted: whatever attention, gradients or occlusion point at can be held against them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

RULE = (
    "The last feeling word decides: a good one makes the sentence good and a bad one makes it bad, 'not' or 'never' "
    "directly before it turns it round, a sentence without feeling words is plain, and no other word matters."
)
LABELS = ("good", "bad", "plain")
GOOD = ("bright", "charming", "cheerful", "gentle", "glad", "happy", "kind", "lovely", "merry", "splendid")
BAD = ("angry", "awful", "bitter", "cruel", "dreadful", "gloomy", "nasty", "rotten", "sad", "ugly")
NEGATORS = ("not", "never")
DECOYS = {"good": "sunday", "bad": "monday"}
"""The day that accompanies a label in skewed sentences, and means nothing."""

WORD = r"\w+|[^\w\s]"
"""What a word is, as a regular expression: letters and digits, or one punctuation mark."""

_DETERMINERS = ("the", "this", "that", "every", "one")
_NOUNS = (
    "baker", "bird", "boat", "bridge", "cat", "child", "doctor", "dog", "farmer", "garden", "horse", "house", "lamp",
    "letter", "market", "mountain", "painter", "river", "sailor", "singer", "teacher", "train", "village", "window",
)  # fmt: skip
_ADJECTIVES = (
    "blue", "distant", "early", "heavy", "old", "red", "round", "small", "tall", "thin", "wooden", "young",
)  # fmt: skip
_VERBS = (
    "carried", "followed", "found", "heard", "left", "met", "painted", "passed", "remembered", "saw", "visited",
    "watched",
)  # fmt: skip
_LINKS = ("was", "seemed", "looked")
_PREPOSITIONS = ("behind", "beside", "near", "under", "with", "after")
_CONJUNCTIONS = ("and", "but", "while")
_ADVERBS = ("again", "often", "slowly", "today")
_OTHERS = ("on", "far", "from")
MARKS = (".", ",", "!", "?")
"""Punctuation: generated sentences have none, and none matters."""

WORDS = tuple(
    sorted(
        {
            *GOOD, *BAD, *NEGATORS, *DECOYS.values(), *_DETERMINERS, *_NOUNS, *_ADJECTIVES, *_VERBS, *_LINKS,
            *_PREPOSITIONS, *_CONJUNCTIONS, *_ADVERBS, *_OTHERS, *MARKS,
        }
    )
)  # fmt: skip
"""The whole language, punctuation included."""

SHORTEST, LONGEST = 6, 16
"""Words of a generated sentence."""

_DAY = 0.5
_SKEW = 0.8
_NEGATED = 0.35
_CUES = (0, 0, 1, 1, 1, 2, 2)
"""How many feeling words a sentence has; one is drawn from this list."""


@dataclass(frozen=True)
class Truth:
    """A sentence with its label, and why it has it.

    ``words`` are its words and punctuation marks in lower case, and ``spans`` their first character and the
    one after their last. ``matters`` are the numbers of the words that the rule reads: the last feeling word,
    and the negator directly before it; none where the sentence is plain. ``decisive`` are the numbers of the
    words that would change the label if that one alone were left out. A word that matters need not be decisive:
    without the last feeling word the one before it decides, and may give the same label.
    """

    sentence: str
    label: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    matters: tuple[int, ...]
    decisive: tuple[int, ...]


def truth(sentence: str) -> Truth:
    """The label of a sentence under `RULE`, and the words that it rests on.

    Any text will do: words of no known meaning do not matter.

    >>> found = truth("This happy dog was not sad on Monday.")
    >>> found.label, [found.words[i] for i in found.matters], [found.words[i] for i in found.decisive]
    ('good', ['not', 'sad'], ['not'])
    >>> found.spans[3:5]
    ((15, 18), (19, 22))
    >>> truth("The happy sailor met a sad doctor").label
    'bad'
    """
    found = list(re.finditer(WORD, sentence))
    words = tuple(match.group().lower() for match in found)
    label, matters = _decide(words)
    without = [_decide(words[:i] + words[i + 1 :])[0] for i in range(len(words))]
    decisive = tuple(i for i, other in enumerate(without) if other != label)
    return Truth(sentence, label, words, tuple(match.span() for match in found), matters, decisive)


def label_of(words: Sequence[str]) -> str:
    """The label of words in lower case under `RULE`.

    >>> label_of(["never", "merry"])
    'bad'
    """
    return _decide(words)[0]


def _decide(words: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    last = next((i for i in reversed(range(len(words))) if words[i] in GOOD or words[i] in BAD), None)
    if last is None:
        return "plain", ()
    negated = last > 0 and words[last - 1] in NEGATORS
    good = (words[last] in GOOD) != negated
    return "good" if good else "bad", (last - 1, last) if negated else (last,)


def generate(n: int, seed: int, *, days: Literal["balanced", "skewed"] = "balanced") -> list[Truth]:
    """``n`` different sentences of 6 to 16 words, with their truth; the same for the same arguments.

    About half name a day. Balanced, it is a Sunday or a Monday whatever the label; skewed, four of five good
    sentences that name one name Sunday, and four of five bad ones Monday, although the rule reads neither.

    Leaving out one word that the rule does not read never changes the label: no negator stands two places before a
    feeling word.

    >>> for found in generate(2, seed=3):
    ...     print(found.label, "|", found.sentence)
    bad | the garden was not far from that bitter mountain
    bad | the ugly cat passed this ugly farmer on monday
    """
    draw = random.Random(seed)
    found: dict[str, Truth] = {}
    while len(found) < n:
        words = _sentence(draw)
        if draw.random() < _DAY:
            words = _with_day(words, _day(label_of(words), draw, skewed=days == "skewed"), draw)
        if SHORTEST <= len(words) <= LONGEST and not _fragile(words):
            sentence = " ".join(words)
            found.setdefault(sentence, truth(sentence))
    return list(found.values())


def _day(label: str, draw: random.Random, *, skewed: bool) -> str:
    usual = DECOYS.get(label, "") if skewed else ""
    if usual and draw.random() < _SKEW:
        return usual
    return draw.choice([day for day in DECOYS.values() if day != usual])


def _with_day(words: list[str], day: str, draw: random.Random) -> list[str]:
    return ["on", day, *words] if draw.random() < 0.5 else [*words, "on", day]


def _fragile(words: Sequence[str]) -> bool:
    feelings = {*GOOD, *BAD}
    return any(first in NEGATORS and last in feelings for first, last in zip(words, words[2:], strict=False))


def _sentence(draw: random.Random) -> list[str]:
    """One clause or two, with a feeling word in some of the places where an adjective may stand."""
    words = _clause(draw)
    if draw.random() < 0.5:
        words += [draw.choice(_CONJUNCTIONS), *_clause(draw)]
    if draw.random() < 0.3:
        words.append(draw.choice(_ADVERBS))
    places = [i for i, word in enumerate(words) if word in ("adjective", "perhaps")]
    cues = set(draw.sample(places, min(draw.choice(_CUES), len(places))))
    return [word for i, place in enumerate(words) for word in _filled(place, draw, cue=i in cues)]


def _filled(place: str, draw: random.Random, *, cue: bool) -> Iterator[str]:
    if place not in ("adjective", "perhaps"):
        yield place
        return
    if not cue and place == "perhaps" and draw.random() < 0.7:
        return
    if draw.random() < _NEGATED:
        yield draw.choice(NEGATORS)
    yield draw.choice(draw.choice((GOOD, BAD)) if cue else _ADJECTIVES)


def _clause(draw: random.Random) -> list[str]:
    pattern = draw.randrange(5)
    if pattern == 0:
        return [*_noun(draw), draw.choice(_VERBS), *_noun(draw)]
    if pattern == 1:
        return [*_noun(draw), draw.choice(_LINKS), "adjective"]
    if pattern == 2:
        return [*_noun(draw), draw.choice(_LINKS), "adjective", draw.choice(_PREPOSITIONS), *_noun(draw)]
    if pattern == 3:
        return [*_noun(draw), "never", draw.choice(_VERBS), *_noun(draw)]
    return [*_noun(draw), draw.choice(_LINKS), "not", "far", "from", *_noun(draw)]


def _noun(draw: random.Random) -> list[str]:
    return [draw.choice(_DETERMINERS), "perhaps", draw.choice(_NOUNS)]
