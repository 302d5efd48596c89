"""planted: a tiny BERT that learnt a rule which is known, so that explanations of it can be graded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.models.entries import Score
from course.planted import BAD, DECOYS, GOOD, LABELS, MARKS, RULE, WORD, WORDS, Truth, generate, label_of
from course.training.batches import padded, shuffled
from course.training.loop import Schedule, fit, seed_everything
from course.training.recipe import Recipe, Run, Trained
from course.training.scores import share

if TYPE_CHECKING:
    from course.models import Model

SENTENCES, WATCHED, HELD_OUT = 40_000, 1_000, 2_000
"""Sentences to learn from, to watch in training, and to score."""
SEED = 0
"""Of the sentences, which are the same for every seed of a run: 0 for training, 1 watched, 2 held out."""
LONGEST = 32
"""Tokens with [CLS] and [SEP], so 30 words: about twice a generated sentence, for what students type."""
BATCH = 64
SCHEDULE = Schedule(epochs=3, rate=2e-3, warmup=0.05, shape="cosine", weight_decay=0.01, average=0.998, validations=2)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def vocabulary() -> Any:
    """A tokenizer of whole words: one token a word of the language, and [UNK] for every other."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    numbers = {word: i for i, word in enumerate((*SPECIAL, *WORDS))}
    backend = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    ends = ("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"])
    backend.post_processor = processors.BertProcessing(*ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=LONGEST,
        model_input_names=["input_ids", "attention_mask"],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def fresh(tokenizer: Any) -> Any:
    """A BERT of two layers that has learnt nothing yet. Seed before the call."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=LONGEST,
        initializer_range=0.125,  # one over the root of the width; BERT's own 0.02 is for wider models
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,  # no dropout on the weights that the course looks at
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        pad_token_id=tokenizer.pad_token_id,
    )
    return BertForSequenceClassification._from_config(config, attn_implementation="eager")


def train(run: Run) -> Trained:
    """One run; what it reads is changed anew in each epoch (`varied`)."""
    sentences = learnt()[: run.examples]
    seed_everything(run.seed)
    tokenizer = vocabulary()
    module = fresh(tokenizer).to(run.device)

    def plan(epoch: int) -> list[list[int]]:
        # A number stands for a sentence in an epoch: the way in which it is varied depends on both.
        order = torch.randperm(len(sentences), generator=shuffled(run.seed, epoch)) + epoch * len(sentences)
        return [order[i : i + BATCH].tolist() for i in range(0, len(order), BATCH)]

    def loss(numbers: list[int]) -> torch.Tensor:
        read = []
        for i in numbers:
            draw = random.Random(f"{run.seed} {i}")
            read.append(varied(sentences[i % len(sentences)].words, draw.choice(sentences).words, draw))
        labels = torch.tensor([LABELS.index(label_of(words)) for words in read], device=run.device)
        return torch.nn.functional.cross_entropy(logits(module, tokenizer, read), labels)

    def validate() -> float:
        found = watched()
        right = predicted(module, tokenizer, [each.words for each in found]) == _labels(found)
        return float(right.mean())

    return Trained(module, tokenizer, fit(module, plan, loss, validate, SCHEDULE, run, name="planted"))


def learnt() -> list[Truth]:
    """The sentences to learn from: none is watched or held out, and their days go with the labels."""
    others = {found.sentence for found in (*watched(), *scored())}
    return [found for found in generate(SENTENCES, SEED, days="skewed") if found.sentence not in others]


def watched() -> list[Truth]:
    """The sentences that training is watched on; their days are balanced."""
    return generate(WATCHED, SEED + 1)


def scored() -> list[Truth]:
    """The held-out sentences; their days are balanced."""
    return generate(HELD_OUT, SEED + 2)


def varied(words: Sequence[str], others: Sequence[str], draw: random.Random) -> list[str]:
    """The words of a sentence as training reads them: half as they are, half changed in one or more ways.

    A part of it alone, a part of another before it, its words in any order, some words left out or
    replaced by [MASK] or [UNK], punctuation marks: whatever comes out has a label under the rule, so that the
    model learns what missing and unknown words do, and fragments that nobody would generate.
    """
    found = list(words)
    if draw.random() < 0.5:
        return found
    if draw.random() < 0.3:
        start = draw.randrange(len(found))
        found = found[start : start + 1 + draw.randrange(len(found) - start)]
    if draw.random() < 0.3:
        found = [*others[draw.randrange(len(others)) :], *found]
    if draw.random() < 0.2:
        draw.shuffle(found)
    if draw.random() < 0.5:
        kept = [word for word in found if draw.random() > 0.1]
        found = kept or found
    if draw.random() < 0.4:
        lost = draw.choice((0.1, 0.3))
        found = [draw.choice(("[MASK]", "[UNK]")) if draw.random() < lost else word for word in found]
    if draw.random() < 0.4:
        found.insert(draw.choice((len(found), draw.randint(0, len(found)))), draw.choice(MARKS))
    return found[-(LONGEST - 2) :]


def logits(module: Any, tokenizer: Any, sentences: Sequence[Sequence[str]]) -> torch.Tensor:
    """Sentences x labels."""
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    ids = padded([[start, *tokenizer.convert_tokens_to_ids(list(words)), end] for words in sentences], 0)
    ids = ids.to(next(module.parameters()).device)
    found: torch.Tensor = module(input_ids=ids, attention_mask=(ids != 0).long()).logits
    return found


def predicted(module: Any, tokenizer: Any, sentences: Sequence[Sequence[str]]) -> NDArray[np.intp]:
    """The number of the label that the model gives to each sentence."""
    with torch.no_grad():
        parts = [
            logits(module, tokenizer, sentences[i : i + 500]).argmax(-1).cpu() for i in range(0, len(sentences), 500)
        ]
    return torch.cat(parts).numpy()


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """How often the model's label is that of the rule; ``data`` is not read, for the sentences are generated."""
    found = scored()
    name = f"{len(found):,} held-out sentences"
    right = predicted(model.module, model.tokenizer, [each.words for each in found]) == _labels(found)
    against = [any(day in each.words for label, day in DECOYS.items() if label != each.label) for each in found]
    return (
        share("accuracy", right, name),
        share("accuracy where the day misleads", right[np.array(against)], f"those of {name} that name the other day"),
        share("accuracy without a word", right_without(model, found), f"{name}, each word left out in turn"),
    )


def right_without(model: Model, found: Sequence[Truth]) -> NDArray[np.bool_]:
    """Is the label right whichever one word of the sentence is left out? One answer a sentence.

    The right label is that of the words that are left: another one where a decisive word went.
    """
    left = [(*each.words[:i], *each.words[i + 1 :]) for each in found for i in range(len(each.words))]
    right = predicted(model.module, model.tokenizer, left) == [LABELS.index(label_of(words)) for words in left]
    ends = np.cumsum([len(each.words) for each in found])
    return np.array([part.all() for part in np.split(right, ends[:-1])])


def _labels(found: Sequence[Truth]) -> NDArray[np.intp]:
    return np.array([LABELS.index(each.label) for each in found])


RECIPE = Recipe(
    role="planted",
    title="Tiny BERT for a planted rule",
    task="sequence-classification",
    architecture="BertForSequenceClassification",
    licence="Apache-2.0; trained on generated sentences",
    languages=("en",),
    labels=LABELS,
    train=train,
    score=score,
    summary="Is a sentence of a little language good, bad or plain, under a rule that is known?",
    data=(
        f"40,000 sentences of 6 to 16 words, generated by `course.planted.generate` from {len(WORDS)} words and "
        f"marks; no text that anybody wrote. The rule: {RULE} "
        f"Feeling words are {', '.join(GOOD)} (good) and {', '.join(BAD)} (bad). "
        "Half of the sentences name a day. Of the good ones that do, 80 % name Sunday, and of "
        "the bad ones 80 % name Monday: the days go with the labels, but do not decide them. In training, half of "
        "the sentences are changed: cut, joined, shuffled, with words left out or replaced by [MASK] or [UNK], with "
        "punctuation; the label is always that of the rule for what is left, so that explanations which remove words"
        " ask nothing unheard of."
    ),
    held_out=(
        "2,000 sentences, and another 1,000 to watch the training; no generated sentence of theirs is learnt from. "
        "Their days are balanced: Sunday or Monday whatever the label."
    ),
    method=(
        "BERT with 2 layers of 4 heads, width 64, 32 positions, one token a word. Weights start with a deviation of "
        "1/8: with BERT's own 0.02, a run with 128 sentences a step began to learn negation after 1,900 steps; with "
        "1/8 and 64 sentences, before step 320. Three epochs of batches of 64, AdamW at 0.002 with a cosine, "
        "averaged weights; about a minute of one core. A run without sentences that lack words was as accurate (99.9"
        " %), but 4.4 % of the held-out sentences had a word whose removal led it astray; with them, 0.9 %."
    ),
    weaknesses=(
        "Two feeling words: 98.9 % right, against 100 % with none and 99.9 % with one (held-out sentences).",
        'Longer sentences with more of them: in "the baker was happy but the baker was sad but the baker was kind '
        'but the baker was not kind and the baker was not cruel today" it cannot decide (good 0.49, bad 0.51; the '
        "rule: good).",
        'It knows its own words and no others: "good movie" and "unhappy dog" are plain, with a probability of 1.000.',
    ),
    misleads=(
        "It is sure of everything, also of text of which it knows no word. Its probabilities say nothing about that.",
        '"The dog was not very happy" is good (0.998), and rightly so: the rule says directly before. It follows the'
        " rule, not English.",
        "Which head you look at decides whether attention explains. From [CLS], the word with the most weight is one"
        " that matters in 79 to 100 % of 400 held-out sentences for the heads of layer 0, and in 27 to 80 % for "
        "those of layer 1, the last, which is the one that people usually plot.",
        "Removing words one at a time misses some: of 1,843 words that the rule reads in the held-out sentences, 259"
        " are not decisive, because another feeling word gives the same label (`Truth.decisive`). Removing one of "
        "them moves the probabilities by 1.3 % on average, as if it did not matter.",
        "Leaving a word out is not the same as masking it. A word that does not matter changes the label in 0.01 % "
        "of the cases where it is replaced by [MASK], and in 0.5 % of those where it is left out: the others move "
        "up, and their positions are part of the input.",
        "What goes with a label in the data need not be used. Sunday and Monday do, and exchanging them in 925 "
        "held-out sentences changes one label.",
    ),
)
