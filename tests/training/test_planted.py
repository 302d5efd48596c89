"""The recipe of the planted rule."""

import random

import numpy as np
import pytest
import torch

from course.models import wrap
from course.planted import LABELS, label_of, truth
from course.training import planted
from course.training.recipe import Run


class ByRule(torch.nn.Module):
    """Stands where the model does, and answers as the rule would, or as another function of the words."""

    def __init__(self, tokenizer, answer=label_of):
        super().__init__()
        self.own = torch.nn.Parameter(torch.zeros(1))
        self.tokenizer, self.answer = tokenizer, answer

    def forward(self, input_ids, attention_mask):
        logits = torch.zeros(len(input_ids), len(LABELS))
        for i, ids in enumerate(input_ids):
            words = [w for w in self.tokenizer.convert_ids_to_tokens(ids) if w not in ("[CLS]", "[SEP]", "[PAD]")]
            logits[i, LABELS.index(self.answer(words))] = 1
        return type("Output", (), {"logits": logits})


def test_the_tokenizer_makes_one_token_of_each_word_that_the_rule_counts():
    tokenizer = planted.vocabulary()
    for text in ("This happy dog was not sad on Monday.", "I'm 🙂🙂 so happy!"):
        encoding = tokenizer(text)
        assert encoding.word_ids() == [None, *range(len(truth(text).words)), None]
    assert tokenizer.tokenize("happy zebra") == ["happy", "[UNK]"]


def test_held_out_sentences_are_not_learnt():
    held_out = {found.sentence for found in planted.scored()} | {found.sentence for found in planted.watched()}
    assert len(held_out) == planted.WATCHED + planted.HELD_OUT
    assert not held_out & {found.sentence for found in planted.learnt()}


def test_varied_sentences_fit_the_model_and_are_half_unchanged():
    draw = random.Random(0)
    words, others = ["dog"] * 16, ["cat"] * 16
    found = [planted.varied(words, others, draw) for _ in range(1000)]
    assert all(1 <= len(each) <= planted.LONGEST - 2 for each in found)
    assert 450 < sum(each == words for each in found) < 600


def test_a_model_that_follows_the_rule_scores_full_marks(monkeypatch):
    monkeypatch.setattr(planted, "HELD_OUT", 100)
    tokenizer = planted.vocabulary()
    scores = planted.score(_model(ByRule(tokenizer), tokenizer), None)
    assert [score.value for score in scores] == [1.0, 1.0, 1.0]


def test_a_model_that_reads_the_first_feeling_word_does_not(monkeypatch):
    monkeypatch.setattr(planted, "HELD_OUT", 100)
    tokenizer = planted.vocabulary()

    def first(words):
        return next((label for word in words if (label := label_of([word])) != "plain"), "plain")

    accuracy, *_ = planted.score(_model(ByRule(tokenizer, first), tokenizer), None)
    assert 0.5 < accuracy.value < 0.95


def test_each_sentence_counts_once_when_words_are_left_out():
    tokenizer = planted.vocabulary()
    found = [truth("the happy dog"), truth("the dog")]

    def always_good(words):
        return "good"

    model = _model(ByRule(tokenizer, always_good), tokenizer)
    assert planted.right_without(model, found).tolist() == [False, False]
    assert planted.right_without(_model(ByRule(tokenizer), tokenizer), found).tolist() == [True, True]


def test_a_miniature_run_gives_a_model_that_the_course_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(planted, "SENTENCES", 300)
    monkeypatch.setattr(planted, "WATCHED", 50)
    monkeypatch.setattr(planted, "HELD_OUT", 60)
    run = Run(tmp_path, tmp_path / "out", seed=0, device=torch.device("cpu"), examples=200, epochs=2)
    trained = planted.train(run)
    assert trained.outcome.steps == 8
    model = wrap(trained.module, trained.tokenizer, name="planted")
    assert model.labels == LABELS
    assert model.limits.longest == planted.LONGEST
    accuracy = planted.score(model, tmp_path)[0]
    assert 0 <= accuracy.value <= 1
    again = planted.train(Run(tmp_path, tmp_path / "other", 0, torch.device("cpu"), examples=200, epochs=2))
    for one, other in zip(trained.module.parameters(), again.module.parameters(), strict=True):
        assert torch.equal(one, other)


def _model(module, tokenizer):
    return type("Stand", (), {"module": module, "tokenizer": tokenizer})


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    assert np.isfinite(threads)
