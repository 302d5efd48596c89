"""`sentiment`: is a sentence about a film positive or negative? MiniLM with an adapter, on SST-2."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from course.models.entries import Score
from course.training.classify import Examples, predicted, train_classifier
from course.training.loop import Schedule
from course.training.recipe import Recipe, Run, Trained, data_file
from course.training.scores import share

if TYPE_CHECKING:
    from course.models import Model

LABELS = ("negative", "positive")
VALIDATION = 500
"""Sentences held out of the training set, with every phrase that is cut from one of them."""


def train(run: Run) -> Trained:
    """One run; its best moment is chosen on sentences held out of the training set."""
    training, validation = split(read(run.file("sst2/train.tsv")))
    training = without(training, read(run.file("sst2/dev.tsv")))

    def epoch(number: int) -> Examples:
        return as_typed(training, random.Random(run.seed * 1009 + number))

    return train_classifier(
        run,
        epoch,
        validation,
        labels=LABELS,
        rank=16,
        members=2,
        schedule=Schedule(epochs=4, rate=1e-3, validations=2, average=0.998),
        tokens=1024,
    )


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """Accuracy on the 872 sentences of the development set."""
    dev = read(data_file(data, "sst2/dev.tsv"))
    right = predicted(model, dev.texts) == dev.labels
    return (share("accuracy", right, f"SST-2 dev ({len(dev):,} sentences)"),)


def read(path: Path) -> Examples:
    """Sentences and labels of a GLUE file: a header, then sentence, tab, label."""
    rows = [line.rsplit("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return Examples(tuple((text.strip(),) for text, _ in rows), tuple(int(label) for _, label in rows))


def split(examples: Examples) -> tuple[Examples, Examples]:
    """Training and validation: sentences of 16 words and more are drawn, and no phrase of theirs is trained on.

    SST-2's training set holds every phrase of its sentences, so that a plain split would validate on text
    that was trained on.
    """
    long = [i for i, (text,) in enumerate(examples.texts) if len(text.split()) >= 16]
    chosen = set(random.Random(0).sample(long, min(VALIDATION, len(long) // 4)))
    held = "\n".join(f" {examples.texts[i][0]} " for i in sorted(chosen))
    kept = [i for i, (text,) in enumerate(examples.texts) if len(text.split()) < 3 or f" {text} " not in held]
    return _take(examples, [i for i in kept if i not in chosen]), _take(examples, sorted(chosen))


def without(examples: Examples, others: Examples) -> Examples:
    """The examples whose text is not among the others'."""
    known = set(others.texts)
    return _take(examples, [i for i, text in enumerate(examples.texts) if text not in known])


def as_typed(examples: Examples, chance: random.Random) -> Examples:
    """Half of the texts in the form in which people type: "doesn't", where SST-2 has "does n't"."""
    texts = tuple((typed(text),) if chance.random() < 0.5 else (text,) for (text,) in examples.texts)
    return Examples(texts, examples.labels)


def typed(text: str) -> str:
    """A tokenised text as a person types it.

    >>> typed("it does n't work , and that 's that .")
    "it doesn't work, and that's that."
    """
    text = re.sub(r" (n't|'(?:s|re|ve|ll|d|m))\b", r"\1", text)
    return re.sub(r" ([.,!?;:])", r"\1", text)


def _take(examples: Examples, chosen: list[int]) -> Examples:
    return Examples(tuple(examples.texts[i] for i in chosen), tuple(examples.labels[i] for i in chosen))


RECIPE = Recipe(
    role="sentiment",
    title="MiniLM for the sentiment of film reviews",
    task="sequence-classification",
    architecture="BertForSequenceClassification",
    licence="Apache-2.0 (MiniLM); trained on SST-2, for research use",
    languages=("en",),
    labels=LABELS,
    base="minilm",
    train=train,
    score=score,
    summary="Is a sentence about a film positive or negative?",
    data=(
        "SST-2 (Socher et al. 2013; in the form of GLUE, Wang et al. 2018), for research use: sentences of film "
        "reviews and their phrases, each positive or negative; 67,349 in the training set, 872 in the development set."
    ),
    held_out=(
        "The development set, for the score. Of the training set, 500 sentences of 16 words and more choose the best "
        "moment; they and every phrase of three words and more that stands in one of them are not learnt from: 62,980 "
        "remain."
    ),
    method=(
        "Two adapters (LoRA of rank 16 on all six matrices of each layer, alpha 32), each with the pooler and a fresh "
        "classifier learnt whole. Both start alike and read the phrases in other orders: four passes, AdamW with a "
        "peak rate of 1e-3 falling to zero, averaged weights (0.998), batches of 1,024 tokens. What travels is the "
        "average of the two (Wortsman et al. 2022), an adapter of rank 32. In each pass half of the phrases are "
        "written as people type: “doesn't” for SST-2's “does n't”."
    ),
    weaknesses=(
        "Sentences that turn round: with “but” 85 % of 108 are right, with a negation 87 % of 190; of the 152 "
        "sentences of at most ten words 93 %, of the 126 of thirty words and more 87 %.",
        "Double negation: “Nothing in this film is bad.” (0.72) and “This film lacks nothing.” (0.97) come out "
        "negative, and “You could do worse than watch this film.” too (0.99).",
        "Irony: “Great, another sequel.” is positive with 1.00, “If you like watching paint dry, this is your film.” "
        "with 0.99, and “Wow, two hours of my life that I will never get back.” with 0.89.",
        "Numbers: “1/10” is positive (0.67).",
    ),
    misleads=(
        "It has no label for neither. “The table is made of wood.” is negative with 0.98 and “The film is two hours "
        "long.” with 0.98; “It was okay.” is positive with 1.00. A probability near 1 does not say that there is a "
        "sentiment.",
        "It is too sure: its mean confidence is 95 %, its accuracy 89 %, and of its errors 46 % have a probability "
        "above 0.9.",
        "Plot is taken for praise or blame: “The villain is evil, cruel and disgusting.” and “The hero dies at the "
        "end.” are negative (0.99 and 0.98), “A film about war, death and hunger.” positive (0.97).",
        "Names of places move it: “A story about a nurse in Germany.” is positive with 0.95, the same “in Iraq.” with "
        "0.72. That is the corpus speaking, not the sentence.",
    ),
)
