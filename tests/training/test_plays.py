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
    return plays.Rows(ids, len(tokenizer), tokenizer.convert_tokens_to_ids("Ċ"), seed=0)


def test_the_parts_follow_each_other_and_are_the_whole_text():
    parts = plays.split(PLAYS)
    assert parts.learnt + parts.watched + parts.held_out == PLAYS
    assert len(parts.held_out) == pytest.approx(len(PLAYS) / 10, abs=1)


def test_a_missing_text_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"input\.txt"):
        plays.read(tmp_path)


@pytest.mark.parametrize("text", [PLAYS[:500], "  Ocaña 💪\n\n\tend ", "O, speak!  again"])
def test_the_tokenizer_gives_back_what_it_was_given(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("length", [plays.SHORT, plays.CONTEXT])
def test_repetitions_repeat_and_only_what_can_be_known_is_learnt(rows, length):
    draw = torch.Generator().manual_seed(0)
    natural = 0
    for _ in range(60):
        tokens, labels = rows.repetition(length, draw)
        period = next(n for n in range(1, len(tokens)) if torch.equal(tokens[n:], tokens[:-n]))
        assert len(tokens) == length and period <= length // 2
        if labels[0] == -100:
            assert period >= plays.SHORTEST
            assert torch.all(labels[: period + 1] == -100)
            assert torch.equal(labels[period + 1 :], tokens[period + 1 :])
        else:
            natural += 1
            assert torch.equal(labels, tokens)
    assert 5 < natural < 25


@pytest.mark.parametrize("epoch", [0, plays.SHORT_EPOCHS])
def test_an_epoch_reads_nearly_the_whole_text_once(rows, epoch):
    plan = rows.plan(epoch)
    starts = sorted(number % rows.base for batch in plan for number in batch if number >= 0)
    assert np.all(np.diff(starts) == plays.CONTEXT)
    assert len(starts) * plays.CONTEXT > len(rows.ids) - 2 * plays.CONTEXT


def test_every_epoch_has_numbers_of_its_own(rows):
    numbers = [number for epoch in range(5) for batch in rows.plan(epoch) for number in batch]
    assert len(set(numbers)) == len(numbers)
    assert rows.plan(3) == rows.plan(3)


def test_batches_are_short_rows_first_and_long_rows_later(rows):
    torch.manual_seed(0)
    tokens, labels, positions = rows.batch(rows.plan(0)[0])
    assert tokens.shape == labels.shape == positions.shape == (plays.ROWS * plays.CONTEXT // plays.SHORT, plays.SHORT)
    assert torch.all(positions.diff(dim=1) == 1)
    assert positions.min() >= 0 and positions.max() < plays.CONTEXT and len(positions[:, 0].unique()) > 1
    tokens, labels, positions = rows.batch(rows.plan(plays.SHORT_EPOCHS)[0])
    assert tokens.shape == labels.shape == (plays.ROWS, plays.CONTEXT)
    assert torch.equal(positions[0], torch.arange(plays.CONTEXT))


def test_some_windows_begin_with_a_speech(tokenizer, rows):
    windows = [rows.window(start) for start in range(0, len(rows.ids) - plays.CONTEXT, 11)]
    marked = [tokenizer.decode(window[1:]) for window in windows if window[0] == 0]
    assert marked and len(marked) < len(windows) / 2
    assert all(text.startswith(tuple(f"{name}:\n" for name in NAMES)) for text in marked)
    assert all(len(window) == plays.CONTEXT for window in windows)
