"""Scores of induction and previous-token heads."""

import pytest
import torch

import course
from course.causal.induction import HeadScores, head_scores
from course.training import shakespeare
from tests import causal_models, tiny


class Copying:
    """Head 0 attends to the token after the earlier copy, head 1 to the token before, head 2 evenly."""

    config = type("Config", (), {"vocab_size": 5000})()
    device = "cpu"

    def __call__(self, tokens, output_attentions):
        rows, length = tokens.shape
        weights = torch.zeros(rows, 3, length, length)
        for row in range(rows):
            for i in range(length):
                earlier = [j for j in range(i) if tokens[row, j] == tokens[row, i]]
                weights[row, 0, i, earlier[-1] + 1 if earlier else 0] = 1
                weights[row, 1, i, max(i - 1, 0)] = 1
                weights[row, 2, i, : i + 1] = 1 / (i + 1)
        return type("Output", (), {"attentions": (weights,)})


def test_heads_of_each_kind_are_found_by_hand():
    found = head_scores(Copying(), sequences=2, length=20, seed=0)
    assert found.induction.shape == found.previous.shape == (2, 1, 3)
    assert found.mean("induction")[0, 0] == pytest.approx(1) and found.mean("previous")[0, 1] == pytest.approx(1)
    assert found.strongest("induction") == (0, 0) and found.strongest("previous") == (0, 1)
    assert found.best() == pytest.approx((1, 1))


def test_even_attention_has_the_scores_that_are_called_chance():
    found = head_scores(Copying(), sequences=2, length=20, seed=0)
    assert float(found.mean("induction")[0, 2]) == pytest.approx(found.chance[0], abs=1e-6)
    assert float(found.mean("previous")[0, 2]) == pytest.approx(found.chance[1], abs=1e-6)


def test_the_recipe_scores_by_the_same_function_with_the_same_numbers():
    """As the recipe computed them itself: one draw, one run, the same diagonals."""
    assert shakespeare.head_scores is head_scores
    module, length = tiny.gpt2().module, 20
    once = torch.randint(1, 330, (6, length), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        weights = torch.stack(module(once.repeat(1, 2), output_attentions=True).attentions, dim=1)
    later = weights[..., length:, :]
    found = head_scores(module, 6, length, 1)
    assert torch.equal(found.induction, later.diagonal(offset=1, dim1=-2, dim2=-1)[..., :length].mean(-1))
    assert torch.equal(found.previous, weights.diagonal(offset=-1, dim1=-2, dim2=-1).mean(-1))


def test_portions_of_any_size_give_the_same(monkeypatch):
    whole = course.induction_scores(causal_models.llama(), sequences=7, length=10)
    monkeypatch.setattr("course.causal.induction._WEIGHTS_AT_ONCE", 3 * 4 * 4 * 100 * 2)
    parts = course.induction_scores(causal_models.llama(), sequences=7, length=10)
    assert torch.allclose(whole.induction, parts.induction, atol=1e-6)
    assert torch.allclose(whole.previous, parts.previous, atol=1e-6)


def test_the_words_name_the_strongest_heads():
    found = course.induction_scores(tiny.gpt2(), sequences=3, length=10)
    layer, head = found.strongest("induction")
    assert f"induction head: layer {layer} head {head}, " in repr(found) and "even attention" in repr(found)
    assert "tiny GPT-2 on 3 stretches" in repr(found)


def test_what_cannot_be_scored_is_said():
    with pytest.raises(course.LensError, match="Roles that are: shakespeare"):
        course.induction_scores(tiny.bert())
    with pytest.raises(course.LensError, match="give length=32 or less"):
        course.induction_scores(tiny.gpt2())
    with pytest.raises(course.LensError, match="sequences must be"):
        course.induction_scores(tiny.gpt2(), sequences=0)
    with pytest.raises(course.LensError, match="kind must be one of"):
        HeadScores(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1)).strongest("name mover")
