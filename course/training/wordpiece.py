"""A WordPiece vocabulary for tweets, the same at every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course.training.tweets import SELECTOR

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def vocabulary(texts: Sequence[str], size: int, longest: int) -> Any:
    """A lower-case WordPiece tokenizer made from these texts; it keeps accents, and the selector as a token."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    lower = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    spaced = normalizers.Sequence([lower, normalizers.Replace(SELECTOR, f" {SELECTOR} ")])
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer, learner.pre_tokenizer = spaced, pre_tokenizers.BertPreTokenizer()
    # tokenizers 0.23 numbers the ##letters in the order of a hash map, another in each process: named
    # beforehand they keep the order of the alphabet, and equally frequent pieces are joined in the same order.
    letters = sorted({letter for text in texts for letter in spaced.normalize_str(text) if not letter.isspace()})
    named = [*SPECIAL, *(f"##{letter}" for letter in letters)]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=named, show_progress=False)
    learner.train_from_iterator(texts, trainer)
    backend = Tokenizer(models.WordPiece(learner.get_vocab(), unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = spaced, pre_tokenizers.BertPreTokenizer()
    numbers = [(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=numbers
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=longest,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
