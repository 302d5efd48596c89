"""Questions on texts: reading them, holding articles out of every set, and cutting windows around answers."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from course.training.recipe import data_file

XQUAD = "xquad/xquad.en.json"
PARAPHRASED = ("squad-paraphrased/dev_orig.json", "squad-paraphrased/dev_para.json")
COVID = "covid-qa/200423_covidQA.json"
POLICY = ("policy-qa/dev.json", "policy-qa/test.json")

Span = tuple[int, int]
"""Where an answer starts and ends (exclusive) in its text, in characters."""


@dataclass(frozen=True)
class Question:
    """A question on a text, and the spans of the text that answer it (at least one, none empty)."""

    text: str
    context: str
    answers: tuple[Span, ...]
    title: str = ""

    def __post_init__(self) -> None:
        if not self.answers or not all(0 <= start < end <= len(self.context) for start, end in self.answers):
            raise ValueError(f"the answers {self.answers} are no spans of the text of {self.text!r}")

    @property
    def golds(self) -> tuple[str, ...]:
        """The answers in words."""
        return tuple(self.context[start:end] for start, end in self.answers)


def read_squad(data: Path, *names: str) -> list[Question]:
    """The questions of files in the format of SQuAD (Rajpurkar et al. 2016) that have an answer in their text.

    An answer that is not where the file says is looked for nearby (COVID-QA counts some characters otherwise);
    one that is not in the text at all is left out, and so is a question without any.
    """
    found = []
    for name in names:
        for article in json.loads(data_file(data, name).read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                context = paragraph["context"]
                for asked in paragraph["qas"]:
                    spans = dict.fromkeys(filter(None, (_located(context, given) for given in asked["answers"])))
                    if spans:
                        title = article.get("title") or ""
                        found.append(Question(asked["question"].strip(), context, tuple(spans), title))
    return found


def _located(context: str, given: dict[str, Any]) -> Span | None:
    """The span of an answer without the white space around it: where it is stated to be, or the nearest."""
    text, stated = given["text"].strip(), int(given["answer_start"])
    places = [match.start() for match in re.finditer(re.escape(text), context)] if text else []
    if not places:
        return None
    start = min(places, key=lambda place: abs(place - stated))
    return start, start + len(text)


@dataclass(frozen=True)
class Split:
    """Questions of Wikipedia for training, for choosing settings, and for the one final score."""

    train: list[Question]
    validation: list[Question]
    test: list[Question]


def held_out(titles: Iterable[str]) -> tuple[list[str], list[str]]:
    """The articles of the test, every fifth in alphabetical order, and of validation, every eighth of the rest.

    >>> held_out("abcdefghijkl")
    (['a', 'f', 'k'], ['b', 'l'])
    """
    ordered = sorted(set(titles))
    rest = [title for title in ordered if title not in ordered[::5]]
    return ordered[::5], rest[::8]


def wikipedia(data: Path) -> Split:
    """XQuAD and the paraphrased SQuAD questions, split by article.

    The paraphrased set has no titles: each of its paragraphs counts as of the article of XQuAD that it is most
    like, and of a held-out one already where that comes near (``of_articles``). Test questions are those
    of XQuAD alone. Validation has them as asked, from both sets; their paraphrases serve neither.
    """
    xquad = read_squad(data, XQUAD)
    test, validation = held_out(question.title for question in xquad)
    shut = {*test, *validation}
    asked, paraphrased = (of_articles(read_squad(data, name), xquad, shut) for name in PARAPHRASED)
    train = [question for question in [*xquad, *asked, *paraphrased] if question.title not in shut]
    return Split(
        train=train,
        validation=[question for question in [*xquad, *asked] if question.title in validation],
        test=[question for question in xquad if question.title in test],
    )


NEAR = 1.25
"""How many times as like its best article a paragraph must be, to be kept from a held-out one that comes second."""


def of_articles(questions: Sequence[Question], articles: Sequence[Question], shut: Collection[str]) -> list[Question]:
    """The questions with the title of the article that their paragraph is most like.

    Likeness is the cosine of TF-IDF vectors, averaged over an article's paragraphs; a paragraph that the
    article has too is of that article. Articles of which the title is in ``shut`` are preferred: a paragraph
    is of the most like of those unless some other article is ``NEAR`` times as like.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]

    known = {question.context: question.title for question in articles}
    same = {normalised(context): title for context, title in known.items()}
    contexts = list(dict.fromkeys(question.context for question in questions))
    vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit([*known, *contexts])
    cosine = (vectors.transform(contexts) @ vectors.transform(list(known)).T).toarray()
    titles = sorted(set(known.values()))
    of = np.array([titles.index(title) for title in known.values()])
    likeness = np.stack([cosine[:, of == k].mean(axis=1) for k in range(len(titles))], axis=1)
    likeness[:, [titles.index(title) for title in shut]] *= NEAR
    best = {context: titles[k] for context, k in zip(contexts, likeness.argmax(axis=1), strict=True)}
    return [
        replace(question, title=same.get(normalised(question.context), best[question.context]))
        for question in questions
    ]


def texts(questions: Iterable[Question]) -> list[str]:
    """The different texts of some questions, in order."""
    return list(dict.fromkeys(question.context for question in questions))


def normalised(text: str) -> str:
    """The words of a text in lower case, one space between: equal for copies that differ in spelling only."""
    return " ".join(re.findall(r"\w+", text.lower()))


def window(question: Question, words: int, chance: random.Random) -> Question:
    """The question on about so many words of its text: whole sentences around one of the answers, drawn at random.

    The answer is anywhere in the window, so that its place says nothing. Answers outside are left out.
    """
    start, end = chance.choice(question.answers)
    ends = [match.end() for match in re.finditer(r"[.!?]\)?\s+|\n+", question.context)]
    edges = sorted({0, *ends, len(question.context)})
    sizes = [len(question.context[a:b].split()) for a, b in pairwise(edges)]
    first = max(i for i, edge in enumerate(edges[:-1]) if edge <= start)
    last = max(first, max(i for i, edge in enumerate(edges[:-1]) if edge < end))
    left = words - sum(sizes[first : last + 1])
    while left > 0:
        sides = ([first - 1] if first else []) + ([last + 1] if last + 1 < len(sizes) else [])
        if not sides:
            break
        side = chance.choice(sides)
        if sizes[side] > left:
            break
        left -= sizes[side]
        first, last = min(first, side), max(last, side)
    a, b = edges[first], edges[last + 1]
    inside = [(start, end), *(span for span in question.answers if span != (start, end))]
    kept = tuple((s - a, e - a) for s, e in inside if a <= s and e <= b)
    return replace(question, context=question.context[a:b], answers=kept)
