"""Vectors: the queries and keys that a neuron view draws, checked against the attention that they must make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course.attention import Attention
from course.projections import Projections
from course.views.selection import Part
from course.views.view import ViewError

TOLERANCE = 1e-4
"""How far softmax(q·k/√size) may be from the model's own weights."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Queries and keys such that softmax(q·k/√size) is the attention.

    ``queries`` is layers x heads x queries x size, ``keys`` layers x heads x keys x size. ``factor`` is what the
    model's own queries were multiplied with, a number a layer: 1 but where a model scales by something else
    than 1/√size, which bertviz always does.
    """

    queries: Tensor
    keys: Tensor
    factor: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers a vector has."""
        return self.queries.shape[-1]


@dataclass(frozen=True, eq=False)
class Reading:
    """One query and every key that it can see: what the static picture draws and the words tell.

    ``query`` is the position of the query among the part's queries, ``keys`` are those of the keys. ``products``
    are the numbers q_i · k_i, keys x size; ``scores`` their sums divided by √size; ``weights`` the model's own.
    """

    query: int
    keys: tuple[int, ...]
    query_vector: Tensor
    key_vectors: Tensor
    scores: Tensor
    weights: Tensor

    @property
    def products(self) -> Tensor:
        """q_i · k_i, keys x size."""
        return self.query_vector * self.key_vectors

    def strongest(self, k: int) -> list[int]:
        """The rows of the ``k`` largest weights, the largest first, ties in reading order."""
        return torch.sort(self.weights, descending=True, stable=True).indices[:k].tolist()

    def dimensions(self, row: int, k: int = 3) -> list[tuple[int, float]]:
        """The ``k`` dimensions whose product is largest without its sign, with the product."""
        products = self.products[row]
        found = torch.sort(products.abs(), descending=True, stable=True).indices[:k].tolist()
        return [(i, float(products[i])) for i in found]


def vectors_of(part: Part) -> Vectors:
    """The vectors behind an attention, with all its layers and heads.

    Raises ViewError where it has none, where they are not those of its tokens, and where the weights that
    they make differ from its own by more than `TOLERANCE`.
    """
    att = part.attention
    of = "" if part.name == "all" else f" of the {part.name}"
    if att.projections is None:
        raise ViewError(
            f"the attention{of} has no queries and keys. After .words() or .without_special() there are none left: "
            "give the original, as course.attend returned it. If it is the original, the model is not one whose "
            "queries and keys can be read: BERT, DistilBERT, RoBERTa, GPT-2, ViT, BART, Marian and their like are"
        )
    _check_shapes(att, att.projections, of)
    _check_weights(att, att.projections, of)
    root = att.projections.queries.shape[-1] ** 0.5
    factor = tuple(1.0 if abs(scale * root - 1) < 1e-6 else scale * root for scale in att.projections.scales)
    queries = att.projections.queries * torch.tensor(factor).view(-1, 1, 1, 1)
    return Vectors(queries, att.projections.keys, factor)


def seen(att: Attention, query: int, columns: Sequence[int]) -> tuple[int, ...]:
    """The positions among ``columns`` that a query can look at: in a causal model, itself and what is before."""
    return tuple(key for key in columns if not att.causal or key <= query)


def reading_of(part: Part, vectors: Vectors, columns: Sequence[int], layer: int, head: int, query: int) -> Reading:
    """What one query of one head does, among the keys at the positions ``columns``."""
    keys = seen(part.attention, query, columns)
    query_vector = vectors.queries[layer, head, query]
    key_vectors = vectors.keys[layer, head][list(keys)]
    return Reading(
        query,
        keys,
        query_vector,
        key_vectors,
        key_vectors @ query_vector / vectors.size**0.5,
        part.attention.head(layer, head)[query, list(keys)],
    )


def _check_shapes(att: Attention, projections: Projections, of: str) -> None:
    layers, heads, rows, columns = att.weights.shape
    found = tuple(projections.queries.shape), tuple(projections.keys.shape)
    size = found[0][-1] if found[0] else 0
    wanted = (layers, heads, rows, size), (layers, heads, columns, size)
    if found != wanted or size == 0 or len(projections.scales) != layers:
        raise ViewError(
            f"the queries and keys{of} have the shapes {found[0]} and {found[1]}, but the attention is layers × heads "
            f"× queries × keys = {tuple(att.weights.shape)}: give what course.attend returned, unchanged"
        )
    if not (torch.isfinite(projections.queries).all() and torch.isfinite(projections.keys).all()):
        raise ViewError(f"the queries and keys{of} hold NaN or infinity: the model's numbers overflowed; use float32")


def _check_weights(att: Attention, projections: Projections, of: str) -> None:
    difference = (projections.weights(causal=att.causal) - att.weights).abs()
    largest = float(difference.max())
    if largest <= TOLERANCE:
        return
    layer, head = divmod(int(difference.amax((2, 3)).argmax()), att.heads)
    raise ViewError(
        f"softmax(q·k/√size) of the queries and keys{of} is not the model's attention: the largest difference is "
        f"{largest:.2g} (layer {layer}, head {head}), and at most {TOLERANCE:.0e} may be rounding. This model does "
        "something else to its scores (a position bias, a mask, a window), which this picture would leave out"
    )
