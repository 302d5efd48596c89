"""Attention: the weights with their tokens, never naked tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import methodcaller
from typing import Any

import torch
from torch import Tensor

from course.projections import Projections
from course.tokens import Tokens

KINDS = ("self", "encoder", "decoder", "cross")
_ROW_TOLERANCE = 1e-3


class AttentionError(ValueError):
    """These are not attention weights of these tokens; the message says what to do."""


@dataclass(frozen=True)
class Identities:
    """What must be true of attention, as measured: the largest deviation of each, and the tolerance.

    ``row_sum``: how far a row is from 1 (from 0 where special tokens took everything). ``later``: the largest
    weight on a later token of a causal model. ``recomputed``: the largest difference between the model's
    weights and softmax(QKᵀ/√d) from its own queries and keys. None where it does not apply.
    """

    row_sum: float
    later: float | None
    recomputed: float | None
    tolerance: float

    @property
    def hold(self) -> bool:
        """All that apply are within the tolerance."""
        return all(
            error <= self.tolerance for error in (self.row_sum, self.later, self.recomputed) if error is not None
        )

    def __repr__(self) -> str:
        rows = (
            ("rows sum to 1", self.row_sum),
            ("nothing on later tokens", self.later),
            ("equals softmax(QKᵀ/√d)", self.recomputed),
        )
        return "\n".join(
            f"– {name}: does not apply here"
            if error is None
            else f"{'✓' if error <= self.tolerance else '✗'} {name}: largest error {error:.1e}"
            for name, error in rows
        )


@dataclass(frozen=True, eq=False)
class Attention:
    """Attention weights of one input, with the tokens that they connect.

    ``weights``: float32 tensor on the CPU, layers x heads x queries x keys; each row (the last axis) is a
    distribution over the keys. ``queries`` and ``keys`` are the tokens of the rows and columns: the same
    in self-attention, target and source in cross-attention. ``removed`` is the share of each row, layers x
    heads x queries, that special tokens held before `without_special` took it away.

    Raises AttentionError where the weights are empty, batched, not finite, not distributions, or do not fit
    the tokens.
    """

    weights: Tensor
    queries: Tokens
    keys: Tokens
    kind: str
    model: str
    causal: bool = False
    projections: Projections | None = None
    removed: Tensor | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise AttentionError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        object.__setattr__(self, "weights", torch.as_tensor(self.weights).detach().float().cpu())
        _check_shape(self.weights, self.queries, self.keys)
        _check_values(self.weights, self.removed)

    @classmethod
    def of(
        cls,
        attentions: Sequence[Tensor] | None,
        queries: Tokens,
        keys: Tokens | None = None,
        *,
        kind: str = "self",
        model: str = "model",
        causal: bool = False,
        projections: Projections | None = None,
    ) -> Attention:
        """From what a model of transformers returns: one tensor a layer, 1 x heads x queries x keys."""
        layers = [layer for layer in attentions or () if layer is not None]
        if not layers:
            raise AttentionError(
                f"{model} returned no attention: load it with attn_implementation='eager' and ask for "
                "output_attentions=True (course.load does both)"
            )
        batch = {layer.shape[0] for layer in layers if layer.dim() == 4}
        if batch != {1}:
            raise AttentionError(
                f"the attention has shape {tuple(layers[0].shape)} a layer, not 1 x heads x queries x keys: "
                "give one input at a time, not a batch"
            )
        return cls(
            torch.cat([layer.detach().float().cpu() for layer in layers]),
            queries, queries if keys is None else keys, kind, model, causal, projections,
        )  # fmt: skip

    @property
    def tokens(self) -> Tokens:
        """The tokens of a self-attention. Cross-attention has two lists: ``queries`` and ``keys``."""
        if self.kind == "cross":
            raise AttentionError("cross-attention has two lists of tokens: use .queries (target) and .keys (source)")
        return self.queries

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.weights.shape[0]

    @property
    def heads(self) -> int:
        """Number of heads a layer."""
        return self.weights.shape[1]

    def head(self, layer: int, head: int) -> Tensor:
        """One head's weights, queries x keys. Both numbers count from 0; there is no counting from the end."""
        check_index("layer", layer, self.layers)
        check_index("head", head, self.heads)
        return self.weights[layer, head]

    def words(self) -> Attention:
        """Sub-words merged to words: keys summed, queries averaged, so every row still sums to 1."""
        rows = _merging(self.queries, average=True)
        columns = _merging(self.keys, average=False)
        queries, keys = self._map_tokens(methodcaller("merged"))
        removed = None if self.removed is None else self.removed @ rows.T
        return replace(
            self, weights=rows @ self.weights @ columns.T, queries=queries, keys=keys, removed=removed,
            projections=None,
        )  # fmt: skip

    def without_special(self) -> Attention:
        """Without [CLS], [SEP] and the like: their rows and columns dropped, the rows made to sum to 1 again.

        What they held is kept in ``removed`` and printed. A row that had nothing else is all zeros, and its
        ``removed`` is 1: no distribution is made up for it.
        """
        rows, columns = (
            [i for i, special in enumerate(tokens.special) if not special] for tokens in (self.queries, self.keys)
        )
        if not rows or not columns:
            raise AttentionError("only special tokens here: nothing would be left without them")
        kept = self.weights[:, :, rows][..., columns]
        mass = kept.sum(-1)
        before = torch.zeros_like(mass) if self.removed is None else self.removed[..., rows]
        queries, keys = self.queries.select(rows), self.keys.select(columns)
        return replace(
            self,
            weights=torch.where(mass.unsqueeze(-1) > 0, kept / mass.unsqueeze(-1).clamp_min(1e-38), 0.0),
            queries=queries,
            keys=queries if self.keys is self.queries else keys,
            removed=1 - (1 - before) * mass.clamp(0, 1),
            projections=None,
        )

    def identities(self, tolerance: float = 1e-5) -> Identities:
        """Measure what must be true: rows sum to 1, causal zeros, equality with softmax(QKᵀ/√d)."""
        sums = self.weights.sum(-1)
        target = torch.ones_like(sums) if self.removed is None else (sums > 0.5).float()
        recomputed = None if self.projections is None else self.projections.weights(causal=self.causal)
        return Identities(
            row_sum=float((sums - target).abs().max()),
            later=float(self.weights.triu(1).max()) if self.causal else None,
            recomputed=None if recomputed is None else float((recomputed - self.weights).abs().max()),
            tolerance=tolerance,
        )

    def strongest(
        self, layer: int, head: int, k: int = 3, *, rows: range | None = None, columns: range | None = None
    ) -> list[tuple[str, str, float]]:
        """The ``k`` largest weights of one head: (query, key, weight), ties in reading order.

        ``rows`` and ``columns`` limit the search to some queries and keys.
        """
        rows = range(len(self.queries)) if rows is None else rows
        columns = range(len(self.keys)) if columns is None else columns
        flat = self.head(layer, head)[list(rows)][:, list(columns)].flatten()
        best = torch.sort(flat, descending=True, stable=True).indices[:k].tolist()
        places = [divmod(i, len(columns)) for i in best]
        return [
            (self.queries.texts[rows[q]], self.keys.texts[columns[key]], float(flat[i]))
            for i, (q, key) in zip(best, places, strict=True)
        ]

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.weights.shape[2:]))
        lines = [
            f"{self.kind} attention of {self.model}: {self.layers} layers × {self.heads} heads × {size} tokens"
            + (", causal" if self.causal else ""),
            f"  {self.queries.line}"
            + ("" if self.keys is self.queries or self.keys == self.queries else f"  →  {self.keys.line}"),
        ]
        if self.removed is not None:
            lines.append(
                f"  special tokens removed: they held {self.removed.mean():.0%} of the attention "
                "(mean over layers, heads and tokens)"
            )
            gone = int((self.weights.sum(-1) == 0).sum())
            lines += [f"  {gone} rows had nothing else and are zero"] if gone else []
        dropped = self.queries.dropped + (0 if self.keys is self.queries else self.keys.dropped)
        if dropped:
            lines.append(f"  truncated: {dropped} tokens of the input were dropped")
        return "\n".join(lines)

    def _map_tokens(self, change: Any) -> tuple[Tokens, Tokens]:
        queries = change(self.queries)
        return queries, queries if self.keys is self.queries else change(self.keys)


@dataclass(frozen=True, eq=False)
class EncoderDecoderAttention:
    """The three attentions of an encoder–decoder; the numbers of layers may differ."""

    encoder: Attention
    decoder: Attention
    cross: Attention

    def words(self) -> EncoderDecoderAttention:
        """All three with sub-words merged to words."""
        return EncoderDecoderAttention(self.encoder.words(), self.decoder.words(), self.cross.words())

    def without_special(self) -> EncoderDecoderAttention:
        """All three without special tokens."""
        return EncoderDecoderAttention(
            self.encoder.without_special(), self.decoder.without_special(), self.cross.without_special()
        )

    def identities(self, tolerance: float = 1e-5) -> dict[str, Identities]:
        """The identities of each."""
        return {name: getattr(self, name).identities(tolerance) for name in ("encoder", "decoder", "cross")}

    def __repr__(self) -> str:
        return "\n".join(map(repr, (self.encoder, self.decoder, self.cross)))


def check_index(name: str, value: int, count: int) -> None:
    """Raise AttentionError unless 0 ≤ value < count."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise AttentionError(f"{name} must be a whole number from 0 to {count - 1}, not {value!r}")


def _check_shape(weights: Tensor, queries: Tokens, keys: Tokens) -> None:
    if weights.dim() != 4 or 0 in weights.shape:
        raise AttentionError(
            f"weights must be layers x heads x queries x keys, not of shape {tuple(weights.shape)}; "
            "for what a model returns use Attention.of(outputs.attentions, tokens)"
        )
    if weights.shape[2:] != (len(queries), len(keys)):
        raise AttentionError(
            f"weights connect {weights.shape[2]} queries with {weights.shape[3]} keys, but there are {len(queries)} "
            f"and {len(keys)} tokens: use the tokens of this very input"
        )


def _check_values(weights: Tensor, removed: Tensor | None) -> None:
    if not torch.isfinite(weights).all():
        raise AttentionError("the weights hold NaN or infinity: the model's numbers overflowed; use float32")
    sums = weights.sum(-1)
    wrong = (sums - 1).abs() > _ROW_TOLERANCE
    if removed is not None:
        wrong &= sums != 0
    if weights.min() < 0 or wrong.any():
        raise AttentionError(
            "attention weights are at least 0 and each row sums to 1, which does not hold here "
            f"(smallest weight {weights.min():.3g}, row sums {sums.min():.3g} to {sums.max():.3g}): "
            "a difference between models has its own record"
        )


def _merging(tokens: Tokens, *, average: bool) -> Tensor:
    """words x tokens: 1 where the token belongs to the word, or 1 / its number of tokens."""
    groups = tokens.word_groups()
    matrix = torch.zeros(len(groups), len(tokens))
    for row, group in enumerate(groups):
        matrix[row, list(group)] = 1 / len(group) if average else 1.0
    return matrix
