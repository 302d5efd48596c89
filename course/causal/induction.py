"""Induction and previous-token heads, found by what each head does on random tokens, once over and once again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from course.causal.parts import LensError, check_causal
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model

KINDS = ("induction", "previous")
_WEIGHTS_AT_ONCE = 50_000_000  # attention weights, 0.2 GB


@dataclass(frozen=True, eq=False, repr=False)
class HeadScores:
    """Sequences x layers x heads: mean weight on the token after the earlier copy, and on the token before.

    Each is from 0 to 1. A head that spreads its weight evenly over all that it sees has ``chance`` of each, in the
    same order.
    """

    induction: Tensor
    previous: Tensor
    chance: tuple[float, float] = (0.0, 0.0)
    model: str = ""

    def best(self) -> tuple[float, float]:
        """The strongest head of each kind, by its mean."""
        return float(self.induction.mean(0).max()), float(self.previous.mean(0).max())

    def mean(self, kind: str) -> Tensor:
        """The mean over sequences, layers x heads; ``kind`` is "induction" or "previous"."""
        if kind not in KINDS:
            raise LensError(f"kind must be one of {', '.join(map(repr, KINDS))}, not {kind!r}")
        found: Tensor = getattr(self, kind).mean(0)
        return found

    def strongest(self, kind: str) -> tuple[int, int]:
        """Layer and head of the strongest head of a ``kind``; of equals, the first."""
        self.mean(kind)
        return strongest(getattr(self, kind))

    def __repr__(self) -> str:
        lines = [
            f"Heads of {shown(self.model) or 'a model'} on {len(self.induction)} stretches of random tokens, twice:"
        ]
        for kind, chance in zip(KINDS, self.chance, strict=True):
            layer, head = self.strongest(kind)
            name = {"induction": "induction head", "previous": "previous-token head"}[kind]
            value = float(self.mean(kind)[layer, head])
            lines.append(f"  {name}: layer {layer} head {head}, {value:.3f} (even attention: {chance:.3f})")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        from course.views import induction_view

        return induction_view(self)._repr_mimebundle_(include, exclude)


def induction_scores(model: Model, *, sequences: int = 100, length: int = 50, seed: int = 2) -> HeadScores:
    """How far each head of a causal model copies from an earlier occurrence, and how far it looks one token back.

    The model reads ``length`` random tokens twice over, ``sequences`` times. There nothing can be predicted but the
    second copy, and only by looking for the first. An induction head then attends to the token that came after the
    earlier copy of the present one; it needs a previous-token head in an earlier layer (Elhage et al. 2021; Olsson
    et al. 2022, arXiv 2209.11895). Use it to find such heads; then look at them with `course.head_view`.

    Misleads where it is taken for what the head does in text: on text the same head can attend elsewhere. And a
    high weight does not prove that the prediction comes from it: for that, remove the head.

    Raises LensError for a model that is not causal, or that reads fewer than 2 x ``length`` tokens.
    """
    check_causal(model, "a score of induction heads")
    for name, count, least in (("sequences", sequences, 1), ("length", length, 2)):
        if isinstance(count, bool) or not isinstance(count, int) or count < least:
            raise LensError(f"{name} must be a whole number from {least}, not {count!r}")
    longest = model.limits.longest
    if longest is not None and 2 * length > longest:
        raise LensError(
            f"{model.title} reads {longest} tokens, so {length} cannot stand there twice: give length={longest // 2} "
            "or less"
        )
    found = head_scores(model.module, sequences, length, seed)
    for weights in (found.induction, found.previous):
        if not torch.isfinite(weights).all():
            raise LensError(f"{model.title} returned attention that holds NaN or infinity")
    return HeadScores(found.induction.cpu(), found.previous.cpu(), found.chance, model.title)


def head_scores(module: Any, sequences: int, length: int, seed: int) -> HeadScores:
    """What each head does on random tokens, ``length`` of them twice over; of a module in evaluation mode.

    Induction: mean attention from a token of the second copy to the token that came after its first
    occurrence (Elhage et al. 2021; Olsson et al. 2022). Previous token: mean attention to the token before.
    """
    draw = torch.Generator().manual_seed(seed)
    once = torch.randint(1, module.config.vocab_size, (sequences, length), generator=draw)
    heads = int(getattr(module.config, "num_hidden_layers", 1)) * int(getattr(module.config, "num_attention_heads", 1))
    rows = max(1, _WEIGHTS_AT_ONCE // (heads * 4 * length**2))
    portions = [_portion(module, some.to(module.device), length) for some in torch.split(once, rows)]
    induction, previous = (torch.cat(one) for one in zip(*portions, strict=True))
    places = torch.arange(1, 2 * length + 1, dtype=torch.float64)  # how many tokens each sees
    chance = (float((1 / places[length:]).mean()), float((1 / places[1:]).mean()))
    return HeadScores(induction, previous, chance)


def strongest(weights: Tensor) -> tuple[int, int]:
    """Layer and head of the greatest mean over the first dimension of sequences x layers x heads."""
    layer, head = divmod(int(weights.mean(0).argmax()), weights.shape[-1])
    return layer, head


def _portion(module: Any, once: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Both scores of some sequences; rows x layers x heads each."""
    with torch.no_grad():
        weights = torch.stack(module(once.repeat(1, 2), output_attentions=True).attentions, dim=1).float()
    later = weights[..., length:, :]
    found = later.diagonal(offset=1, dim1=-2, dim2=-1)[..., :length].mean(-1)
    return found, weights.diagonal(offset=-1, dim1=-2, dim2=-1).mean(-1)
