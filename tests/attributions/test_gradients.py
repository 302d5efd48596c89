"""Attributions of nets whose answer can be worked out by hand, and of any source of embeddings."""

from __future__ import annotations

import contextlib

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from course.attributions.embedded import AttributionError, Embedded, unchanged
from course.attributions.gradients import gradient_x_input, integrated_gradients, occlusion

INPUT = torch.tensor([[[2.0], [3.0], [-1.0]]])
BASELINE = torch.tensor([[[0.0], [1.0], [0.0]]])


class Net(nn.Module):
    """Its embeddings are ``layer``; its score is ``formula`` of these, one number a row."""

    def __init__(self, formula, layer=None) -> None:
        super().__init__()
        self.layer = nn.Identity() if layer is None else layer
        self.formula = formula

    def forward(self, inputs):
        return self.formula(self.layer(inputs))


def embedded(formula, *, rows=8, layer=None, inputs=INPUT, baseline=BASELINE):
    net = Net(formula, layer).eval()
    return Embedded(net, net.layer, inputs, baseline, net, rows)


def product(vectors):
    return vectors[:, 0, 0] * vectors[:, 1, 0] + vectors[:, 2, 0] ** 2


def test_a_linear_score_is_shared_exactly():
    shares = integrated_gradients(embedded(lambda v: 5 * v[:, 0, 0] - 2 * v[:, 1, 0] + 7))
    assert shares.values.tolist() == pytest.approx([10, -4, 0], abs=1e-5)
    assert (shares.score, shares.baseline_score, shares.steps) == (11, 5, 32)


def test_a_product_is_shared_as_by_hand():
    # On the path x0 = 2a, x1 = 1 + 2a, x2 = -a: 2∫(1 + 2a) = 4, 2∫2a = 2, and x2² gives 1.
    shares = integrated_gradients(embedded(product))
    assert shares.values.tolist() == pytest.approx([4, 2, 1], abs=1e-5)
    assert shares.gap < 1e-5 and shares.change == 7


def test_the_other_methods_by_hand():
    assert gradient_x_input(embedded(product)).values.tolist() == pytest.approx([6, 6, 2])
    # Without the first: 0·3 + 1 = 1 of 7; the second: 2·1 + 1 = 3; the third: 6.
    found = occlusion(embedded(product), [0, 1, 2])
    assert found.values.tolist() == pytest.approx([6, 4, 1]) and found.gap == pytest.approx(4)
    assert occlusion(embedded(product), [2]).values.tolist() == pytest.approx([0, 0, 1])


def test_values_are_those_of_the_layer_and_not_of_what_comes_before_it():
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 3.0)
    shares = integrated_gradients(embedded(lambda v: v[:, 0, 0] ** 2, layer=layer))
    assert shares.values.tolist() == pytest.approx([36, 0, 0], rel=1e-5)


def test_images_are_as_good_as_words():
    torch.manual_seed(0)
    patches = nn.Sequential(nn.Conv2d(1, 4, kernel_size=2, stride=2), nn.Flatten(2), _Transposed())
    picture = torch.rand(1, 1, 4, 4)
    found = integrated_gradients(
        embedded(lambda v: v.tanh().sum((1, 2)), layer=patches, inputs=picture, baseline=torch.zeros_like(picture))
    )
    assert found.values.shape == (4,) and found.gap < 1e-3 * abs(found.change)
    assert occlusion(
        embedded(lambda v: v.tanh().sum((1, 2)), layer=patches, inputs=picture, baseline=torch.zeros_like(picture)),
        [0, 1, 2, 3],
    ).values.tolist() == pytest.approx(found.values.tolist(), abs=1e-4)  # a sum over patches: nothing acts together


class _Transposed(nn.Module):
    def forward(self, inputs):
        return inputs.transpose(1, 2)


def test_the_same_as_captums_integrated_gradients_and_as_a_fine_riemann_sum():
    def formula(vectors):
        return (vectors.sum(-1) * torch.tensor([1.0, -2.0, 0.5])).sum(-1).sigmoid() * 4

    found = integrated_gradients(embedded(formula)).values
    other = IntegratedGradients(formula).attribute(INPUT, BASELINE, n_steps=200, method="gausslegendre")
    assert found.tolist() == pytest.approx(other.sum(-1)[0].tolist(), abs=1e-5)
    alphas = (torch.arange(4000) + 0.5) / 4000
    path = (BASELINE + alphas[:, None, None] * (INPUT - BASELINE)).requires_grad_()
    gradient = torch.autograd.grad(formula(path).sum(), path)[0].mean(0)
    assert found.tolist() == pytest.approx((gradient * (INPUT - BASELINE)[0]).sum(-1).tolist(), abs=1e-4)


def test_steps_are_doubled_until_the_gap_is_small_and_not_beyond_the_most():
    def steep(vectors):
        return torch.sigmoid(300 * (vectors[:, 0, 0] - 1.23))

    enough = integrated_gradients(embedded(steep), tolerance=1e-3, most_steps=4096)
    assert enough.steps > 64 and enough.gap <= 1e-3
    short = integrated_gradients(embedded(steep), tolerance=1e-3, most_steps=48, first_steps=32)
    assert short.steps == 48 and short.gap > 1e-3
    assert integrated_gradients(embedded(steep), tolerance=0.9, first_steps=4).steps < enough.steps


def test_a_score_that_never_changes_has_zeros_and_does_not_search_for_more():
    shares = integrated_gradients(embedded(lambda v: v.sum((1, 2)) * 0 + 3))
    assert shares.values.tolist() == [0, 0, 0] and shares.steps == 32 and shares.gap == 0


@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_portions_of_any_size_give_the_same(rows):
    for method in (integrated_gradients, gradient_x_input, lambda e: occlusion(e, [0, 1, 2])):
        assert method(embedded(product, rows=rows)).values.tolist() == pytest.approx(
            method(embedded(product, rows=32)).values.tolist(), abs=1e-6
        )


def test_no_more_rows_are_run_at_once_than_allowed():
    sizes = []

    def formula(vectors):
        sizes.append(len(vectors))
        return product(vectors)

    for method in (integrated_gradients, gradient_x_input, lambda e: occlusion(e, [0, 1, 2])):
        method(embedded(formula, rows=3))
    assert max(sizes) == 3


def test_everything_is_as_before_also_after_an_exception():
    net = nn.Sequential(nn.Linear(1, 1), nn.Dropout()).train()
    net[0].eval()
    seen = []

    def failing():
        with unchanged(net):
            seen.append((net[1].training, torch.is_grad_enabled()))
            raise RuntimeError("broken")

    with torch.no_grad(), pytest.raises(RuntimeError, match="broken"):
        failing()
    assert seen == [(False, True)]
    assert net.training and net[1].training and not net[0].training


@pytest.mark.parametrize("method", [integrated_gradients, gradient_x_input, lambda e: occlusion(e, [0])])
@pytest.mark.parametrize("call", range(5))
def test_no_hook_is_left_wherever_the_model_breaks(method, call):
    calls = []

    def breaking(vectors):
        calls.append(1)
        if len(calls) > call:
            raise RuntimeError("broken")
        return product(vectors)

    site = embedded(breaking)
    with contextlib.suppress(RuntimeError):
        method(site)
    assert calls and not site.layer._forward_hooks and not site.layer._forward_pre_hooks


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_caller_may_have_gradients_switched_off(mode):
    site = embedded(product)
    with mode():
        assert integrated_gradients(site).values.tolist() == pytest.approx([4, 2, 1], abs=1e-5)
        assert not torch.is_grad_enabled()


def test_wrong_inputs_and_numbers_that_are_none_are_refused():
    with pytest.raises(AttributionError, match="the same shape"):
        embedded(product, baseline=BASELINE[:, :2])
    with pytest.raises(AttributionError, match="at least one row"):
        embedded(product, rows=0)
    with pytest.raises(AttributionError, match="not numbers"):
        integrated_gradients(embedded(lambda v: v.sum((1, 2)) / 0))
    with pytest.raises(AttributionError, match="gradients are not numbers"):
        gradient_x_input(embedded(lambda v: (v[:, 0, 0] - 2).abs().sqrt(), baseline=INPUT))
