"""The recipe of the small GPT-2."""

from pathlib import Path

import numpy as np
import pytest
import torch

from course.models import wrap
from course.training import plays, shakespeare
from course.training.recipe import Run, TrainingError

LINES = ["Speak, speak.", "We know't, we know't.", "Let us kill him, and we'll have corn.", "Is't a verdict?", "Away!"]
NAMES = ["ROMEO", "JULIET", "First Citizen", "All"]
PLAYS = "".join(f"{NAMES[i % 4]}:\n{LINES[i % 5]} {LINES[i % 3]}\n\n" for i in range(400))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "shakespeare").mkdir()
    (tmp_path / "shakespeare" / "input.txt").write_text(PLAYS, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def tokenizer():
    return plays.vocabulary(PLAYS, size=330)


class Uniform(torch.nn.Module):
    """Every token is as probable as every other."""

    def __init__(self, vocabulary: int, context: int):
        super().__init__()
        self.own = torch.nn.Parameter(torch.zeros(1))
        self.config = type("Config", (), {"n_positions": context, "vocab_size": vocabulary})
        self.device = torch.device("cpu")

    def forward(self, windows):
        return type("Output", (), {"logits": torch.zeros(*windows.shape, self.config.vocab_size)})


def test_a_uniform_model_costs_the_same_for_every_token(tokenizer):
    parts = plays.split(PLAYS)
    tokens = len(tokenizer(parts.held_out)["input_ids"])
    for stride in (1, 7, 16):
        found = shakespeare.cost(Uniform(330, 16), tokenizer, parts.learnt, parts.held_out, stride)
        assert found.bits.sum() == pytest.approx(tokens * np.log2(330))
        assert found.characters.sum() == len(parts.held_out)
        assert found.per_character() == pytest.approx(tokens * np.log2(330) / len(parts.held_out))


def test_characters_are_counted_and_not_bytes(tokenizer):
    found = shakespeare.cost(Uniform(330, 16), tokenizer, PLAYS, "Ocaña 💪 " * 5, stride=3)
    assert found.characters.sum() == 8 * 5


def test_a_text_needs_others_before_it(tokenizer):
    with pytest.raises(TrainingError, match="before"):
        shakespeare.cost(Uniform(330, 16), tokenizer, "Speak.", PLAYS, stride=4)


def test_readouts_name_each_token_and_the_one_before_it(tokenizer):
    """With the first block's output set to known vectors, only the right readouts cost nothing."""
    torch.manual_seed(0)
    module = shakespeare.fresh(tokenizer)
    width, vocabulary = module.config.n_embd, module.config.vocab_size
    tokens = torch.randint(1, vocabulary, (2, 6))
    pupil = shakespeare.Pupil(module).eval()
    with torch.no_grad():
        module.lm_head.weight.copy_(torch.nn.functional.normalize(torch.randn(vocabulary, width), dim=1))
        embedded = module.lm_head.weight[tokens]
        known = torch.cat([embedded[..., : width // 2], embedded.roll(1, dims=1)[..., : width // 2]], dim=-1)
        pupil.here.weight.zero_()
        pupil.before.weight.zero_()
        pupil.here.weight[: width // 2, : width // 2] = 1e4 * torch.eye(width // 2)
        pupil.before.weight[: width // 2, width // 2 :] = 1e4 * torch.eye(width // 2)
    module.transformer.h[0].forward = lambda *_, **__: known
    plain, taught = (pupil(tokens, tokens, share=share).item() for share in (0.0, 1.0))
    assert taught == pytest.approx(plain, abs=1e-3)
    pupil.here, pupil.before = pupil.before, pupil.here
    assert pupil(tokens, tokens, share=1.0).item() > plain + 10


def test_a_miniature_run_gives_a_model_that_the_course_reads(data, tmp_path, monkeypatch):
    monkeypatch.setattr(plays, "EXERCISE", 2)
    monkeypatch.setattr(plays.vocabulary, "__defaults__", (330,))
    run = Run(data, tmp_path / "out", seed=0, device=torch.device("cpu"), examples=1500, epochs=2)
    trained = shakespeare.train(run)
    model = wrap(trained.module, trained.tokenizer, name="shakespeare")
    assert model.limits.longest == shakespeare.CONTEXT
    assert model.causal
    bits, induction, previous = shakespeare.score(model, data)
    assert 0 < bits.value < 10
    for score in (bits, induction, previous):
        assert score.interval is not None and score.interval[0] <= score.value <= score.interval[1]
    written = model.module.generate(**model.tokenizer("ROMEO:\n", return_tensors="pt"), max_new_tokens=5)
    assert model.tokenizer.decode(written[0]).startswith("ROMEO:\n")
    again = shakespeare.train(Run(data, tmp_path / "other", 0, torch.device("cpu"), examples=1500, epochs=2))
    for one, other in zip(trained.module.parameters(), again.module.parameters(), strict=True):
        assert torch.equal(one, other)
