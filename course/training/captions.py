"""Captions and their translations: what is read of Multi30k, what is held out, and the vocabulary of both languages."""

from __future__ import annotations

import gzip
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from course.training.recipe import TrainingError, data_file

FOLDER = "multi30k-en-de"
TRAIN, VALIDATION, TEST = "train", "val", "test_2016_flickr"
PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"

VOCABULARY = 4_000
"""Sub-words that both languages share; fewer would cut more words in pieces, more would be seen too seldom."""

LONGEST = 96
"""Tokens that fit; the longest caption of the training set has 62."""


@dataclass(frozen=True)
class Pair:
    """A caption and its translation."""

    source: str
    target: str


def read(data: Path, part: str) -> list[Pair]:
    """The pairs of ``train``, ``val`` or ``test_2016_flickr``, white space made plain, Unicode composed (NFC)."""
    sides = []
    for language in ("en", "de"):
        path = data_file(data, f"{FOLDER}/{part}.{language}.gz")
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            sides.append([" ".join(unicodedata.normalize("NFC", line).split()) for line in lines])
    if len(sides[0]) != len(sides[1]):
        raise TrainingError(f"{part} has {len(sides[0])} English and {len(sides[1])} German lines; copy both again")
    return [Pair(source, target) for source, target in zip(*sides, strict=True)]


def kept(pairs: Iterable[Pair], held_out: Iterable[Pair]) -> list[Pair]:
    """The pairs of which neither side is empty, or a sentence of a held-out pair, whatever its case and full stop."""
    held = list(held_out)
    sources = {_plain(pair.source) for pair in held}
    targets = {_plain(pair.target) for pair in held}
    return [
        pair
        for pair in pairs
        if pair.source and pair.target and _plain(pair.source) not in sources and _plain(pair.target) not in targets
    ]


def _plain(sentence: str) -> str:
    return sentence.casefold().rstrip(" .")


def vocabulary(sentences: Iterable[str], size: int = VOCABULARY) -> Any:
    """A byte-pair encoding (Sennrich et al. 2016) of both languages, as a transformers tokenizer.

    A word begins with ▁ and is cut off from its punctuation; decoding gives the sentence back as it was, but
    for repeated white space. A character that was never seen is <unk>.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.Metaspace()
    special = [PAD, END, UNKNOWN]
    tokenizer.train_from_iterator(
        sentences, trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        model_max_length=LONGEST,
        model_input_names=["input_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )


def first_embeddings(sources: Sequence[list[int]], targets: Sequence[list[int]], config: Any) -> torch.Tensor:
    """Embeddings to begin with: sub-words that occur in the same pairs, of either language, lie close together.

    Counts of pairs in which two sub-words meet become positive pointwise mutual information, and that its
    main directions (Levy & Goldberg 2014; over both languages, so that a word begins near its translation).
    Every row is as long as a random one would be.
    """
    pieces = [sorted({*source, *target}) for source, target in zip(sources, targets, strict=True)]
    columns = np.concatenate([np.array(row) for row in pieces])
    rows = np.repeat(np.arange(len(pieces)), [len(row) for row in pieces])
    shape = (len(pieces), config.vocab_size)
    occurs = csr_array((np.ones(len(columns), dtype=np.float32), (rows, columns)), shape=shape)
    together = torch.from_numpy((occurs.T @ occurs).toarray())
    often = together.diagonal().clamp(min=1)
    information = (together * len(pieces) / torch.outer(often, often)).clamp(min=1).log()
    width = config.d_model
    values, vectors = torch.linalg.eigh(information)
    found = vectors[:, -width:] * values[-width:].clamp(min=0).sqrt()
    found = torch.nn.functional.pad(found, (width - found.shape[1], 0))  # a vocabulary smaller than the width
    found = found + 0.01 * torch.randn_like(found)  # no two sub-words alike, and none at nought
    begun: torch.Tensor = torch.nn.functional.normalize(found) * config.init_std * width**0.5
    return begun
