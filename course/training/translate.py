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
    from course.models.catalogue import Score

MEASURED = f"Multi30k {TEST}"

BATCH = 1_800
"""Tokens of sources and targets together, with padding."""

VALIDATED = 400
"""Captions of ``val`` that are translated after each epoch; all 1,014 would take a tenth of the training time."""

SMOOTHING = 0.1
"""The share of probability that the loss spreads over all sub-words (Szegedy et al. 2016)."""

SCHEDULE = Schedule(
    epochs=11, rate=2e-3, warmup=0.08, shape="cosine", weight_decay=0.01, average=0.997, betas=(0.9, 0.98)
)

IGNORED = -100
"""The label that torch's cross-entropy leaves out: padding."""


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
    title="Captions in German",
    task="translation",
    architecture="MarianMTModel",
    licence="research use (Multi30k)",
    languages=("en", "de"),
    train=train,
    score=score,
    summary="A small Marian that translates English captions of photographs into German.",
    data="x",
    held_out="x",
    method="x",
    weaknesses=("x",),
    misleads=("x",),
)
