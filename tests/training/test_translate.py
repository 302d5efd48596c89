"""The translator's recipe: training that repeats itself, translations that survive saving, and hand-worked scores."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

import course
from course.training.captions import FOLDER, TEST, Pair, vocabulary
from course.training.recipe import Run
from course.training.translate import (
    RECIPE,
    alignment,
    corpus_score,
    train,
    translations,
    translator,
)

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


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path, "train", CAPTIONS * 3)
    write(tmp_path, "val", [Pair("A woman runs.", "Eine Frau rennt.")])
    write(tmp_path, TEST, [Pair("A boy runs.", "Ein Junge rennt.")])
    return tmp_path


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return vocabulary((text for pair in CAPTIONS for text in (pair.source, pair.target)), size=120)


def test_punctuation_is_a_word_of_its_own_and_offsets_point_into_the_text(tokenizer: object) -> None:
    model = course.wrap(translator(tokenizer), tokenizer)
    tokens = course.attend(model, "A dog  runs.", "Ein Hund.").cross.keys.merged()
    assert [tokens.sources[0][slice(*span)].strip() for span in tokens.offsets if span] == ["A", "dog", "runs", "."]


def test_saved_and_loaded_again_it_translates_the_same(tokenizer: object, tmp_path: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    torch.manual_seed(0)
    module = translator(tokenizer).eval()
    module.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path, attn_implementation="eager")
    assert loaded.generation_config.decoder_start_token_id == tokenizer.pad_token_id
    text = ["Two women on a bench"]
    assert translations(loaded, AutoTokenizer.from_pretrained(tmp_path), text) == translations(module, tokenizer, text)


def test_translations_in_batches_are_those_of_single_sentences(tokenizer: object) -> None:
    torch.manual_seed(0)
    module = translator(tokenizer).eval()
    sentences = [pair.source for pair in CAPTIONS]
    assert translations(module, tokenizer, sentences, batch=3) == [
        translations(module, tokenizer, [sentence])[0] for sentence in sentences
    ]


def test_corpus_scores_are_those_of_sacrebleu() -> None:
    from sacrebleu.metrics import BLEU, CHRF

    references = [pair.target for pair in CAPTIONS]
    found = [*references[1:], "Ein Hund rennt auf einer Bank."]
    found[1] = references[1]
    for metric in (BLEU(), CHRF()):
        score = corpus_score("score", metric, found, references)
        assert score.value == pytest.approx(metric.corpus_score(found, [references]).score)
        assert score.interval[0] <= score.value <= score.interval[1]
    assert corpus_score("BLEU", BLEU(), references, references).interval == pytest.approx((100, 100))


def test_alignment_counts_occurrences_not_sentences(tokenizer: object) -> None:
    torch.manual_seed(0)
    score = alignment(course.wrap(translator(tokenizer), tokenizer), CAPTIONS)
    # dog–Hund twice, sits–sitzt, bench–Bank; two–zwei, women–Frauen, boy–Junge, ball–Ball; man–Mann, red–roten.
    assert "10 occurrences" in score.data
    assert 0 <= score.interval[0] <= score.value <= score.interval[1] <= 1


def test_training_a_few_steps_repeats_itself(data: Path, tmp_path: Path) -> None:
    def run(name: str) -> torch.Tensor:
        trained = train(Run(data, tmp_path / name, seed=1, device=torch.device("cpu"), epochs=2))
        assert trained.outcome.steps == 2
        assert len(trained.outcome.history) == 2
        return trained.module.model.shared.weight

    first = run("first")
    assert torch.equal(first, run("second"))


def test_examples_that_are_asked_for_are_all_that_is_read(data: Path, tmp_path: Path) -> None:
    run = Run(data, tmp_path, seed=0, device=torch.device("cpu"), examples=1, epochs=1)
    assert "bench" not in " ".join(train(run).tokenizer.get_vocab())


def test_recipe_scores_a_model_of_its_own_architecture(data: Path, tokenizer: object) -> None:
    module = translator(tokenizer)
    assert type(module).__name__ == RECIPE.architecture
    assert [score.name for score in RECIPE.score(course.wrap(module, tokenizer), data)] == ["BLEU", "chrF", "alignment"]
