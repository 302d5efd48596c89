"""Questions without a person to ask them: a phrase of a sentence becomes the answer, the rest of it the question.

After Lewis et al. 2019 (unsupervised question answering by cloze translation): a question word stands for the
phrase, the parts of the sentence change places, and some words are lost, so that matching is not copying.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course.training.recipe import data_file
from course.training.squad import Question, Span

NEWS = "mrpc/msr_paraphrase_train.txt"
KEPT_OUT = frozenset({"849568", "849504", "392504", "392701"})
"""Sentences of MRPC that the lessons show."""

LOST = 0.2
"""Share of the words that a question loses."""
SIDE = 9
"""Words of the sentence that a question keeps at most on either side of the phrase."""

_NAME = r"[A-Z][\w'’.-]*\w(?:\s+(?:(?:of|the|de|von|van|and)\s+){0,2}[A-Z][\w'’-]*\w){0,4}"
_YEAR = r"\b(?:1\d{3}|20\d\d)\b"
_NUMBER = r"[$£€]?\d[\d,.]*(?:\s*(?:%|percent|million|billion|thousand|years|days|km|miles|m)\b)?"
_SMALL = (
    "a an the and or but of in on at to for from by with as is are was were be been being has have had do does did not"
    " no it its he she they his her their this that these those which who whom whose what when where how why than then"
    " there here also such other some any all both each more most many much into onto over under between through during"
    " after before about against among while if so because however although can could may might will would shall should"
    " must we our us you your i my me one only very even just up out off"
)
_STOP = frozenset(_SMALL.split())
_PHRASE = re.compile(
    rf"(?P<year>{_YEAR})|(?P<number>{_NUMBER})|(?P<name>{_NAME})|(?P<plain>[a-z][\w-]+(?:\s[a-z][\w-]+){{0,2}})"
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]?")
_DEFINITION = re.compile(
    r"(?:^|[,;:]\s)(?P<term>(?:(?:[Tt]he|[Aa]n?)\s)?(?:[\w'’-]+\s){1,5})"
    r"(?P<verb>is|are|was|were|refers? to|relates? to|means?|describes?|denotes?|deals? with|consists? of|involves?)\s"
    r"(?P<said>(?:a|an|the|any|one|those|how|to)\s[^.,;:()\[]{12,110})(?=[.,;:(\[])"
)
_PLACES = frozenset({"in", "at", "near", "from", "to"})


@dataclass(frozen=True)
class Phrase:
    """A part of a text that can be asked for, the kind it is of, and the sentence that it stands in."""

    span: Span
    kind: str
    sentence: Span


def phrases(text: str) -> Iterator[Phrase]:
    """Years, numbers, names and plain phrases of a text, in order; none crosses a sentence's end or a small word."""
    for sentence in _SENTENCE.finditer(text):
        if len(sentence.group().split()) < 6:
            continue
        for match in _PHRASE.finditer(text, *sentence.span()):
            kind, words = match.lastgroup or "", match.group().split()
            small = [word.lower() in _STOP for word in words]
            if kind == "plain" and any(small):
                continue
            if kind == "name" and small[0]:
                continue
            end = match.start() + len(match.group().rstrip(".,"))
            yield Phrase((match.start(), end), kind, sentence.span())


def ask(text: str, phrase: Phrase, chance: random.Random) -> str:
    """A question for the phrase: a question word, and what is left of the words around it in their sentence.

    >>> text = "In 1886 Tesla formed a company with Robert Lane in New Jersey."
    >>> name = next(phrase for phrase in phrases(text) if phrase.kind == "name" and phrase.span[0] > 9)
    >>> ask(text, name, random.Random(2)).endswith("?")
    True
    """
    (start, end), (first, last) = phrase.span, phrase.sentence
    before, after = re.findall(r"[\w$%'’-]+", text[first:start]), re.findall(r"[\w$%'’-]+", text[end:last])
    asked = _asked(phrase.kind, before[-1].lower() if before else "", text[start:end], chance)
    left, right = before[-chance.randint(3, SIDE) :], after[: chance.randint(3, SIDE)]
    left, right = ([word for word in side if chance.random() >= LOST] for side in (left, right))
    form = chance.random()
    if form < 0.5:
        words = [asked, *right, *left]
    elif form < 0.75:
        words = [*left, asked, *right]
    else:
        words = [asked, *left, *right]
    return " ".join(words) + "?"


def _asked(kind: str, previous: str, phrase: str, chance: random.Random) -> str:
    if kind == "year":
        return chance.choice(["when", "what year", "in what year"])
    if kind == "number":
        if phrase[0] in "$£€":
            return "how much"
        if "%" in phrase or "percent" in phrase:
            return chance.choice(["what percentage", "how much"])
        return chance.choice(["how many", "how many", "how much", "what number"])
    if kind == "name":
        return chance.choice(["where", "what", "which"] if previous in _PLACES else ["who", "who", "what", "which"])
    return chance.choice(["what", "what", "what", "which", "how", "why"])


SHARES = {"name": 1.0, "number": 1.0, "year": 1.0, "plain": 0.35}
"""How often a phrase of each kind is taken: plain ones are most frequent, and asked for least."""


def clozes(text: str, most: int, chance: random.Random) -> list[Question]:
    """At most so many questions on a text, drawn from all its phrases."""
    found = [phrase for phrase in phrases(text) if chance.random() < SHARES[phrase.kind]]
    chosen = chance.sample(found, min(most, len(found)))
    return [Question(ask(text, phrase, chance), text, (phrase.span,)) for phrase in chosen]


def definitions(text: str) -> list[Question]:
    """The questions "what is X?" for the sentences of a text that say it.

    >>> [(question.text, question.golds) for question in definitions("Flow cytometry is a method for sorting cells.")]
    [('What is flow cytometry?', ('a method for sorting cells',))]
    """
    found = []
    for sentence in _SENTENCE.finditer(text):
        said = sentence.group().lstrip()
        match = _DEFINITION.search(said)
        if match is None:
            continue
        first, *rest = match["term"].split()
        article = first.lower() in ("a", "an", "the")
        if (first.lower() in _STOP and not article) or any(word.lower() in _STOP for word in rest):
            continue
        verb = match["verb"] if match["verb"] in ("are", "was", "were") else "is"
        term = " ".join([first.lower() if article or first[1:].islower() else first, *rest])
        start = sentence.end() - len(said) + match.start("said")
        found.append(Question(f"What {verb} {term}?", text, ((start, start + len(match["said"].rstrip())),)))
    return found


def passages(text: str, words: int) -> list[str]:
    """A long text as passages of whole sentences, of at most so many words unless one sentence has more.

    A rest of fewer than 20 words is left out.
    """
    found, kept = [], ""
    for sentence in _SENTENCE.finditer(text):
        if kept and len(kept.split()) + len(sentence.group().split()) > words:
            found.append(kept)
            kept = ""
        kept = f"{kept} {sentence.group().strip()}".strip()
    return [*found, kept] if len(kept.split()) >= 20 else found


def retold(data: Path, chance: random.Random) -> list[Question]:
    """Questions made of one sentence and answered by another that says the same: MRPC's paraphrases (training file).

    The phrase asked for is in both; the answering sentence stands among others, so that it must be found.
    """
    with data_file(data, NEWS).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    rows = [row for row in rows if not KEPT_OUT & {row[1], row[2]}]
    sentences = [row[4] for row in rows]
    found = []
    for same, _, _, one, other in rows:
        if same != "1":
            continue
        asking, telling = chance.sample((one, other), 2)
        both = [p for p in phrases(asking) if p.kind != "plain" and telling.count(asking[slice(*p.span)]) == 1]
        if not both:
            continue
        phrase = chance.choice(both)
        answer = asking[slice(*phrase.span)]
        around = [text for text in chance.sample(sentences, 3) if answer not in text]
        around.insert(chance.randint(0, len(around)), telling)
        start = sum(len(text) + 1 for text in around[: around.index(telling)]) + telling.index(answer)
        found.append(Question(ask(asking, phrase, chance), " ".join(around), ((start, start + len(answer)),)))
    return found
