from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from transformers import ViTConfig, ViTForImageClassification

from course.models import ModelError, load
from tests import tiny
from tests.models.conftest import digests, write_catalogue


@pytest.fixture
def folder(tmp_path: Path):
    """Describe a folder of weights as a role of its own, without the files named."""

    def describe(weights: Path, *without: str, **entry: object) -> Path:
        files = {path.name: path.read_bytes() for path in weights.iterdir() if path.name not in without}
        mirrors = [{"weights": str(weights)}]
        shipped = {"sha256": digests(files), "mirrors": mirrors, "scores": [], **entry}
        return write_catalogue(tmp_path / "tiny.toml", {"tiny": {"shipped": shipped}})

    return describe


@pytest.fixture
def translator(tmp_path: Path) -> Path:
    weights = tmp_path / "translator"
    weights.mkdir()
    tiny.marian(weights).module.save_pretrained(weights)
    (weights / "tokenizer_config.json").write_text('{"source_lang": "en", "target_lang": "de"}')
    return weights


MARIAN = {"task": "translation", "architecture": "MarianMTModel"}
IMAGES = {"task": "image-classification", "architecture": "ViTForImageClassification"}


def refusal(catalogue: Path) -> str:
    with pytest.raises(ModelError) as refused:
        load("tiny", device="cpu", catalogue=catalogue)
    return str(refused.value)


def test_a_tokenizer_without_words_is_refused(folder, checkpoint: Path) -> None:
    for missing in (["tokenizer.json"], ["tokenizer.json", "tokenizer_config.json"]):
        assert refusal(folder(checkpoint, *missing)) == (
            "tiny (shipped): its tokenizer has no words; name its files (tokenizer.json, or vocab.txt) in the catalogue"
        )


def test_a_tokenizer_of_another_model_is_refused(folder, checkpoint: Path, tmp_path: Path, files) -> None:
    other = tmp_path / "other"
    tiny.word_pieces().save_pretrained(other)
    for name in ("config.json", "model.safetensors"):
        (other / name).write_bytes(files[name])
    count = tiny.word_pieces().vocab_size
    fix = "name the tokenizer that it was trained with"
    assert refusal(folder(other)) == f"tiny (shipped): its tokenizer has {count} tokens, but the model 12; {fix}"


@pytest.mark.parametrize("missing", ["source.spm", "target.spm", "vocab.json"])
def test_a_translator_without_a_part_of_its_tokenizer_is_refused(folder, translator: Path, missing: str) -> None:
    assert refusal(folder(translator, missing, **MARIAN)).startswith(
        "tiny (shipped): transformers cannot read the checkpoint ("
    )


def test_a_translator_loads_in_silence(folder, translator: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load("tiny", device="cpu", catalogue=folder(translator, **MARIAN)).encoder_decoder


def test_an_image_model_without_its_settings_is_refused(folder, tmp_path: Path) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    ViTForImageClassification(ViTConfig(**sizes, image_size=8, patch_size=4)).save_pretrained(tmp_path / "images")
    assert refusal(folder(tmp_path / "images", **IMAGES)) == (
        "tiny (shipped) names no preprocessor_config.json; add it to the files in the catalogue"
    )
