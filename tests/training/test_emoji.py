from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from course.models import wrap
from course.models.catalogue import Score
from course.training import emoji
from course.training.emoji import adjustment, centred, comparison, explained, fresh, macro_f1, score
from course.training.recipe import Run, TrainingError
from course.training.tweets import (
    SELECTOR,
    Teacher,
    Tweets,
    bare,
    published,
    read,
    recombined,
    spaced,
    split,
    svm,
    varied,
    without,
)
from course.training.wordpiece import vocabulary

WORDS = ("playa", "sol", "gym", "amor", "fiesta", "España", "risa", "música", "noche", "hoy")


def tweets(number: int, seed: int) -> Tweets:
    """Made-up tweets in which the first word tells the emoji."""
    draw = random.Random(seed)
    labels = tuple(i % len(emoji.LABELS) for i in range(number))
    texts = tuple(
        f"clave{label} {draw.choice(WORDS)} #{draw.choice(WORDS)} {seed}{i}" for i, label in enumerate(labels)
    )
    return Tweets(texts, labels)


def write(data: Path, part: str, found: Tweets) -> None:
    folder = data / "emoji-es"
    folder.mkdir(exist_ok=True)
    (folder / f"es_{part}.text").write_text("".join(f"{text}\n" for text in found.texts), encoding="utf-8")
    (folder / f"es_{part}.labels").write_text("".join(f"{label}\n" for label in found.labels), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    test = tweets(76, 1)
    trial = tweets(190, 0)
    shared = Tweets((*trial.texts, test.texts[5]), (*trial.labels, test.labels[5]))
    write(tmp_path, "trial", shared)
    write(tmp_path, "test", test)
    header = "Team\tUser\tF1\tPrecision\tRecall\tAccuracy\t 😂"
    rows = f"{header}\nWinner\tw\t22.364\t1\t2\t37.27\t3\n-\tlone\t3.896\t1\t2\t13.81\t0"
    (tmp_path / "emoji-es" / "published_results_es.tsv").write_text(rows, encoding="utf-8")
    return tmp_path


def test_lines_end_only_where_a_line_ends(tmp_path: Path) -> None:
    write(tmp_path, "trial", Tweets(("uno\x85dos", f"tres{SELECTOR}"), (0, 18)))
    assert read(tmp_path, "trial") == Tweets(("uno\x85dos", f"tres{SELECTOR}"), (0, 18))


def test_texts_without_their_labels_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "trial", Tweets(("uno", "dos"), (0,)))
    with pytest.raises(TrainingError, match="2 texts and 1 labels"):
        read(tmp_path, "trial")


def test_no_text_is_in_two_parts() -> None:
    many = tweets(190, 0)
    twice = Tweets(many.texts * 2, many.labels * 2)
    kept, held = split(twice, 0.1)
    assert len(held) == 38 and len(kept) == 342
    assert not set(kept.texts) & set(held.texts)
    assert split(twice, 0.1) == (kept, held)


def test_texts_of_the_test_are_neither_learnt_nor_watched(data: Path) -> None:
    training, watched = emoji.learnt(data)
    assert len(training) + len(watched) == 190
    assert not {*training.texts, *watched.texts} & set(read(data, "test").texts)
    assert without(training, training) == Tweets((), ())


def test_made_up_tweets_have_only_words_of_the_real_ones_and_repeat_with_their_seed() -> None:
    texts = tweets(40, 0).texts
    made = recombined(texts, 200, random.Random(3))
    assert {word for text in made for word in text.split()} <= {word for text in texts for word in text.split()}
    assert all(made) and len(set(made) - set(texts)) > 150
    assert made == recombined(texts, 200, random.Random(3))


def test_every_sixth_word_is_exchanged_and_the_rest_stay() -> None:
    texts = [" ".join(WORDS)] * 300
    found = [word for text in varied(texts, random.Random(0)) for word in text.split()]
    kept = sum(word == before for word, before in zip(found, WORDS * 300, strict=True))
    assert 0.8 < kept / len(found) < 0.9
    assert set(WORDS) < set(found)


def test_the_selector_is_a_token_of_its_own_and_accents_stay() -> None:
    tokenizer = vocabulary(["mañana te quiero", f"mañana{SELECTOR} canción", f"te quiero {SELECTOR}"] * 3, 300, 128)
    assert tokenizer.tokenize(f"Mañana{SELECTOR} CANCIÓN") == ["mañana", SELECTOR, "canción"]
    assert spaced(f"Mañana{SELECTOR} CANCIÓN") == f"mañana {SELECTOR} canción"
    assert bare([f"Mañana{SELECTOR} sí", SELECTOR]) == ["Mañana sí", ""]


def test_pieces_keep_their_places_in_the_text() -> None:
    tokenizer = vocabulary(["gym salud", "albacete capital"] * 3, 300, 128)
    text = "#GYM @ Albacete"
    encoding = tokenizer(text, return_offsets_mapping=True)
    assert [text[start:end] for start, end in encoding["offset_mapping"]] == ["", "#", "GYM", "@", "Albacete", ""]


def test_the_teacher_knows_what_it_was_fitted_to() -> None:
    found = Teacher(tweets(190, 0))(["clave3 playa", "clave18 gym"])
    assert found.argmax(1).tolist() == [3, 18]
    assert np.exp(found).sum(1) == pytest.approx([1, 1], rel=1e-4)


def test_the_support_vector_machine_knows_it_too() -> None:
    assert svm(tweets(190, 0), ["clave3 playa", "clave18 gym"]).tolist() == [3, 18]


def test_a_teacher_that_never_met_an_emoji_is_refused() -> None:
    with pytest.raises(TrainingError, match="no training tweet"):
        Teacher(Tweets(("a b", "c d", "e f"), (0, 1, 18)))


def test_a_rare_emoji_gains_from_the_adjustment() -> None:
    found = adjustment(np.array([0.9, 0.1], dtype=np.float32))
    assert found[1] - found[0] == pytest.approx(emoji.PRIOR * np.log(9), rel=1e-5)
    assert found.sum() == pytest.approx(0, abs=1e-6)


def test_centred_answers_have_the_same_probabilities() -> None:
    answers = np.log(np.array([[0.6, 0.4], [0.1, 0.9]], dtype=np.float32))
    found = centred(answers)
    assert found.sum(1) == pytest.approx([0, 0], abs=1e-6)
    assert np.exp(found) / np.exp(found).sum(1, keepdims=True) == pytest.approx(np.exp(answers))


def test_explained_variance_of_hand_worked_cases() -> None:
    wanted = np.array([[1.0, 0.0], [3.0, 0.0]], dtype=np.float32)
    assert explained(wanted, wanted) == 1
    assert explained(np.array([[2.0, 0.0], [2.0, 0.0]], dtype=np.float32), wanted) == 0


def test_macro_f1_is_that_of_scikit_learn_over_all_emojis() -> None:
    draw = np.random.default_rng(0)
    found, wanted = draw.integers(0, 17, 300), draw.integers(0, 18, 300)
    expected = f1_score(wanted, found, labels=range(19), average="macro", zero_division=0)
    assert macro_f1(found, wanted) == pytest.approx(expected)


def test_scores_are_those_of_the_answers(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = read(data, "test")

    def always_right(module: object, tokenizer: object, texts: Sequence[str]) -> np.ndarray:
        return np.eye(19, dtype=np.float32)[list(test.labels)]

    monkeypatch.setattr(emoji, "logits", always_right)
    model = wrap(fresh(vocabulary(test.texts, 300, 128)), None)
    found = score(model, data)
    assert [each.name for each in found] == [
        "accuracy",
        "macro-F1",
        "accuracy without U+FE0F",
        "macro-F1 without U+FE0F",
    ]
    assert [each.value for each in found] == pytest.approx([1, 1, 1, 1])


def test_a_short_run_goes_through_and_repeats(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "MADE", 2)
    monkeypatch.setattr(emoji, "STRANGE", 2)
    monkeypatch.setattr(emoji, "WIDTH", 32)
    device = torch.device("cpu")
    trained = [emoji.train(Run(data, tmp_path / name, 0, device, epochs=1)) for name in ("one", "two")]
    first, second = (each.module.state_dict() for each in trained)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert trained[0].outcome.steps == trained[1].outcome.steps > 0
    model = wrap(trained[0].module, trained[0].tokenizer)
    assert model.labels == emoji.LABELS
    texts = read(data, "test").texts
    assert emoji.logits(model.module, model.tokenizer, texts).shape == (76, 19)
    assert 0 <= score(model, data)[0].value <= 1


def test_published_systems_are_named_by_team_or_user(data: Path) -> None:
    assert [(name, round(f1, 5), round(accuracy, 5)) for name, f1, accuracy in published(data)] == [
        ("Winner", 0.22364, 0.3727),
        ("lone", 0.03896, 0.1381),
    ]


def test_the_comparison_places_the_model_among_the_others(data: Path) -> None:
    scores = (Score("accuracy", 0.2, "es_test", None), Score("macro-F1", 0.1, "es_test", None))
    table = comparison(data, scores).splitlines()
    assert "| **this model** | 10.0 | 20.0 |" in table
    values = [float(line.split("|")[2]) for line in table[2:] if line.startswith("|")]
    assert values == sorted(values, reverse=True) and len(values) == 6


def test_labels_are_in_the_order_of_the_data() -> None:
    assert len(set(emoji.LABELS)) == 19
    assert (emoji.LABELS[0], emoji.LABELS[6], emoji.LABELS[9], emoji.LABELS[18]) == ("❤", "💪", "🇪🇸", "😁")
