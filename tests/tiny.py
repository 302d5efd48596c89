"""Two-layer models of every architecture that the course reads, with random weights and real tokenizers."""

from __future__ import annotations

import io
import json
import warnings
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
    ViTModel,
)

import course

TEXT = [
    "the cat sat on the mat", "a rabbit quickly hopped past the turtle", "geologists search for water on mars",
    "vamos al gimnasio", "unbelievable tokens are cut into pieces", "who reads 10 words reads , and stops .",
] * 4  # fmt: skip


@cache
def word_pieces() -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer as BERT's, with [CLS] a [SEP] b [SEP] and segment ids."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        TEXT, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=64, model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip


@cache
def byte_pairs(*, marks: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer: as RoBERTa's and BART's with ``marks`` <s> a </s></s> b </s>, else as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = (
        processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
        if marks
        else processors.ByteLevel(trim_offsets=False)
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    if marks:
        names |= {"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)


def _built(kind: type, config: object) -> torch.nn.Module:
    torch.manual_seed(0)
    module = kind._from_config(config, attn_implementation="eager")
    with torch.no_grad():  # fresh weights give nearly uniform attention; larger ones make rows differ
        for name, parameter in module.named_parameters():
            if parameter.dim() == 2 and "embed" not in name:
                parameter.mul_(8)
    return module


def _sizes(tokenizer: object) -> dict[str, int]:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 48, "max_position_embeddings": 64,
    }  # fmt: skip


@cache
def bert() -> course.Model:
    config = BertConfig(**_sizes(word_pieces()))
    return course.wrap(_built(BertModel, config), word_pieces(), name="tiny BERT")


def classifier(labels: int = 3, **config: object) -> course.Model:
    tokenizer = word_pieces()
    settings = BertConfig(**_sizes(tokenizer), num_labels=labels, **config)
    return course.wrap(_built(BertForSequenceClassification, settings), tokenizer, name="tiny classifier")


@cache
def distilbert() -> course.Model:
    """Its tokenizer gives no segment ids, as DistilBERT's does not."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=word_pieces().backend_tokenizer, model_input_names=["input_ids", "attention_mask"],
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", model_max_length=64,
    )  # fmt: skip
    config = DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=48)
    return course.wrap(_built(DistilBertModel, config), tokenizer, name="tiny DistilBERT")


@cache
def roberta() -> course.Model:
    config = RobertaConfig(**_sizes(byte_pairs(marks=True)) | {"max_position_embeddings": 66}, pad_token_id=1)
    return course.wrap(_built(RobertaModel, config), byte_pairs(marks=True), name="tiny RoBERTa")


@cache
def gpt2() -> course.Model:
    tokenizer = byte_pairs(marks=False)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=0, eos_token_id=2
    )
    return course.wrap(_built(GPT2LMHeadModel, config), tokenizer, name="tiny GPT-2")


def _translator(tokenizer: object, pad: int, end: int) -> dict[str, int]:
    return {
        "vocab_size": len(tokenizer), "d_model": 32, "encoder_layers": 3, "decoder_layers": 2,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48,
        "max_position_embeddings": 64, "pad_token_id": pad, "eos_token_id": end,
    }  # fmt: skip


@cache
def bart() -> course.Model:
    """Three encoder layers and two decoder layers."""
    tokenizer = byte_pairs(marks=True)
    config = BartConfig(**_translator(tokenizer, 1, 2), bos_token_id=0, decoder_start_token_id=2)
    return course.wrap(_built(BartForConditionalGeneration, config), tokenizer, name="tiny BART")


def sentence_pieces(folder: Path, texts: list[str], size: int) -> MarianTokenizer:
    """Marian's tokenizer, made from these texts and written into a folder."""
    import sentencepiece

    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=pieces, vocab_size=size, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces.getvalue())
    reader = sentencepiece.SentencePieceProcessor(model_proto=pieces.getvalue())
    words = [reader.id_to_piece(i) for i in range(len(reader)) if not reader.is_control(i)]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(["</s>", "<unk>", *words, "<pad>"]))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    with warnings.catch_warnings():  # it recommends a package that only normalises punctuation
        warnings.simplefilter("ignore")
        return MarianTokenizer(
            source_spm=str(folder / "source.spm"), target_spm=str(folder / "target.spm"),
            vocab=str(folder / "vocab.json"), source_lang="en", target_lang="de", model_max_length=64,
        )  # fmt: skip


def marian(folder: Path) -> course.Model:
    """With a SentencePiece model, which has no offsets of its own."""
    tokenizer = sentence_pieces(folder, TEXT, 60)
    pad = tokenizer.pad_token_id
    config = MarianConfig(**_translator(tokenizer, pad, 0), decoder_start_token_id=pad)
    return course.wrap(_built(MarianMTModel, config), tokenizer, name="tiny Marian")


@cache
def vit() -> course.Model:
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=16, patch_size=4,
        num_channels=1,
    )  # fmt: skip
    return course.wrap(_built(ViTModel, config), None, name="tiny ViT")


def eye(
    labels: int = 3, channels: int = 3, size: tuple[int, int] = (24, 16), patch: int = 4, **config: object
) -> course.Model:
    """A classifier of images of ``size`` (height, width), with a mean and a deviation of its own a channel."""
    settings = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=size,
        patch_size=patch, num_channels=channels, num_labels=labels, **config,
    )  # fmt: skip
    processor = ViTImageProcessorPil(
        size={"height": size[0], "width": size[1]}, image_mean=[0.5, 0.4, 0.3][:channels],
        image_std=[0.2, 0.25, 0.3][:channels],
    )  # fmt: skip
    return course.wrap(_built(ViTForImageClassification, settings), processor, name="tiny eye")
