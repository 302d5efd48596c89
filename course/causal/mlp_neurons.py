"""neurons(): how active each neuron of a model's MLPs is at each token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from course.attributions.embedded import unchanged
from course.tokenising import tokenise
from course.tokens import Tokens, shown

if TYPE_CHECKING:
    from course.causal.neuron_factors import Factors
    from course.models import Model

# The matrix that leads out of an MLP; what it is given is what the neurons say.
_OUT = re.compile(r"(^|\.)(mlp\.(c_proj|down_proj|dense_4h_to_h|fc2)|fc2|ffn\.lin2|(?<!attention\.)output\.dense)$")


class NeuronError(ValueError):
    """These neurons cannot be had, or not be factored; the message says why."""


class Active(NamedTuple):
    """A neuron and how active it is."""

    layer: int
    neuron: int
    value: float

    def __str__(self) -> str:
        return f"{self.layer}·{self.neuron} {self.value:.3f}"


@dataclass(frozen=True, eq=False, repr=False)
class Neurons:
    """How active each neuron is at each token: ``activations`` is layers x tokens x neurons, float32 on the CPU.

    They are taken after the activation function, where the MLP's second matrix reads them; in gated MLPs, as
    Llama's, after the gate. With GELU as in GPT-2 and BERT none is below -0.17; with others some may be.
    Raises NeuronError where shapes do not fit, or a value is not a number.
    """

    activations: Tensor
    tokens: Tokens
    model: str

    def __post_init__(self) -> None:
        if self.activations.dim() != 3 or self.activations.shape[1] != len(self.tokens):
            raise NeuronError(
                f"activations must be layers x {len(self.tokens)} tokens x neurons, not of shape "
                f"{tuple(self.activations.shape)}"
            )
        if not torch.isfinite(self.activations).all():
            raise NeuronError("the activations hold NaN or infinity: the model's numbers overflowed; use float32")

    @property
    def negative(self) -> float:
        """The share of all activity that is below 0: Σ of sizes below 0, divided by Σ of all sizes. 0 to 1."""
        sizes = self.activations.double().abs().sum()
        below = self.activations.double().clamp_max(0).neg().sum()
        return float(below / sizes) if sizes > 0 else 0.0

    def strongest(self, position: int, k: int = 5) -> list[Active]:
        """The ``k`` most active neurons at a token, in order; of equals, the first in the model."""
        if not -len(self.tokens) <= position < len(self.tokens):
            raise NeuronError(f"there is no token {position}: give 0 to {len(self.tokens) - 1}, or -1 for the last")
        return strongest(self.activations[:, position], k)

    def factors(self, count: int = 6, *, layers: list[int] | None = None, most_steps: int = 1000) -> Factors:
        """A few patterns of neurons that are active together, and where in the text: see `course.Factors`."""
        from course.causal.neuron_factors import factored

        return factored(self, count, layers=layers, most_steps=most_steps)

    def __repr__(self) -> str:
        layers, tokens, count = self.activations.shape
        active = float((self.activations > 0).double().mean())
        return (
            f"MLP neurons of {shown(self.model)}: {layers} layers × {tokens} tokens × {count:,} neurons; "
            f"{active:.0%} above 0, and {self.negative:.0%} of all activity is below 0"
        )


def neurons(model: Model, text: str, *, truncate: bool = False) -> Neurons:
    """How active each neuron of the MLPs is at each token of a text, in GPT-2, Llama, BERT and their like.

    A neuron is a column of an MLP's first matrix with the activation function after it. What a single one means is
    seldom clear; `Neurons.factors` finds groups of them (as in Ecco, Alammar 2021).

    Raises NeuronError for an encoder–decoder, and for an architecture whose MLPs are not found; InputError for text
    that cannot be read.
    """
    if model.encoder_decoder:
        raise NeuronError(
            f"{model.title} is an encoder–decoder, which reads two texts: neurons() needs a model of one stack, "
            "such as course.load('shakespeare') or course.load('minilm')"
        )
    tokens, inputs = tokenise(model, text, truncate=truncate)
    on_device = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    with unchanged(model.module), torch.no_grad(), captured(model.module) as seen:
        model.module(**on_device)
    widths = {tuple(one.shape[1:]) for one in seen.values()}
    if len(seen) != model.layers or len(widths) != 1:
        raise NeuronError(
            f"{model.title} has {model.layers} layers, and the neurons of {len(seen)} were found: neurons() reads "
            "GPT-2, GPT-NeoX, Llama, OPT, BERT, DistilBERT, RoBERTa and their like"
        )
    return Neurons(torch.stack([one[0] for one in seen.values()]).float().cpu(), tokens, model.title)


@contextmanager
def captured(module: nn.Module) -> Iterator[dict[str, Tensor]]:
    """While this is open, a run of ``module`` leaves what the neurons of each MLP say, rows x tokens x neurons."""
    seen: dict[str, Tensor] = {}
    handles = []

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            given = arguments[0].detach()  # OPT's has rows and tokens in one
            seen[name] = given if given.dim() == 3 else given[None]

        return hook

    try:
        for name, part in module.named_modules():
            if _OUT.search(name):
                handles.append(part.register_forward_pre_hook(keep(name)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def strongest(values: Tensor, k: int) -> list[Active]:
    """The ``k`` largest of layers x neurons, in order."""
    flat = values.flatten()
    found = torch.sort(flat, descending=True, stable=True).indices[: max(0, k)].tolist()
    width = values.shape[1]
    return [Active(place // width, place % width, float(flat[place])) for place in found]
