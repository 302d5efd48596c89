"""Tweets with the emoji that was taken out of each: reading them, keeping sets apart, and a linear teacher."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course.training.recipe import TrainingError, data_file

FOLDER = "emoji-es"
SELECTOR = "\ufe0f"
"""Variation selector 16: the invisible second half of ❤️, which the publishers left in when they took out the ❤."""
SVM_STRENGTH = 0.1
"""C of the linear SVM: the best sum of accuracy and macro-F1 of 0.1, 0.3 and 1 in cross-validation."""


@dataclass(frozen=True)
class Tweets:
    """Texts, and for each the number of the emoji that stood in it."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def wanted(self) -> NDArray[np.intp]:
        """The labels as an array."""
        return np.asarray(self.labels, dtype=np.intp)

    def chosen(self, numbers: Iterable[int]) -> Tweets:
        """The tweets of these numbers, in this order."""
        kept = list(numbers)
        return Tweets(tuple(self.texts[i] for i in kept), tuple(self.labels[i] for i in kept))


def read(data: Path, part: str) -> Tweets:
    """One part of the set, "trial" or "test". Raises TrainingError when its two files do not fit together."""
    texts = _lines(data_file(data, f"{FOLDER}/es_{part}.text"))
    labels = _lines(data_file(data, f"{FOLDER}/es_{part}.labels"))
    if len(texts) != len(labels):
        raise TrainingError(f"es_{part} has {len(texts)} texts and {len(labels)} labels; copy the set anew")
    return Tweets(tuple(text.strip() for text in texts), tuple(int(label) for label in labels))


def _lines(path: Path) -> list[str]:
    # Not splitlines(): tweets hold characters that it takes for ends of lines.
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def without(tweets: Tweets, others: Tweets) -> Tweets:
    """The tweets whose text is not among the others."""
    dropped = set(others.texts)
    return tweets.chosen(i for i, text in enumerate(tweets.texts) if text not in dropped)


def split(tweets: Tweets, held: float, seed: int = 0) -> tuple[Tweets, Tweets]:
    """Two parts, the second with the share ``held`` of the different texts: no text is in both."""
    different = sorted(set(tweets.texts))
    away = set(random.Random(seed).sample(different, round(held * len(different))))
    parts: tuple[list[int], list[int]] = [], []
    for i, text in enumerate(tweets.texts):
        parts[text in away].append(i)
    return tweets.chosen(parts[0]), tweets.chosen(parts[1])


def published(data: Path) -> list[tuple[str, float, float]]:
    """The systems of SemEval-2018 task 2 in Spanish: team (else user), macro-F1 and accuracy, 0 to 1."""
    lines = data_file(data, f"{FOLDER}/published_results_es.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = [[cell.strip() for cell in line.split("\t")] for line in lines if line.strip()]
    found = [dict(zip(header, row, strict=True)) for row in rows]
    return [
        (row["User"] if row["Team"] == "-" else row["Team"], float(row["F1"]) / 100, float(row["Accuracy"]) / 100)
        for row in found
    ]


def spaced(text: str) -> str:
    """A text in lower case, with spaces around each selector: it is a token of its own wherever it stands.

    >>> spaced("Te quiero\\ufe0f mucho") == "te quiero \\ufe0f mucho"
    True
    """
    return " ".join(text.lower().replace(SELECTOR, f" {SELECTOR} ").split())


def bare(texts: Sequence[str]) -> list[str]:
    """The texts without the selector."""
    return [" ".join(text.replace(SELECTOR, "").split()) for text in texts]


def features() -> Any:
    """TF-IDF of words and their pairs, and of 1 to 6 characters in a row: an unfitted scikit-learn transformer."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]
    from sklearn.pipeline import make_union  # type: ignore[import-untyped]

    settings: dict[str, Any] = {"preprocessor": spaced, "sublinear_tf": True, "dtype": np.float32}
    words = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]+", ngram_range=(1, 2), **settings)
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 6), min_df=2, **settings)
    return make_union(words, characters)


def svm(tweets: Tweets, texts: Sequence[str]) -> NDArray[np.intp]:
    """What a linear SVM on the teacher's features, fitted to the tweets, says of the texts."""
    from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

    transformer = features()
    known = transformer.fit_transform(tweets.texts)
    found: NDArray[np.intp] = (
        LinearSVC(C=SVM_STRENGTH, random_state=0).fit(known, tweets.wanted).predict(transformer.transform(texts))
    )
    return found


class Teacher:
    """Logistic regression on TF-IDF, fitted to tweets; it has an opinion on any text made of their words."""

    STRENGTH = 1.0
    """Inverse of the L2 penalty: the best likelihood of 1, 3 and 10 in four-fold cross-validation."""

    def __init__(self, tweets: Tweets) -> None:
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

        self._features = features()
        known = self._features.fit_transform(tweets.texts)
        self._regression = LogisticRegression(C=self.STRENGTH, max_iter=100, tol=1e-3).fit(known, tweets.wanted)
        if len(self._regression.classes_) <= max(tweets.labels):
            raise TrainingError("some emoji stands in no training tweet; give more examples")

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logarithms of the probabilities, texts x labels."""
        parts = [texts[i : i + 5000] for i in range(0, len(texts), 5000)]  # the features of all would fill the memory
        found = [self._regression.predict_log_proba(self._features.transform(part)) for part in parts]
        return np.concatenate(found).astype(np.float32)


def recombined(texts: Sequence[str], number: int, draw: random.Random) -> list[str]:
    """Made-up tweets, of pieces of real ones, for a teacher to label.

    A third are the beginning of one and the end of another, a quarter three phrases of three, a quarter a
    tweet with words left out, the rest a phrase.
    """
    words = [text.split() for text in texts]
    return [" ".join(_mixture(words, draw)) for _ in range(number)]


def _mixture(tweets: Sequence[list[str]], draw: random.Random) -> list[str]:
    first, second, third = (draw.choice(tweets) for _ in range(3))
    kind = draw.random()
    if kind < 0.35:
        return first[: draw.randint(1, len(first))] + second[draw.randrange(len(second)) :]
    if kind < 0.6:
        return [word for tweet in (first, second, third) for word in _phrase(tweet, draw)]
    if kind < 0.85:
        lost = draw.uniform(0.1, 0.5)
        return [word for word in first if draw.random() > lost] or first
    return _phrase(first, draw)


def _phrase(words: list[str], draw: random.Random) -> list[str]:
    start = draw.randrange(len(words))
    return words[start : start + draw.randint(2, 8)]


def varied(texts: Sequence[str], draw: random.Random) -> list[str]:
    """The texts with every sixth word exchanged: for one out of all different words, or for a cross of two.

    Rare words come up as often as common ones, and the pieces of words stand where no real word has them: so
    the student learns what the teacher, which reads characters, says of words that neither has met.
    """
    words = sorted({word for text in texts for word in text.split()})
    return [" ".join(_exchanged(word, words, draw) for word in text.split()) for text in texts]


def _exchanged(word: str, words: Sequence[str], draw: random.Random) -> str:
    chance = draw.random()
    if chance > 1 / 6:
        return word
    first, second = draw.choice(words), draw.choice(words)
    if chance > 1 / 12:
        return first
    return first[: draw.randint(1, len(first))] + second[draw.randrange(len(second)) :]
