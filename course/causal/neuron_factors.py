"""Factors: groups of neurons that are active together, found by non-negative matrix factorisation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from course.causal.mlp_neurons import Active, NeuronError, Neurons, strongest
from course.tokens import Tokens, shown


class At(NamedTuple):
    """A token, its position, and how much of a factor it has."""

    text: str
    position: int
    value: float

    def __str__(self) -> str:
        return f"{self.text} {self.value:.2f}"


@dataclass(frozen=True, eq=False, repr=False)
class Factors:
    """A few patterns of neurons, and how much of each is at every token; nothing in them is below 0.

    ``weights`` (factors x tokens) times ``patterns`` (factors x layers x neurons) is nearest to the activations, with
    what is below 0 taken as 0. Each pattern has length 1 (square root of the sum of squares), so that weights can be
    compared; the factors come in the order of their size. ``layers`` are the numbers of the layers.

    ``error`` is what is missing, as a share of the whole: |X - WH| / |X|, both square roots of the sum of squares.
    ``clipped`` is the share of all activity that was below 0 and is not in X (see `Neurons.negative`). ``converged``
    says whether the search had come to rest after ``steps``.
    """

    weights: Tensor
    patterns: Tensor
    tokens: Tokens
    layers: tuple[int, ...]
    error: float
    clipped: float
    converged: bool
    steps: int
    model: str

    def __post_init__(self) -> None:
        for name, values in (("weights", self.weights), ("patterns", self.patterns)):
            if not bool(torch.isfinite(values).all()) or bool((values < 0).any()):
                raise NeuronError(f"{name} must be numbers from 0, and hold NaN or something below 0")
        if self.weights.shape != (len(self.patterns), len(self.tokens)) or self.patterns.dim() != 3:
            raise NeuronError(
                f"weights {tuple(self.weights.shape)} and patterns {tuple(self.patterns.shape)} must be factors x "
                f"{len(self.tokens)} tokens and factors x layers x neurons"
            )

    def __len__(self) -> int:
        return len(self.weights)

    def top(self, factor: int, k: int = 5) -> list[At]:
        """The ``k`` tokens that have most of a factor, in order; none that has nothing of it."""
        values = self.weights[self._checked(factor)]
        order = torch.sort(values, descending=True, stable=True).indices[: max(0, k)].tolist()
        return [At(self.tokens.texts[i], i, float(values[i])) for i in order if values[i] > 0]

    def neurons(self, factor: int, k: int = 5) -> list[Active]:
        """The ``k`` neurons that a factor has most of, in order: layer, neuron, and its share of the pattern."""
        found = strongest(self.patterns[self._checked(factor)], k)
        return [one._replace(layer=self.layers[one.layer]) for one in found if one.value > 0]

    def _checked(self, factor: int) -> int:
        if isinstance(factor, bool) or not isinstance(factor, int) or not 0 <= factor < len(self):
            raise NeuronError(f"there is no factor {factor!r}: give 0 to {len(self) - 1}")
        return factor

    @property
    def account(self) -> str:
        """How much of the activations is in the factors, in a sentence."""
        rest = "" if self.converged else f"; NOT at rest after {self.steps} steps: raise most_steps"
        return (
            f"{self.error:.0%} of the activations is not in them (|X − WH| / |X|); {self.clipped:.0%} of all activity "
            f"is below 0 and was taken as 0{rest}"
        )

    def __repr__(self) -> str:
        lines = [f"{len(self)} factors of the MLP neurons of {shown(self.model)}, {len(self.tokens)} tokens:"]
        lines += [f"  {i}. {', '.join(map(str, self.top(i))) or 'nowhere'}" for i in range(len(self))]
        return "\n".join([*lines, f"  {self.account}"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import ViewError, factors_view

        try:
            view = factors_view(self)
        except ViewError as error:  # too large for a notebook: the words are never
            return {"text/plain": f"{self!r}\n  no picture: {error}"}, {}
        return view._repr_mimebundle_(include, exclude)


def factored(
    activity: Neurons, count: int = 6, *, layers: Sequence[int] | None = None, most_steps: int = 1000
) -> Factors:
    """Non-negative factors of a text's neurons: X ≈ WH with W tokens x factors and H factors x neurons.

    The neurons of all ``layers`` (all there are, if left out) stand side by side. What is below 0, as GELU gives a
    little, is taken as 0, and `Factors.clipped` says how much that was. Starting points come from the singular vectors
    of X (NNDSVDa, Boutsidis and Gallopoulos 2008), so that the same text has the same factors each time; the search is
    scikit-learn's coordinate descent (Lee and Seung 1999 had the idea; Alammar 2021 drew it as Ecco does).

    Misleads where a factor is given a name: it is of this text and this ``count``, and another count gives others.
    The first often only says how active all neurons are at the first token. Look at the error.

    Raises NeuronError for more factors than tokens or neurons, for layers that there are not, and where no neuron is
    above 0.
    """
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    rows = tuple(range(len(activity.activations))) if layers is None else tuple(layers)
    if not rows or len(set(rows)) != len(rows) or not all(0 <= row < len(activity.activations) for row in rows):
        raise NeuronError(f"layers must be different numbers from 0 to {len(activity.activations) - 1}, not {layers!r}")
    chosen = Neurons(activity.activations[list(rows)], activity.tokens, activity.model)
    matrix = chosen.activations.double().clamp_min(0).transpose(0, 1).flatten(1).numpy()
    for name, value, most in (("count", count, min(matrix.shape)), ("most_steps", most_steps, 10**9)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise NeuronError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    if not matrix.any():
        raise NeuronError("no neuron is above 0 in these layers: there is nothing to factor")
    search = NMF(count, init="nndsvda", solver="cd", random_state=0, max_iter=most_steps, tol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the record says it
        weights = search.fit_transform(matrix)
    lengths = np.linalg.norm(search.components_, axis=1)
    weights = weights * lengths
    patterns = search.components_ / np.where(lengths > 0, lengths, 1.0)[:, None]
    order = np.argsort(-(weights**2).sum(0), kind="stable")
    return Factors(
        weights=torch.tensor(weights.T[order]),
        patterns=torch.tensor(patterns[order]).view(count, len(rows), -1),
        tokens=activity.tokens,
        layers=rows,
        error=float(np.linalg.norm(matrix - weights @ patterns) / np.linalg.norm(matrix)),
        clipped=chosen.negative,
        converged=search.n_iter_ < most_steps,
        steps=int(search.n_iter_),
        model=activity.model,
    )
