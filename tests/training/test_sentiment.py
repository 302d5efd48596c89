from __future__ import annotations

import random
from pathlib import Path

import pytest

from course.training import sentiment
from course.training.classify import Examples
from course.training.sentiment import as_typed, read, split, typed, without

LONG = "this is a sentence of sixteen words or more , and it is very dull to read"


def examples(*texts: str) -> Examples:
    return Examples(tuple((text,) for text in texts), tuple(range(len(texts))))


def test_file_is_read_as_published(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(
        "sentence\tlabel\nhide new secretions from the parental units \t0\nit 's good\t1\n", encoding="utf-8"
    )
    assert read(path) == Examples((("hide new secretions from the parental units",), ("it 's good",)), (0, 1))


def test_phrases_of_validation_sentences_are_not_trained_on() -> None:
    long = [f"{LONG} {i}" for i in range(8)]
    phrases = [f"very dull to read {i}" for i in range(8)]
    training, validation = split(examples(*long, *phrases, "something else entirely", "dull"))
    held = {text for (text,) in validation.texts}
    kept = {text for (text,) in training.texts}
    assert len(held) == 2 and held <= set(long)
    assert not any(phrase in kept for phrase in phrases if any(phrase in text for text in held))
    assert {"something else entirely", "dull"} <= kept
    assert len(kept) == len(long) + len(phrases) + 2 - 2 - 2


def test_texts_of_the_development_set_are_dropped() -> None:
    assert without(examples("a", "b", "c"), examples("b")).texts == (("a",), ("c",))


@pytest.mark.parametrize(
    ("tokenised", "expected"),
    [
        ("it does n't work", "it doesn't work"),
        ("it 's a film , is n't it ?", "it's a film, isn't it?"),
        ("they 've seen 'em all .", "they've seen 'em all."),
        ("nothing to join", "nothing to join"),
    ],
)
def test_tokenised_text_becomes_as_people_type(tokenised: str, expected: str) -> None:
    assert typed(tokenised) == expected


def test_half_of_the_texts_are_typed_and_labels_stay() -> None:
    found = as_typed(examples(*["it 's"] * 400), random.Random(0))
    assert 150 < sum(text == "it's" for (text,) in found.texts) < 250
    assert found.labels == tuple(range(400))


def test_the_labels_are_in_the_order_of_the_data() -> None:
    assert sentiment.RECIPE.labels == ("negative", "positive")
