"""A mirror of the hub: for each role, a random model of its class, with its numbers of layers and heads, but narrow.

What the repositories hold is laid out as on the hub, under the names of the catalogue. English vocabularies are the
real one (the shipped MiniLM reads that of bert-base-uncased); the others are made here.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    MarianConfig,
    MarianMTModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

import course
import course.models.catalogue
from course.models import read_catalogue
from course.models.files import find
from tests import tiny

REVISION = "a1" * 20
WIDTH = {"hidden_size": 48, "intermediate_size": 96}
BASE = WIDTH | {"num_hidden_layers": 12, "num_attention_heads": 12}
LARGE = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 24, "num_attention_heads": 16}
IMAGENET = {i: f"thing {i}" for i in range(1000)}
SPANISH = [
    "buenos días desde la playa", "no puedo más con este vídeo", "feliz cumpleaños amiga , te quiero mucho",
    "noche de concierto con los amigos", "qué guapa estás en esa foto", "¡ vamos españa !", "@ barcelona # sol = 1 + 2",
] * 4  # fmt: skip
GERMAN = [
    "Sie sieht den kleinen Elefanten.", "Ein schwarzer Hund läuft durch das grüne Gras.",
    "Ein kleines Mädchen klettert auf einen Baum.", "Zwei junge Männer spielen Fußball.",
]  # fmt: skip

Contents = dict[str, bytes]


@cache
def english() -> tuple[str, ...]:
    """Sentences to make vocabularies from: the first of each of the course's pairs."""
    return tuple(pair.first for pair in course.sentence_pairs())


def word_pieces(*, fast: bool) -> Contents:
    """The files of bert-base-uncased's tokenizer; repositories of 2020 have no tokenizer.json."""
    own = find(read_catalogue()["minilm"].shipped).paths
    files = {name: own[name].read_bytes() for name in ("vocab.txt", *(["tokenizer.json"] if fast else []))}
    return files | {"tokenizer_config.json": b'{"do_lower_case": true, "model_max_length": 512}'}


@cache
def spanish() -> Tokenizer:
    """As BETO's: lower case, and accents stay."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[MASK]", "[PAD]", "[EOS]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([*SPANISH, "abcdefghijklmnopqrstuvwxyz" * 2], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 4), ("[SEP]", 5)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def spanish_pieces() -> Contents:
    """The files of BETO's tokenizer that are read."""
    settings = {"do_lower_case": True, "strip_accents": False, "model_max_length": 512}
    return {
        "tokenizer.json": spanish().to_str().encode(),
        "tokenizer_config.json": json.dumps(settings).encode(),
    }


@cache
def byte_pairs() -> Tokenizer:
    """As GPT-2's: one special token, which is the last."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [*english(), " the king and the queen"] * 2,
        trainers.BpeTrainer(vocab_size=1500, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def byte_pair_files() -> Contents:
    """The files of GPT-2's tokenizer that are read."""
    return {
        "tokenizer.json": byte_pairs().to_str().encode(),
        "tokenizer_config.json": b'{"model_max_length": 1024}',
    }


def made(kind: type, config: transformers.PreTrainedConfig) -> transformers.PreTrainedModel:
    """A random model; those that something was fine-tuned from differ a little, and no norm is left at 1 and 0."""
    torch.manual_seed(0)
    module = kind._from_config(config, attn_implementation="eager")
    draw = torch.Generator().manual_seed(len(kind.__name__))
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=draw)
            if parameter.dim() == 2:
                parameter.mul_(4)  # fresh weights give nearly uniform attention; larger ones make rows differ
            parameter.add_(noise * (0.1 if parameter.dim() == 1 else 0.3 * float(parameter.std())))
    return module


def bert(kind: type, sizes: Mapping[str, int] = BASE, **config: Any) -> transformers.PreTrainedModel:
    return made(kind, BertConfig(**sizes, **config))


def beto(kind: type, **config: Any) -> transformers.PreTrainedModel:
    return bert(kind, vocab_size=spanish().get_vocab_size(), pad_token_id=1, **config)


def distilbert(kind: type) -> transformers.PreTrainedModel:
    return made(kind, DistilBertConfig(dim=48, n_layers=6, n_heads=12, hidden_dim=96))


def gpt2() -> transformers.PreTrainedModel:
    size = byte_pairs().get_vocab_size()
    ends = {"bos_token_id": size - 1, "eos_token_id": size - 1}
    return made(GPT2LMHeadModel, GPT2Config(vocab_size=size, n_embd=48, n_layer=12, n_head=12, **ends))


def vit(kind: type, **config: Any) -> transformers.PreTrainedModel:
    return made(kind, ViTConfig(**(BASE | {"num_hidden_layers": 4}), image_size=224, patch_size=16, **config))


def vit_files() -> Contents:
    """The image processor's file, as of 2021."""
    halves = [0.5, 0.5, 0.5]
    settings = {"do_normalize": True, "do_resize": True, "image_mean": halves, "image_std": halves, "size": 224}
    return {"preprocessor_config.json": json.dumps(settings).encode()}


def marian() -> Contents:
    """A translator in the layout of Helsinki-NLP's: no generation_config.json is read."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = tiny.sentence_pieces(Path(folder), [*english(), *GERMAN * 8], 500)
        sides = {
            f"{side}_{name}": value for side in ("encoder", "decoder")
            for name, value in (("layers", 6), ("attention_heads", 8), ("ffn_dim", 64))
        }  # fmt: skip
        pad = tokenizer.pad_token_id
        config = MarianConfig(
            vocab_size=len(tokenizer), d_model=64, max_position_embeddings=512, pad_token_id=pad, eos_token_id=0,
            decoder_start_token_id=pad, **sides,
        )  # fmt: skip
        own = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    named = {"source_lang": "en", "target_lang": "de", "model_max_length": 64}  # random translations do not end before
    return files_of(made(MarianMTModel, config), own | {"tokenizer_config.json": json.dumps(named).encode()})


def files_of(module: transformers.PreTrainedModel, tokenizer: Mapping[str, bytes] = {}) -> Contents:
    """A checkpoint as bytes by file name, with its tokenizer's files."""
    with tempfile.TemporaryDirectory() as folder:
        module.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()} | dict(tokenizer)


CHECKPOINTS: dict[str, Callable[[], Contents]] = {
    "minilm": lambda: files_of(bert(BertForPreTraining), word_pieces(fast=True)),
    "sentiment": lambda: files_of(distilbert(DistilBertForSequenceClassification), word_pieces(fast=False)),
    "paraphrase": lambda: files_of(bert(BertForSequenceClassification), word_pieces(fast=False)),
    "qa": lambda: files_of(bert(BertForQuestionAnswering, LARGE), word_pieces(fast=True)),
    "emoji-es": lambda: files_of(beto(BertForSequenceClassification, num_labels=19), spanish_pieces()),
    "translate-en-de": marian,
    "shakespeare": lambda: files_of(gpt2(), byte_pair_files()),
    "digits": lambda: files_of(vit(ViTForImageClassification, id2label=IMAGENET), vit_files()),
}
"""What each role's repository holds."""

BEFORE: dict[str, Callable[[], transformers.PreTrainedModel]] = {
    "sentiment": lambda: distilbert(DistilBertForMaskedLM),
    "paraphrase": lambda: bert(BertForPreTraining),
    "qa": lambda: bert(BertForPreTraining, LARGE),
    "emoji-es": lambda: beto(BertForMaskedLM),
    "digits": lambda: vit(ViTModel),
}
"""What it was fine-tuned from."""


@cache
def repositories(role: str) -> Mapping[str, Contents]:
    """The files of a role's repositories, by their names on the hub."""
    entry = read_catalogue()[role].hub
    found = {entry.mirrors[0].repo: CHECKPOINTS[role]()}
    if entry.pretrained:
        before = files_of(BEFORE[role]())
        found[entry.pretrained.mirrors[0].repo] = before | found.get(entry.pretrained.mirrors[0].repo, {})
    return found


def catalogue(*, shipped: bool = False) -> str:
    """The course's own catalogue, but for the revisions and hashes of the hub's real files; TOML."""
    tables = tomllib.loads(course.models.catalogue.OWN.read_text(encoding="utf-8"))
    lines = []
    for role, entries in tables.items():
        for profile, entry in entries.items():
            if profile == "hub":
                _forget(entry)
            if profile == "hub" or shipped:
                lines += [f"[{role}.{profile}]", *(f"{toml(name)} = {toml(value)}" for name, value in entry.items())]
    return "\n".join(lines)


def _forget(entry: dict[str, Any]) -> None:
    for table in (entry, entry.get("pretrained", {})):
        for name in {"revision", "sha256"} & table.keys():
            del table[name]


def toml(value: Any) -> str:
    """A TOML value; JSON but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def put_into_cache(
    cache_folder: Path, repo: str, files: Mapping[str, bytes], revision: str = REVISION, *, ref: bool = True
) -> Path:
    """Put files into a hub cache, laid out as huggingface_hub does; gives the folder of the snapshot."""
    folder = cache_folder / f"models--{repo.replace('/', '--')}"
    snapshot = folder / "snapshots" / revision
    for part in (folder / "blobs", folder / "refs", snapshot):
        part.mkdir(parents=True, exist_ok=True)
    if ref:
        (folder / "refs" / "main").write_text(revision)
    for name, content in files.items():
        blob = folder / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(blob)
    return snapshot


def lay_out(folder: Path) -> dict[str, str]:
    """Write a mirror of every role's repositories, and a copy of the course that knows it; the variables to use it.

    The copy is the course as it is, but that its catalogue states no hashes of the real files.
    """
    for role in CHECKPOINTS:
        for repo, files in repositories(role).items():
            if not (folder / "hub" / f"models--{repo.replace('/', '--')}").exists():
                put_into_cache(folder / "hub", repo, files)
    own = Path(course.__file__).parent
    copy = shutil.copytree(own, folder / "course", ignore=shutil.ignore_patterns("__pycache__", "weights"))
    (copy / "models" / "weights").symlink_to(own / "models" / "weights")
    (copy / "models" / "catalogue.toml").write_text(catalogue(shipped=True), encoding="utf-8")
    return {"HF_HOME": str(folder), "PYTHONPATH": str(folder)}
