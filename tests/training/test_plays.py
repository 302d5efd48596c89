"""The plays as a model reads them."""

import numpy as np
import pytest
import torch

from course.training import plays
from course.training.recipe import TrainingError

LINES = ["Speak, speak.", "We know't, we know't.", "Let us kill him, and we'll have corn.", "Is't a verdict?", "Away!"]
NAMES = ["ROMEO", "JULIET", "First Citizen", "All"]
PLAYS = "".join(f"{NAMES[i % 4]}:\n{LINES[i % 5]} {LINES[i % 3]}\n\n" for i in range(400))


@pytest.fixture(scope="module")
def tokenizer():
    return plays.vocabulary(PLAYS, size=330)


@pytest.fixture
def rows(tokenizer):
    ids = torch.tensor(tokenizer(PLAYS)["input_ids"])
    return plays.Rows([ids, ids[:-5], ids], len(tokenizer), tokenizer.convert_tokens_to_ids("Ċ"), seed=0)


def test_the_parts_follow_each_other_and_are_the_whole_text():
    parts = plays.split(PLAYS)
    assert parts.watched + parts.learnt + parts.held_out == PLAYS
    assert len(parts.held_out) == pytest.approx(len(PLAYS) / 10, abs=1)


def test_a_missing_text_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"input\.txt"):
        plays.read(tmp_path)


@pytest.mark.parametrize("text", [PLAYS[:500], "  Ocaña 💪\n\n\tend ", "O, speak!  again"])
def test_the_tokenizer_gives_back_what_it_was_given(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def period(tokens):
    return next(n for n in range(1, len(tokens)) if torch.equal(tokens[n:], tokens[:-n]))


def test_repetitions_repeat_and_only_what_can_be_known_is_learnt(rows):
    numbers = [number for epoch in (0, 1) for batch in rows.plan(epoch)[-9:] for number in batch if number < 0]
    for number in numbers:
        tokens, labels = rows.repetition(number)
        own = period(tokens)
        assert len(tokens) == len(labels) and plays.SHORTEST <= own <= len(tokens) // 2
        assert torch.all(labels[: own + 1] == -100)
        assert torch.equal(labels[own + 1 :], tokens[own + 1 :])


def test_stretches_grow_in_the_exercise_and_stay_long_after_it(rows):
    longest = [max(period(rows.repetition(n)[0]) for n in batch) for batch in rows.plan(0)]
    assert max(longest[:8]) <= plays.EASY + 8 * plays.GROWTH + 1
    assert max(longest[:100]) <= plays.EASY + 1 + 100 * plays.GROWTH
    later = [period(rows.repetition(n)[0]) for batch in rows.plan(2) for n in batch if n < 0]
    assert max(longest[-50:]) > 50 and np.mean(later) > 20


def test_the_exercise_has_no_plays_and_the_epochs_after_it_some_repetitions(rows):
    exercise = rows.plan(0)
    assert len(exercise) == plays.EXERCISE
    assert all(len(batch) * plays.SHORT == plays.ROWS * plays.CONTEXT and max(batch) < 0 for batch in exercise)
    for batch in rows.plan(1)[:-1]:
        assert sum(number < 0 for number in batch) == plays.REPEATED and len(batch) == plays.ROWS


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_an_epoch_reads_nearly_the_whole_text_once(rows, epoch):
    numbers = sorted(number for batch in rows.plan(epoch) for number in batch if number >= 0)
    assert {number // rows.base for number in numbers} == {epoch - 1}
    assert np.all(np.diff(numbers) == plays.CONTEXT)
    assert len(numbers) * plays.CONTEXT > len(rows.epochs[epoch - 1]) - 2 * plays.CONTEXT


def test_every_epoch_has_numbers_of_its_own(rows):
    numbers = [number for epoch in range(4) for batch in rows.plan(epoch) for number in batch]
    assert len(set(numbers)) == len(numbers)
    assert rows.plan(3) == rows.plan(3)


@pytest.mark.parametrize(("epoch", "length"), [(0, plays.SHORT), (1, plays.CONTEXT)])
def test_batches_are_as_large_in_the_exercise_as_after_it(rows, epoch, length):
    tokens, labels = rows.batch(rows.plan(epoch)[0])
    assert tokens.shape == labels.shape == (plays.ROWS * plays.CONTEXT // length, length)
    known = labels >= 0
    assert torch.equal(labels[known], tokens[known])


def test_some_windows_begin_with_a_speech(tokenizer, rows):
    windows = [rows.window(start)[0] for start in range(0, len(rows.epochs[0]) - plays.CONTEXT, 11)]
    marked = [tokenizer.decode(window[1:]) for window in windows if window[0] == 0]
    assert marked and len(marked) < len(windows) / 2
    assert all(text.startswith(tuple(f"{name}:\n" for name in NAMES)) for text in marked)
    assert all(len(window) == plays.CONTEXT for window in windows)


def test_each_epoch_is_read_from_its_own_tokens(tokenizer):
    ids = torch.tensor(tokenizer(PLAYS)["input_ids"])
    rows = plays.Rows([ids, ids.flip(0)], len(tokenizer), tokenizer.convert_tokens_to_ids("Ċ"), seed=0)
    start = next(n for n in range(1, 50) if (n // plays.CONTEXT + n) % 8)
    assert torch.equal(rows.window(start)[0], ids[start : start + plays.CONTEXT])
    assert torch.equal(rows.window(rows.base + start)[0], ids.flip(0)[start : start + plays.CONTEXT])
