"""Neurons and their factors: taken at the right place, never below 0, and the same each time."""

import numpy as np
import pytest
import torch

import course
from course.causal.mlp_neurons import Neurons
from course.causal.neuron_factors import factored
from tests import causal_models, tiny
from tests.views.synthetic import tokens_of

TEXT = "the cat sat on the mat , the rabbit hopped past the turtle"
MODELS = [
    (tiny.gpt2, 128), (causal_models.llama, 48), (causal_models.opt, 48), (tiny.bert, 48), (tiny.distilbert, 48),
    (tiny.roberta, 48),
]  # fmt: skip


def known(values):
    """One layer, tokens x neurons."""
    values = torch.tensor(values)
    return Neurons(values[None], tokens_of(tuple("abcdefgh"[: len(values)])), "Made up")


def a_sum_of_two():
    """Tokens 0 and 1 have three and one times pattern (1, 2, 0, 0), tokens 2 and 3 two and four times (0, 0, 1, 1)."""
    return known([[3.0, 6, 0, 0], [1, 2, 0, 0], [0, 0, 2, 2], [0, 0, 4, 4]])


@pytest.mark.parametrize(("make", "count"), MODELS)
def test_every_layer_has_its_neurons(make, count):
    model = make()
    found = course.neurons(model, TEXT)
    assert found.activations.shape == (model.layers, len(found.tokens), count)
    assert not any(part._forward_pre_hooks for part in model.module.modules())


def test_neurons_of_gpt2_are_what_the_activation_function_gives():
    model = tiny.gpt2()
    seen = []
    handles = [
        block.mlp.act.register_forward_hook(lambda *a: seen.append(a[2][0])) for block in model.module.transformer.h
    ]
    found = course.neurons(model, TEXT)
    for handle in handles:
        handle.remove()
    assert torch.equal(found.activations, torch.stack(seen))
    assert float(found.activations.min()) > -0.1701


def test_neurons_of_llama_are_after_the_gate():
    model = causal_models.llama()
    block = model.module.model.layers[1]
    seen = []
    handle = block.mlp.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    found = course.neurons(model, TEXT)
    handle.remove()
    with torch.no_grad():
        by_hand = block.mlp.act_fn(block.mlp.gate_proj(seen[0])) * block.mlp.up_proj(seen[0])
    assert torch.allclose(found.activations[1], by_hand[0], atol=1e-6)


def test_hooks_are_removed_after_an_exception():
    model = causal_models.gpt2.__wrapped__()
    handle = model.module.transformer.h[1].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        course.neurons(model, TEXT)
    handle.remove()
    assert not any(part._forward_pre_hooks for part in model.module.modules())


def test_a_sum_of_two_patterns_is_found_again():
    found = a_sum_of_two().factors(2)
    assert found.error < 1e-3 and found.converged and found.clipped == 0
    assert torch.allclose(found.weights[0], torch.tensor([3, 1, 0, 0]).double() * 5**0.5, atol=0.02)
    assert torch.allclose(found.weights[1], torch.tensor([0, 0, 2, 4]).double() * 2**0.5, atol=0.02)
    assert torch.allclose(found.patterns[0, 0], torch.tensor([1, 2, 0, 0]).double() / 5**0.5, atol=0.01)
    assert [one.text for one in found.top(0)] == ["a", "b"] and [one.position for one in found.top(1, 1)] == [3]
    assert [(one.layer, one.neuron) for one in found.neurons(0)] == [(0, 1), (0, 0)]


def test_the_error_is_what_is_missing_by_hand():
    found = known([[3.0, 0.0], [0.0, 4.0]]).factors(1)
    assert found.error == pytest.approx(3 / 5, abs=1e-3)  # one pattern takes the 4 and leaves the 3 of √(9 + 16)


def test_what_is_below_zero_is_clipped_and_its_share_is_stated():
    values = known([[3.0, -1.0], [-1.0, 5.0]])
    assert values.negative == pytest.approx(0.2)
    found = values.factors(2)
    assert found.clipped == pytest.approx(0.2) and found.error < 1e-3
    assert "20% of all activity is below 0 and was taken as 0" in repr(found)
    assert "20% of all activity is below 0" in repr(values)


@pytest.mark.parametrize("make", [tiny.gpt2, tiny.bert])
def test_factors_are_never_below_zero_and_always_the_same(make):
    found = [course.neurons(make(), TEXT).factors(4) for _ in range(2)]
    for one in found:
        assert bool((one.weights >= 0).all()) and bool((one.patterns >= 0).all()) and 0 < one.error < 1
        lengths = one.patterns.flatten(1).norm(dim=1)
        assert torch.allclose(lengths, torch.ones(4, dtype=torch.float64))
        sizes = one.weights.square().sum(1)
        assert bool((sizes[:-1] >= sizes[1:]).all())
    assert torch.equal(found[0].weights, found[1].weights) and torch.equal(found[0].patterns, found[1].patterns)
    assert repr(found[0]) == repr(found[1])


def test_the_error_is_that_of_weights_times_patterns():
    neurons = course.neurons(tiny.gpt2(), TEXT)
    found = neurons.factors(5, layers=[1])
    matrix = neurons.activations[1].double().clamp_min(0).numpy()
    rest = matrix - found.weights.T.numpy() @ found.patterns.flatten(1).numpy()
    assert found.error == pytest.approx(np.linalg.norm(rest) / np.linalg.norm(matrix))
    assert found.layers == (1,) and {one.layer for one in found.neurons(0)} == {1}
    errors = [neurons.factors(count).error for count in (1, 3, 6, 12)]
    assert errors == sorted(errors, reverse=True)


def test_too_few_steps_are_announced():
    found = course.neurons(tiny.gpt2(), TEXT).factors(5, most_steps=2)
    assert not found.converged and "NOT at rest after 2 steps: raise most_steps" in repr(found)


def test_one_token_and_equal_tokens_give_numbers():
    assert course.neurons(tiny.gpt2(), "!").factors(1).error < 1e-3
    found = known([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]).factors(2)  # of rank 1: the second factor may be empty
    assert found.error < 1e-2 and bool(torch.isfinite(found.patterns).all())


def test_what_cannot_be_had_is_said():
    neurons = course.neurons(tiny.gpt2(), "the cat")
    with pytest.raises(
        course.NeuronError, match=f"count must be a whole number from 1 to {len(neurons.tokens)}, not 99"
    ):
        neurons.factors(99)
    with pytest.raises(course.NeuronError, match="layers must be different numbers from 0 to 1"):
        neurons.factors(1, layers=[2])
    with pytest.raises(course.NeuronError, match="no neuron is above 0"):
        factored(known([[-1.0, 0.0]]), 1)
    with pytest.raises(course.NeuronError, match="NaN"):
        known([[float("nan"), 0.0]])
    with pytest.raises(course.NeuronError, match="encoder–decoder"):
        course.neurons(tiny.bart(), TEXT)
    with pytest.raises(course.NeuronError, match="no token 99"):
        neurons.strongest(99)
    with pytest.raises(course.NeuronError, match="no factor 3"):
        a_sum_of_two().factors(2).top(3)
    with pytest.raises(course.InputError):
        course.neurons(tiny.vit(), TEXT)


def test_strongest_neurons_by_hand():
    values = torch.tensor([[[1.0, 5.0, 2.0]], [[5.0, 0.0, 3.0]]])
    found = Neurons(values, tokens_of(("a",)), "Made up").strongest(0, 3)
    assert [(one.layer, one.neuron, one.value) for one in found] == [(0, 1, 5.0), (1, 0, 5.0), (1, 2, 3.0)]
