"""Gradients: how a score is shared out among the positions of an input; every method on the same `Embedded`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from captum.attr import LayerActivation, LayerGradientXActivation, LayerIntegratedGradients
from torch import Tensor, nn

from course.attributions.embedded import AttributionError, Embedded, unchanged

FIRST_STEPS, MOST_STEPS = 32, 1024
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Shares:
    """What each position has of a score: ``values`` (positions, double precision, on the CPU).

    ``score`` and ``baseline_score`` are those of the input and of its baseline; ``steps`` is how many points of
    the path were used, None where there is no path.
    """

    values: Tensor
    score: float
    baseline_score: float
    steps: int | None = None

    def __post_init__(self) -> None:
        if not torch.isfinite(self.values).all():
            raise AttributionError("the gradients are not numbers (NaN or infinity)")

    @property
    def change(self) -> float:
        """Score minus score of the baseline: what there is to share out."""
        return self.score - self.baseline_score

    @property
    def gap(self) -> float:
        """How far the sum of the values is from `change`."""
        return abs(float(self.values.sum()) - self.change)

    @property
    def rounding(self) -> float:
        """A gap that single precision may leave, however many steps there are."""
        return 1e-7 * (abs(self.score) + abs(self.baseline_score) + float(self.values.abs().sum()))


def integrated_gradients(
    embedded: Embedded, tolerance: float = TOLERANCE, most_steps: int = MOST_STEPS, first_steps: int = FIRST_STEPS
) -> Shares:
    """The gradient along the straight path from the baseline to the input, integrated (Sundararajan et al. 2017).

    The path is that of the embeddings, the output of ``embedded.layer``. The integral is taken by Gauss–Legendre
    quadrature, with ``first_steps`` points and twice as many until the `gap` is at most ``tolerance`` times the
    change of the score, or only rounding is left, or ``most_steps`` are not enough. What is returned is the last
    one tried (arXiv 1703.01365; completeness is its proposition 1).
    """
    steps = min(first_steps, most_steps)
    with unchanged(embedded.module), _named_inputs(embedded.layer):
        scores = _both_scores(embedded)
        method = LayerIntegratedGradients(embedded.score, embedded.layer)
        while True:
            found = method.attribute(
                embedded.inputs,
                embedded.baseline,
                n_steps=steps,
                method="gausslegendre",
                internal_batch_size=embedded.rows,
            )
            shares = Shares(_per_position(found), *scores, steps)
            if shares.gap <= max(tolerance * abs(shares.change), shares.rounding) or steps == most_steps:
                return shares
            steps = min(2 * steps, most_steps)


def gradient_x_input(embedded: Embedded) -> Shares:
    """The gradient at the input times the embedding itself (Shrikumar et al. 2016, arXiv 1605.01713).

    One step instead of many, and without a baseline: the sum has no meaning of its own.
    """
    with unchanged(embedded.module), _named_inputs(embedded.layer):
        found = LayerGradientXActivation(embedded.score, embedded.layer).attribute(embedded.inputs)
        return Shares(_per_position(found), *_both_scores(embedded))


def occlusion(embedded: Embedded, positions: Sequence[int]) -> Shares:
    """By how much the score falls when one position alone is replaced by its baseline (Zeiler and Fergus 2014).

    ``positions`` are tried, one at a time; the others have 0. What is replaced is the vector in the output of
    ``embedded.layer``: in a text that is the same as replacing the token. Where two positions do the same work,
    neither is missed, and both have little (arXiv 1311.2901).
    """
    with unchanged(embedded.module), _named_inputs(embedded.layer), torch.no_grad():
        score, baseline_score = _both_scores(embedded)
        whole, baseline = (_activation(embedded, inputs) for inputs in (embedded.inputs, embedded.baseline))
        left_out = whole.repeat(len(positions), 1, 1)
        for row, position in enumerate(positions):
            left_out[row, position] = baseline[0, position]
        values = torch.zeros(whole.shape[1], dtype=torch.float64)
        found = [_score_of(embedded, some) for some in torch.split(left_out, embedded.rows)]
        values[list(positions)] = score - torch.cat(found).double().cpu()
    return Shares(values, score, baseline_score)


@contextmanager
def _named_inputs(layer: nn.Module) -> Iterator[None]:
    """Give the layer its inputs by name, if the first is None.

    captum 0.9 asks a layer's first input by position for its device ('NoneType' object has no attribute 'device');
    transformers 5.23 gives the embeddings of DistilBERT None there when the model reads vectors.
    """

    def name(_: nn.Module, args: tuple[Any, ...], given: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not args or args[0] is not None:
            return args, dict(given)
        return (), {**dict(zip(inspect.signature(layer.forward).parameters, args, strict=False)), **given}

    hook = layer.register_forward_pre_hook(name, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def _activation(embedded: Embedded, inputs: Tensor) -> Tensor:
    """The output of the layer, 1 x positions x size."""
    found: Tensor = LayerActivation(embedded.score, embedded.layer).attribute(inputs)
    return found


def _score_of(embedded: Embedded, activations: Tensor) -> Tensor:
    """The score of each row where the output of the layer is ``activations`` (rows x positions x size)."""
    hook = embedded.layer.register_forward_hook(lambda _layer, _inputs, _output: activations)
    try:
        return embedded.score(embedded.inputs.expand(len(activations), *embedded.inputs.shape[1:]))
    finally:
        hook.remove()


def _both_scores(embedded: Embedded) -> tuple[float, float]:
    score, baseline_score = embedded.scores(torch.cat([embedded.inputs, embedded.baseline])).tolist()
    return score, baseline_score


def _per_position(found: Tensor) -> Tensor:
    """1 x positions x size -> positions."""
    values: Tensor = found.detach().double().sum(-1)[0].cpu()
    return values
