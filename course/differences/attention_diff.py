"""AttentionDiff: what changed between two models' attention to the same tokens, both signs.

The function is called `diff`; the module is not, because ``import course.diff`` would then hide the function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import torch
from torch import Tensor

from course.attention import Attention, EncoderDecoderAttention, check_index
from course.differences.comparing import DiffError, check_comparable
from course.movements import HeadChange, Movement, largest
from course.tokens import Tokens


@dataclass(frozen=True)
class DiffIdentities:
    """What must be true of a difference: ``row_sum`` is how far a row of changes is from summing to 0, at most.

    Rows that only one of the two attentions has (see `AttentionDiff.compared`) are not counted.
    """

    row_sum: float
    tolerance: float

    @property
    def hold(self) -> bool:
        """The error is within the tolerance."""
        return self.row_sum <= self.tolerance

    def __repr__(self) -> str:
        return f"{'✓' if self.hold else '✗'} rows of changes sum to 0: largest error {self.row_sum:.1e}"


@dataclass(frozen=True, eq=False)
class AttentionDiff:
    """The signed change of attention from ``before`` to ``after``, weight by weight.

    Rows of `change` sum to 0: what one key gains, others lose. Raises DiffError unless both are of one kind,
    have the same layers and heads, and are of the same tokens.
    """

    before: Attention
    after: Attention

    def __post_init__(self) -> None:
        check_comparable(self.before, self.after)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.before.layers

    @property
    def heads(self) -> int:
        """Number of heads a layer."""
        return self.before.heads

    @property
    def kind(self) -> str:
        """Such as "self" or "cross"."""
        return self.before.kind

    @property
    def queries(self) -> Tokens:
        """The tokens of the rows."""
        return self.before.queries

    @property
    def keys(self) -> Tokens:
        """The tokens of the columns."""
        return self.before.keys

    @cached_property
    def change(self) -> Tensor:
        """After − before, from -1 to 1; layers x heads x queries x keys."""
        return self.after.weights - self.before.weights

    @cached_property
    def compared(self) -> Tensor:
        """Where there is something to compare: True for rows that both have; layers x heads x queries.

        All are True, unless special tokens were left out and had all the weight of a row, before or after.
        """
        return (self.before.weights.sum(-1) > 0.5) & (self.after.weights.sum(-1) > 0.5)

    @cached_property
    def total_variation(self) -> Tensor:
        """How much of a row's weight went elsewhere, averaged over the queries; layers x heads, 0 to 1.

        Half the sum of absolute changes of each row. Rows that only one of the two has are left out of the
        mean (`compared`); a head without any other row has 0.
        """
        return self._mean_over_queries(self.change.double().abs().sum(-1).div(2).clamp(0, 1))

    @cached_property
    def jensen_shannon(self) -> Tensor:
        """Jensen–Shannon divergence of the rows in nats, averaged over the queries; layers x heads, 0 to ln 2.

        How surely one look at a key would tell the two models apart. Compared with `total_variation` it makes
        less of small shifts of large weights, and more of weights that were, or became, zero (Lin 1991,
        "Divergence measures based on the Shannon entropy"). Rows are averaged as there.
        """
        before, after = (att.weights.double() for att in (self.before, self.after))
        entropies = [torch.special.entr(row).sum(-1) for row in ((before + after) / 2, before, after)]
        return self._mean_over_queries((entropies[0] - (entropies[1] + entropies[2]) / 2).clamp(0, math.log(2)))

    def head(self, layer: int, head: int) -> Tensor:
        """One head's changes, queries x keys. Both numbers count from 0; there is no counting from the end."""
        check_index("layer", layer, self.layers)
        check_index("head", head, self.heads)
        return self.change[layer, head]

    def heads_by_change(self, k: int | None = None) -> list[HeadChange]:
        """The ``k`` heads (all, if left out) by total variation, most first; ties in reading order."""
        order = torch.sort(self.total_variation.flatten(), descending=True, stable=True).indices[:k].tolist()
        return [
            HeadChange(i // self.heads, i % self.heads, float(self.total_variation[i // self.heads, i % self.heads]))
            for i in order
        ]

    def moved(
        self,
        k: int = 10,
        *,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        rows: Sequence[int] | None = None,
        columns: Sequence[int] | None = None,
        only: str | None = None,
    ) -> list[Movement]:
        """What moved most: the ``k`` largest changes of either sign, or ``only`` "rises" or "falls".

        Ties are in reading order. ``layers``, ``heads``, ``rows`` (positions of queries) and ``columns`` (of keys)
        limit the search. Weights that did not change are never listed, so there can be fewer than ``k``. Raises
        AttentionError for a place that there is not.
        """
        limits = {"layer": layers, "head": heads, "row": rows, "column": columns}
        chosen = [
            _places(name, places, size) for (name, places), size in zip(limits.items(), self.change.shape, strict=True)
        ]
        changes = self.change[torch.meshgrid(*chosen, indexing="ij")]
        sizes = {None: changes.abs(), "rises": changes.clamp_min(0), "falls": changes.neg().clamp_min(0)}.get(only)
        if sizes is None:
            raise DiffError(f"only must be 'rises', 'falls' or None, not {only!r}")
        return [
            self._movement(*(int(many[at]) for many, at in zip(chosen, place, strict=True)))
            for place in largest(sizes, k)
        ]

    def words(self) -> AttentionDiff:
        """Sub-words merged to words in both: keys summed, queries averaged, so rows of changes still sum to 0."""
        return AttentionDiff(self.before.words(), self.after.words())

    def without_special(self) -> AttentionDiff:
        """Both without special tokens, the rows of each made to sum to 1 again.

        A change in what the special tokens held is then no longer seen; `before.removed` and `after.removed`
        have it.
        """
        return AttentionDiff(self.before.without_special(), self.after.without_special())

    def identities(self, tolerance: float = 1e-5) -> DiffIdentities:
        """Measure what must be true: rows of changes sum to 0."""
        sums = self.change.sum(-1).abs().where(self.compared, torch.zeros(()))
        return DiffIdentities(float(sums.max()), tolerance)

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row a head: layer, head, total_variation, jensen_shannon.

        ``pandas.DataFrame(difference.moved(50))`` is the table of what moved most. Raises DiffError where pandas
        is not installed.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped]
        except ImportError:
            raise DiffError("to_frame makes a pandas table, and pandas is not installed: pip install pandas") from None
        places = [(layer, head) for layer in range(self.layers) for head in range(self.heads)]
        return pandas.DataFrame(
            {
                "layer": [layer for layer, _ in places],
                "head": [head for _, head in places],
                "total_variation": self.total_variation.flatten().tolist(),
                "jensen_shannon": self.jensen_shannon.flatten().tolist(),
            }
        )

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.change.shape[2:]))
        lines = [
            f"change of {self.kind} attention from {self.before.model} to {self.after.model}: "
            f"{self.layers} layers × {self.heads} heads × {size} tokens",
            f"  {self.queries.line}" + ("" if self.keys == self.queries else f"  →  {self.keys.line}"),
        ]
        lines += self._most_lines() or ["  nothing changed"]
        gone = int((~self.compared).sum())
        lines += [f"  {gone} rows have weights on one side at most and are not compared"] if gone else []
        return "\n".join(lines)

    def _most_lines(self) -> list[str]:
        return [
            line
            for most in self.moved(1)
            for line in (
                f"  total variation {self.total_variation.mean():.3f} on average; heads that moved most: "
                + ", ".join(map(str, self.heads_by_change(3))),
                f"  weight that moved most: layer {most.layer} head {most.head}, {most}",
            )
        ]

    def _mean_over_queries(self, per_row: Tensor) -> Tensor:
        compared = self.compared.double()
        return ((per_row * compared).sum(-1) / compared.sum(-1).clamp_min(1)).float()

    def _movement(self, layer: int, head: int, row: int, column: int) -> Movement:
        before, after, change = (
            float(weights[layer, head, row, column])
            for weights in (self.before.weights, self.after.weights, self.change)
        )
        query, key = self.queries.texts[row], self.keys.texts[column]
        return Movement(layer, head, query, key, before, after, change, row, column)


@dataclass(frozen=True, eq=False)
class EncoderDecoderDiff:
    """The three differences of an encoder–decoder; the numbers of layers may differ between them."""

    encoder: AttentionDiff
    decoder: AttentionDiff
    cross: AttentionDiff

    @property
    def before(self) -> EncoderDecoderAttention:
        """The three attentions before."""
        return EncoderDecoderAttention(self.encoder.before, self.decoder.before, self.cross.before)

    @property
    def after(self) -> EncoderDecoderAttention:
        """The three attentions after."""
        return EncoderDecoderAttention(self.encoder.after, self.decoder.after, self.cross.after)

    def words(self) -> EncoderDecoderDiff:
        """All three with sub-words merged to words."""
        return EncoderDecoderDiff(self.encoder.words(), self.decoder.words(), self.cross.words())

    def without_special(self) -> EncoderDecoderDiff:
        """All three without special tokens."""
        return EncoderDecoderDiff(
            self.encoder.without_special(), self.decoder.without_special(), self.cross.without_special()
        )

    def __repr__(self) -> str:
        return "\n".join(map(repr, (self.encoder, self.decoder, self.cross)))


@overload
def diff(before: Attention, after: Attention) -> AttentionDiff: ...
@overload
def diff(before: EncoderDecoderAttention, after: EncoderDecoderAttention) -> EncoderDecoderDiff: ...
def diff(
    before: Attention | EncoderDecoderAttention, after: Attention | EncoderDecoderAttention
) -> AttentionDiff | EncoderDecoderDiff:
    """What changed: the attention of two models to the same tokens, subtracted weight by weight.

    ``before`` and ``after`` come from `course.attend`, with the same text and two models of one architecture, such
    as the stages "pretrained" and "trained" of a role. Of an encoder–decoder, all three attentions are compared.

    Misleads where the models' seeds differ as well as their training: a head may move as much between two
    trainings that differ in nothing but the seed. Take the difference of such a pair too; only what is larger
    than that is what training changed (`course.noise_floor` does this for several). And the head of one model is
    not the head of another with the same number unless one was made from the other: compare a fine-tuned model
    with its own start.

    Raises DiffError where the two cannot be compared, and says what differs.
    """
    if isinstance(before, EncoderDecoderAttention) and isinstance(after, EncoderDecoderAttention):
        return EncoderDecoderDiff(
            *(AttentionDiff(getattr(before, name), getattr(after, name)) for name in ("encoder", "decoder", "cross"))
        )
    for one, other in ((before, after), (after, before)):
        if isinstance(one, EncoderDecoderAttention) and isinstance(other, Attention):
            raise DiffError(
                f"one is the attention of an encoder–decoder, the other a single {other.kind} attention: "
                "take .encoder, .decoder or .cross of the first"
            )
    return AttentionDiff(before, after)  # type: ignore[arg-type]


def _places(name: str, places: Sequence[int] | None, size: int) -> Tensor:
    """Checked indices; all of them for None."""
    for place in places or ():
        check_index(name, place, size)
    return torch.tensor(range(size) if places is None else list(places), dtype=torch.long)
