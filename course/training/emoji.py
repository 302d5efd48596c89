"""emoji-es: a small Spanish BERT that guesses which emoji stood in a tweet, taught by a linear model."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.models.entries import Score
from course.training.batches import by_length, inputs, shuffled
from course.training.loop import Outcome, Schedule, fit, seed_everything
from course.training.recipe import Recipe, Run, Trained
from course.training.scores import resampled, share
from course.training.tweets import (
    Teacher,
    Tweets,
    bare,
    published,
    read,
    recombined,
    split,
    svm,
    varied,
    without,
)
from course.training.wordpiece import vocabulary

if TYPE_CHECKING:
    from course.models import Model

LABELS = (
    "❤",
    "😍",
    "😂",
    "💕",
    "😊",
    "😘",
    "💪",
    "😉",
    "👌",
    "🇪🇸",
    "😎",
    "💙",
    "💜",
    "😜",
    "💞",
    "✨",
    "🎶",
    "💘",
    "😁",
)
"""In the order of es_mapping.txt."""
WATCHED = 0.05
"""Share of the tweets that training is watched on; settings were chosen on another split, with a fifth."""
VOCABULARY = 7_000
"""With 192 numbers a token, what fits into 4.5 MB in half precision beside two layers."""
WIDTH, LAYERS, HEADS = 192, 2, 4
LONGEST = 128
"""Tokens of an input; the longest tweet has 65."""
MADE, REPEATS, STRANGE = 16, 3, 8
"""For each real tweet: made-up ones and times itself in the first stage, and made-up ones in the second."""
TOKENS = 1_800
"""Tokens in a batch: about a hundred tweets."""
PRIOR = 0.5
"""Share of the logarithm of each emoji's frequency that is taken off: common emojis win less often. The teacher's
sum of accuracy and macro-F1 in cross-validation is 37.5, 40.2, 40.4, 40.4 and 38.2 with 0, 0.3, 0.5, 0.6 and 0.8."""
DROPOUT = 0.05
PLAIN = Schedule(epochs=2, rate=2e-3, warmup=0.05, average=0.998, validations=2, betas=(0.9, 0.98))
VARIED = Schedule(epochs=1, rate=1e-3, warmup=0.05, average=0.998, validations=2, betas=(0.9, 0.98))


def fresh(tokenizer: Any) -> Any:
    """A BERT of two layers that has learnt nothing yet. Seed before the call."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=LONGEST,
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=DROPOUT,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        pad_token_id=tokenizer.pad_token_id,
    )
    return BertForSequenceClassification._from_config(config, attn_implementation="eager")


def learnt(data: Path) -> tuple[Tweets, Tweets]:
    """The tweets to learn from and those that training is watched on: none has the text of a test tweet."""
    return split(without(read(data, "trial"), read(data, "test")), WATCHED)


def train(run: Run) -> Trained:
    """One run: fit the teacher, let it label made-up tweets, and teach its answers to a BERT, in two stages."""
    clock = time.process_time()
    training, watched = learnt(run.data)
    training = training.chosen(range(len(training))[: run.examples])
    teacher, tokenizer = Teacher(training), vocabulary(training.texts, VOCABULARY, LONGEST)
    fitted = time.process_time() - clock
    seed_everything(run.seed)
    module = fresh(tokenizer).to(run.device)
    plain = recombined(training.texts, MADE * len(training), random.Random(run.seed))
    outcome = teach(module, tokenizer, teacher, [*training.texts * REPEATS, *plain], watched, PLAIN, run, "emoji-es")
    draw = f"{run.seed} varied"
    strange = varied(recombined(training.texts, STRANGE * len(training), random.Random(draw)), random.Random(draw))
    seed_everything(run.seed)
    last = teach(module, tokenizer, teacher, [*training.texts, *strange], watched, VARIED, run, "emoji-es-varied")
    last.steps, last.best_step = last.steps + outcome.steps, last.best_step + outcome.steps
    last.seconds += outcome.seconds + fitted
    later = [(step + outcome.steps, loss, score) for step, loss, score in last.history]
    last.history = [*outcome.history, *later]
    module.classifier.bias.data += torch.from_numpy(adjustment(frequencies(training))).to(run.device)
    return Trained(module, tokenizer, last)


def teach(
    module: Any,
    tokenizer: Any,
    teacher: Teacher,
    texts: list[str],
    watched: Tweets,
    schedule: Schedule,
    run: Run,
    name: str,
) -> Outcome:
    """Let the module learn what the teacher says of these texts; it is watched on other ones."""
    clock = time.process_time()
    taught, wanted = centred(teacher(texts)), centred(teacher(watched.texts))
    encodings = tokenizer(texts, truncation=True, max_length=LONGEST).encodings
    prepared = time.process_time() - clock

    def plan(epoch: int) -> list[list[int]]:
        return by_length([len(e.ids) for e in encodings], TOKENS, shuffled(run.seed, epoch))

    def loss(batch: list[int]) -> torch.Tensor:
        given = inputs(encodings, batch, tokenizer.pad_token_id)
        found = module(**{key: tensor.to(run.device) for key, tensor in given.items()}).logits.float()
        return torch.nn.functional.mse_loss(found, torch.from_numpy(taught[batch]).to(run.device))

    def validate() -> float:
        return explained(logits(module, tokenizer, watched.texts), wanted)

    outcome = fit(module, plan, loss, validate, schedule, run, name=name)
    outcome.seconds += prepared
    return outcome


def frequencies(tweets: Tweets) -> NDArray[np.float32]:
    """The share of each emoji."""
    return (np.bincount(tweets.wanted, minlength=len(LABELS)) / len(tweets)).astype(np.float32)


def centred(answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log probabilities as the logits that a student learns: with a mean of 0 in each row."""
    found: NDArray[np.float32] = answers - answers.mean(axis=1, keepdims=True)
    return found


def adjustment(frequency: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each emoji's logit gains: a share of the logarithm of its frequency is taken off, with a mean of 0.

    This is the logit adjustment of Menon et al. 2021; the whole of it would serve the mean over emojis best, none
    of it the share of right answers.
    """
    found: NDArray[np.float32] = -PRIOR * centred(np.log(frequency)[None])[0]
    return found


def explained(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """The share of the variance of the teacher's answers that the student gives too (R²); 1 is perfect."""
    return float(1 - ((found - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())


def logits(module: Any, tokenizer: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Texts x labels."""
    encodings = tokenizer(list(texts), truncation=True, max_length=LONGEST).encodings
    device = next(module.parameters()).device
    found = np.zeros((len(texts), module.config.num_labels), dtype=np.float32)
    with torch.no_grad():
        for batch in by_length([len(e.ids) for e in encodings], 4096, shuffled(0, 0)):
            given = inputs(encodings, batch, tokenizer.pad_token_id)
            found[batch] = module(**{name: each.to(device) for name, each in given.items()}).logits.float().cpu()
    return found


def macro_f1(found: NDArray[np.intp], wanted: NDArray[np.intp]) -> float:
    """The mean over all emojis of F1, in which a rare emoji counts as much as a common one; 0 to 1.

    >>> round(macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1])) * len(LABELS), 3)  # two of them at 2/3
    1.333
    """
    right, given, there = (
        np.bincount(numbers, minlength=len(LABELS)) for numbers in (wanted[found == wanted], found, wanted)
    )
    return float(np.mean(2 * right / np.maximum(given + there, 1)))


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """Accuracy and macro-F1 on the test as published, and again without the selector that gives the ❤ away."""
    test = read(data, "test")
    found: list[Score] = []
    for suffix, name, texts in (
        ("", f"es_test, {len(test):,} tweets", test.texts),
        (" without U+FE0F", f"es_test, {len(test):,} tweets, that character removed", bare(test.texts)),
    ):
        answers = logits(model.module, model.tokenizer, texts).argmax(1)
        found.append(share(f"accuracy{suffix}", answers == test.wanted, name))
        found.append(_macro(f"macro-F1{suffix}", answers, test.wanted, name))
    return tuple(found)


def _macro(title: str, found: NDArray[np.intp], wanted: NDArray[np.intp], name: str) -> Score:
    return resampled(title, lambda chosen: macro_f1(found[chosen], wanted[chosen]), len(wanted), name)


def comparison(data: Path, scores: Sequence[Score] = ()) -> str:
    """A table of the published systems, baselines, and the model with these scores, the best macro-F1 first."""
    test, trial = read(data, "test"), without(read(data, "trial"), read(data, "test"))
    rows = [*published(data)]
    common = np.full(len(test), frequencies(trial).argmax(), dtype=np.intp)
    training = learnt(data)[0]
    taught = (Teacher(training)(test.texts) + adjustment(frequencies(training))).argmax(1)
    baselines = {
        "*always ❤*": common,
        "**TF-IDF + linear SVM**, same tweets": svm(trial, test.texts),
        "**its teacher**: TF-IDF + logistic regression": taught,
    }
    rows += [
        (name, macro_f1(found, test.wanted), float(np.mean(found == test.wanted))) for name, found in baselines.items()
    ]
    if scores:
        values = {each.name: each.value for each in scores}
        rows.append(("**this model**", values["macro-F1"], values["accuracy"]))
    rows.sort(key=lambda row: -row[1])
    lines = [f"| {name} | {100 * f1:.1f} | {100 * accuracy:.1f} |" for name, f1, accuracy in rows]
    return "\n".join(["| system | macro-F1 | accuracy |", "|---|---|---|", *lines, "", NOTE])


NOTE = """The published systems learnt from about ten times as many tweets as the 10,000 of the trial set that were to
be had here; the SVM, the teacher and this model learnt from those alone."""

RECIPE = Recipe(
    role="emoji-es",
    title="Small Spanish BERT for emojis",
    task="sequence-classification",
    architecture="BertForSequenceClassification",
    licence="research use (SemEval-2018)",
    languages=("es",),
    labels=LABELS,
    train=train,
    score=score,
    comparison=comparison,
    summary="Which of 19 emojis stood in a Spanish tweet?",
    data="SemEval-2018 task 2 in Spanish (Barbieri et al. 2018): 10,000 anonymised tweets of the trial set, each with "
    "the one of 19 emojis that was taken out of it; for research use. 9,475 of them taught, 500 were watched.",
    held_out="All of es_test (10,000 tweets): teacher, vocabulary and made-up tweets come from the trial set alone. "
    "The 12 texts that stand in both (25 tweets of the trial set) were left out. The lesson's two examples are in "
    "es_test.",
    method="Distillation. A logistic regression on TF-IDF of words and of 1 to 6 characters, the teacher, is fitted to "
    "the tweets; it labels tweets made up of pieces of them, and BERT (2 layers, 192 numbers, 4 heads) learns its "
    "logits by squared error: first 151,600 made-up tweets, twice, then 75,800 in which every sixth word is exchanged. "
    "That second stage raised the share of the teacher's variance that BERT explains on the watched tweets from 0.83 "
    "to 0.86. Half of the logarithm of each emoji's frequency is taken off its logit, the share with the best sum of "
    "accuracy and macro-F1 of the teacher in four-fold cross-validation; on the 500 watched tweets 0.4 was better "
    "(25.2 % and 14.1 %, not 22.8 % and 13.4 %). The test was scored twice: after the first stage, with 0.4 (32.7 % "
    "and 13.5 %), and after the second. Made in bfloat16, about 11 processor minutes a seed.",
    weaknesses=(
        "It guesses: a third of its answers on the test are right, and the right emoji is among its first three "
        "for 54 %.",
        "Eight emojis it hardly knows: 💙 💜 💞 💘 😁 😜 ✨ 👌 have an F1 of 5 % or less; it is best at ❤ (58 %), "
        "😂 (47 %) and 🇪🇸 (39 %).",
        'It does not read "no": "Te quiero", "No te quiero" and "Ya no te quiero" are all ❤, and "Hoy murió mi '
        'abuelo" too.',
        'The lesson\'s "Tapas + sangria = @ Ocaña Barcelona" gets ❤ (0.12) before the true 🇪🇸 (0.10).',
        "Its teacher (34.8 % and 15.7 %) and a linear SVM with the same features (35.5 % and 13.6 %) have the "
        "better accuracy.",
    ),
    misleads=(
        "An invisible character answers for it. The publishers took out ❤ but often left its second half, U+FE0F: in "
        "1,199 test tweets, every one of them ❤, and it gets 1,100 of these right. With that character removed from "
        "the test, accuracy falls from 33.2 % to 26.0 %. Add it to a tweet that was given another emoji and 74 % "
        'become ❤; so does a greeting that has a ☀️: "Buenos días" is 😊, "☀️ Buenos días" is ❤ (0.52).',
        "Its attention draws pictures of word order that it does not use: with the words of a tweet shuffled, 93 % of "
        "its answers stay, and accuracy too (32.9 %). Its teacher knows words and pairs, no sentences.",
        "Its probabilities are too low: the first is 0.21 on average, and right for 33 %; from 0.4 to 0.6, 82 % "
        "are right.",
        'A place is not an explanation: cut from " @ " on, 36 % of the tweets that name a place get another emoji, yet '
        "as many are right without it (33.1 %) as with it (32.6 %).",
    ),
)
