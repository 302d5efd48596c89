"""Captions: what is read, what is held out, what the vocabulary restores, and where embeddings begin."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from course.training.captions import FOLDER, Pair, first_embeddings, kept, read, vocabulary
from course.training.recipe import TrainingError
from course.training.translate import translator

CAPTIONS = [
    Pair("A dog runs.", "Ein Hund rennt."),
    Pair("A man's dog sits on a bench.", "Der Hund eines Mannes sitzt auf einer Bank."),
    Pair("Two women, a boy and a ball", "Zwei Frauen, ein Junge und ein Ball"),
    Pair("A man in a red t-shirt", "Ein Mann in einem roten T-Shirt"),
]


def write(data: Path, part: str, pairs: list[Pair]) -> None:
    folder = data / FOLDER
    folder.mkdir(exist_ok=True)
    for language, lines in (("en", [p.source for p in pairs]), ("de", [p.target for p in pairs])):
        (folder / f"{part}.{language}.gz").write_bytes(gzip.compress("".join(f"{x}\n" for x in lines).encode()))


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return vocabulary((text for pair in CAPTIONS for text in (pair.source, pair.target)), size=120)


def test_reading_composes_characters_and_makes_white_space_plain(tmp_path: Path) -> None:
    write(tmp_path, "val", [Pair(" A  green\u00a0hill ", "Ein gru\u0308ner Hügel ")])
    assert read(tmp_path, "val") == [Pair("A green hill", "Ein grüner Hügel")]


def test_sides_of_unequal_length_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "val", [Pair("One", "Eins")])
    (tmp_path / FOLDER / "val.de.gz").write_bytes(gzip.compress(b"Eins\nZwei\n"))
    with pytest.raises(TrainingError, match="1 English and 2 German"):
        read(tmp_path, "val")


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"train\.en\.gz"):
        read(tmp_path, "train")


def test_no_sentence_of_a_held_out_pair_is_trained_on_in_either_language() -> None:
    held = [Pair("A boy runs.", "Ein Junge rennt.")]
    same_source = Pair("a boy runs", "Der Junge läuft.")
    same_target = Pair("One boy is running.", "Ein Junge rennt")
    assert kept([*CAPTIONS, same_source, same_target, Pair("", "Leer")], held) == CAPTIONS


def test_decoding_gives_the_sentence_back(tokenizer: object) -> None:
    for pair in CAPTIONS:
        for text in (pair.source, pair.target):
            assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


def test_source_and_target_are_encoded_alike_and_end_in_the_end_mark(tokenizer: object) -> None:
    both = tokenizer("A dog", text_target="A dog")
    assert both["labels"] == both["input_ids"]
    assert both["input_ids"][-1] == tokenizer.eos_token_id


def test_a_character_never_seen_is_unknown_and_the_rest_survives(tokenizer: object) -> None:
    ids = tokenizer("A dog 🐕.")["input_ids"]
    assert tokenizer.unk_token_id in ids
    assert tokenizer.decode(ids, skip_special_tokens=True).split() == ["A", "dog", "."]


def test_embeddings_of_translations_begin_close_together() -> None:
    # 3 cat, 4 Katze; 5 dog, 6 Hund; 7 a, 8 ein in every pair
    sources, targets = [[7, 3], [7, 5]] * 20, [[8, 4], [8, 6]] * 20
    config = translator(vocabulary(["a b c d e"], size=9)).config
    config.vocab_size = 9
    torch.manual_seed(0)
    found = first_embeddings(sources, targets, config)
    assert found.shape == (9, 128)
    near = torch.nn.functional.cosine_similarity(found[3], found, dim=1)
    assert near[4] > 0.9
    assert near[4] > near[6] + 0.5
    assert torch.allclose(found.norm(dim=1), torch.tensor(config.init_std * 128**0.5))
