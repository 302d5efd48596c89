"""English to German: a small Marian, trained from scratch on the captions of Multi30k."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

import course
from course.attention import EncoderDecoderAttention
from course.training.alignment import found_at, occurrences
from course.training.batches import by_length, padded, shuffled
from course.training.captions import (
    FOLDER,
    LONGEST,
    TEST,
    TRAIN,
    VALIDATION,
    Pair,
    first_embeddings,
    kept,
    read,
    vocabulary,
)
from course.training.loop import Schedule, fit, seed_everything
from course.training.recipe import Recipe, Run, Trained, TrainingError
from course.training.scores import resampled

if TYPE_CHECKING:
    from course.models import Model
    from course.models.entries import Score

MEASURED = f"Multi30k {TEST}"

BATCH = 1_800
"""Tokens of sources and targets together, with padding."""

VALIDATED = 400
"""Captions of ``val`` that are translated after each epoch; all 1,014 would take a tenth of the training time."""

IGNORED = -100
"""The label that torch's cross-entropy leaves out: padding."""

SMOOTHING = 0.1
"""The share of probability that the loss spreads over all sub-words (Szegedy et al. 2016)."""

SCHEDULE = Schedule(
    epochs=11, rate=2e-3, warmup=0.08, shape="cosine", weight_decay=0.01, average=0.997, betas=(0.9, 0.98)
)


def translator(tokenizer: Any) -> Any:
    """A Marian of 3 + 3 layers with 4 heads each and one table of embeddings for everything, not yet trained."""
    from transformers import GenerationConfig, MarianConfig, MarianMTModel

    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    config = MarianConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=3,
        decoder_layers=3,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        activation_function="relu",
        dropout=0.1,
        attention_dropout=0.0,
        init_std=0.06,  # wider than Marian's 0.02, which suits d=512: attention starts less even, and learns sooner
        scale_embedding=True,
        max_position_embeddings=LONGEST,
        pad_token_id=pad,
        eos_token_id=end,
        bos_token_id=None,
        decoder_start_token_id=pad,
        forced_eos_token_id=end,
    )
    module = MarianMTModel._from_config(config, attn_implementation="eager")  # quickest here in bfloat16
    module.generation_config = GenerationConfig(
        decoder_start_token_id=pad,
        pad_token_id=pad,
        eos_token_id=end,
        forced_eos_token_id=end,
        suppress_tokens=[pad, tokenizer.unk_token_id],
        max_length=LONGEST,
        num_beams=1,
        do_sample=False,
    )
    return module


def train(run: Run) -> Trained:
    """Train on the training pairs, and keep the moment whose greedy translations of ``val`` score the best BLEU."""
    validation, test = read(run.data, VALIDATION), read(run.data, TEST)
    pairs = kept(read(run.data, TRAIN), [*validation, *test])[: run.examples]
    if not pairs:
        raise TrainingError(f"no training pair is left; give --data the folder with {FOLDER} as published")
    tokenizer = vocabulary(text for pair in pairs for text in (pair.source, pair.target))
    seed_everything(run.seed)
    module = translator(tokenizer).to(run.device)
    sources = tokenizer([pair.source for pair in pairs], truncation=True)["input_ids"]
    targets = tokenizer([pair.target for pair in pairs], truncation=True)["input_ids"]
    with torch.no_grad():
        module.model.shared.weight.copy_(first_embeddings(sources, targets, module.config))
    # By the longer side: the sum would put a long source beside a long target, and pad both.
    lengths = [2 * max(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]

    def plan(epoch: int) -> list[list[int]]:
        return by_length(lengths, BATCH, shuffled(run.seed, epoch))

    def loss(batch: list[int]) -> torch.Tensor:
        return _loss(module, [sources[i] for i in batch], [targets[i] for i in batch])

    def validate() -> float:
        watched = validation[:VALIDATED]
        found = translations(module, tokenizer, [pair.source for pair in watched])
        return float(_bleu().corpus_score(found, [[pair.target for pair in watched]]).score)

    outcome = fit(module, plan, loss, validate, SCHEDULE, run, name="translate-en-de")
    return Trained(module, tokenizer, outcome)


def _loss(module: Any, sources: Sequence[list[int]], targets: Sequence[list[int]]) -> torch.Tensor:
    """The mean cross-entropy of the target's tokens, each predicted from those before it."""
    pad, device = module.config.pad_token_id, module.device
    read, labels = padded(sources, pad).to(device), padded(targets, IGNORED).to(device)
    written = padded([[module.config.decoder_start_token_id, *target[:-1]] for target in targets], pad).to(device)
    states = module.model(
        input_ids=read, attention_mask=(read != pad).long(), decoder_input_ids=written, use_cache=False
    ).last_hidden_state
    # Padding is left out before the softmax over the vocabulary, which is the dearest part.
    real = labels != IGNORED
    return torch.nn.functional.cross_entropy(module.lm_head(states[real]), labels[real], label_smoothing=SMOOTHING)


def translations(module: Any, tokenizer: Any, sentences: Sequence[str], batch: int = 128) -> list[str]:
    """The greedy translation of each sentence, in order; computed in batches of like length."""
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    found = [""] * len(sentences)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        inputs = tokenizer([sentences[i] for i in chosen], padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            ids = module.generate(**inputs.to(module.device), num_beams=1, do_sample=False)
        for i, text in zip(chosen, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            found[i] = text
    return found


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """BLEU and chrF of greedy translations of ``test_2016_flickr``, and how often attention finds the right word."""
    from sacrebleu.metrics.chrf import CHRF

    pairs = read(data, TEST)
    found = translations(model.module, model.tokenizer, [pair.source for pair in pairs])
    references = [pair.target for pair in pairs]
    return (
        corpus_score("BLEU", _bleu(), found, references),
        corpus_score("chrF", CHRF(), found, references),
        alignment(model, pairs),
    )


def corpus_score(name: str, metric: Any, found: Sequence[str], references: Sequence[str]) -> Score:
    """A sacreBLEU metric of a whole corpus (0 to 100), its interval from resampled sentences."""
    # sacreBLEU 2 resamples the same way, but keeps the ends of its interval to itself.
    counts = np.array(metric._extract_corpus_statistics(found, [references]), dtype=float)

    def statistic(sentences: NDArray[np.intp]) -> float:
        return float(metric._compute_score_from_stats(counts[sentences].sum(axis=0).tolist()).score)

    return resampled(name, statistic, len(found), MEASURED)


def alignment(model: Model, pairs: Sequence[Pair]) -> Score:
    """How often the last layer's cross-attention, averaged over its heads, points at the right source word.

    The decoder reads the reference; looked at is the row that predicts the German word of a pair of the
    lexicon (`course.training.alignment`). The interval is from resampled sentences.
    """
    right = []
    for pair in pairs:
        attention = course.attend(model, pair.source, pair.target)
        if not isinstance(attention, EncoderDecoderAttention):
            raise TrainingError(f"{model.title} is no translator: it has no attention from one text to another")
        cross = attention.cross
        right.append(found_at(cross, occurrences(cross), layer=cross.layers - 1))
    hits, all_of = np.array([sum(row) for row in right]), np.array([len(row) for row in right])

    def statistic(sentences: NDArray[np.intp]) -> float:
        return float(hits[sentences].sum() / max(1, all_of[sentences].sum()))

    return resampled("alignment", statistic, len(pairs), f"{MEASURED}, {all_of.sum()} occurrences of the lexicon")


def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU()  # cased, tokenised by its own rules (13a)


RECIPE = Recipe(
    role="translate-en-de",
    title="Small Marian for captions, English to German",
    task="translation",
    architecture="MarianMTModel",
    licence="research use (Multi30k)",
    languages=("en", "de"),
    train=train,
    score=score,
    summary="Translates captions of photographs from English to German.",
    data=(
        "Multi30k (Elliott et al. 2016), English captions of Flickr photographs and their German translations: 29,000 "
        "pairs for training, 1,014 in `val`, 1,000 in `test_2016_flickr`. For research use. Nothing else was read."
    ),
    held_out=(
        "`val` chose the epoch (its first 400 pairs); `test_2016_flickr` was translated when training was over, for "
        "the scores and for the faults listed below. Two training pairs that share a sentence with one of them, but "
        "for case and full stop, were left out: 28,998 remain. Training line 4 is *A man in a blue shirt is "
        "standing on a ladder cleaning a window.*: the model has seen it, and its translation shows nothing about "
        "new sentences."
    ),
    method=(
        "From scratch: 3 encoder and 3 decoder layers, width 128, 4 heads of 32, feed-forward 256, 4,000 shared BPE "
        "sub-words, one table of embeddings for source, target and output; 1.5 million parameters learnt. The "
        "embeddings begin as the main directions of positive pointwise mutual information between sub-words of the "
        "same pair, both languages together; after one epoch the validation BLEU was 22.5. Label smoothing 0.1, "
        "dropout 0.1, batches of 1,800 tokens by length, AdamW with a peak rate of 2e-3 and a cosine over 11 epochs, "
        "averaged weights (0.997). Run with `--precision bfloat16 --threads 1`: 21 processor minutes. "
        "Validation BLEU by epoch: 22.5, 29.5, 32.3, 33.8, 35.0, 36.6, 37.6, 37.8, 38.4, "
        "38.8, 38.7 (first 400 pairs of `val`; all of them at the epoch kept: 36.7). BLEU and chrF are "
        "sacreBLEU's, cased, of greedy translations. Alignment: the decoder reads the reference; in the row that "
        "predicts a German word of the lexicon (`course/training/lexicon_en_de.tsv`), the weights of the last layer's "
        "heads are averaged, and the largest must stand on the English word. Both words stand once in their sentences."
    ),
    weaknesses=(
        "Sentences unlike captions become nonsense: *The committee rejected the proposal.* → *Die Kommititititoren "
        "verzirriert den Proposten.*; *I love you.* → *Iher ist dieser Jugendlicher.*; *Where is the train station?* "
        "→ *Ein U-Bahn-Schie ist in den Bahnhof.*",
        "Rare words are misspelt or exchanged: *onion* → *Pion*, *satellite* → *Sativ*, *avocado* → *Fernseher*. On "
        "the test, BLEU is 44.3 for captions whose most divided word has two pieces, and 25.1 where it has "
        "four or more.",
        "Long captions: BLEU 38.5 up to 13 words, 34.9 for 14 to 18, 21.8 for the 58 captions of 19 words and more.",
        "Names, numbers and tense are lost: *17 dogs and 256 cats.* → *Ein Hund mit der Nummer 16 und 25.*; *A man "
        "rode a bike yesterday.* → *Ein Mann fährt auf einem Fahrrad und schreit.*",
        "Capitals: *A MAN RIDES A BIKE.* gives a row of letters; *a man rides a bike* in small ones is translated.",
        "54 of the 1,000 test captions are translated word for word as the reference has them.",
    ),
    misleads=(
        "It is fluent where it is wrong. *A man is not wearing a hat.* → *Ein Mann trägt einen Hut.*: the negation is "
        "gone, and nothing in the German says so. *The dog bites the man.* → *Der Hund baut den Mann.* (builds).",
        "Read the right row. The row that predicts a word is the one before it: there the last layer's average points "
        "at the right word for 91.9 % of 2,455 occurrences of the lexicon on the test, and one row later for 1.1 %.",
        "Attention is not the translation. Of those 2,455, the model would have written another German word in 124 "
        "although attention was right, and wrote the right one in 92 of the 198 where attention was not.",
        "One head is not the layer. In the last layer the four heads alone are right for 87, 67, 79 and 86 %, their "
        "average for 91.9 %; the averages of the layers are 55, 85 and 91.9 %. The first layer's picture shows little.",
        "The share hides the words: for *young* (48 times) it is 29 %. And it counts only words of the lexicon that "
        "stand once in their sentence, nearly all of them one token: the easy ones.",
        "*A nurse* becomes *eine Krankenschwester* and *a doctor* becomes *ein Arzt* or *der Doktor*: the English "
        "sentences say nothing of their gender.",
    ),
)
