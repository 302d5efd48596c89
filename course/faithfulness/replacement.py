"""Replacement: a model that is made to attend as it is told, to see whether its attention mattered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from course.attention import Attention, EncoderDecoderAttention
from course.faithfulness.interventions import Block, Intervention, InterventionError, Watch, blocks_of
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model

Pattern = str | Attention | EncoderDecoderAttention
_NAME = "course_replaced"
_FIELDS = {
    "self": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions", "cross": "cross_attentions"
}  # fmt: skip


@dataclass(eq=False, repr=False)
class Replacement(Intervention):
    """Which ``pattern`` a model is made to attend by, and the proof: see `Intervention`.

    ``error`` is the largest difference between the attention that the model returned and what was put in, over
    all passes that returned it (``output_attentions=True``, as `course.attend` asks for); None if none did.
    """

    pattern: str = "uniform"
    error: float | None = None

    @property
    def title(self) -> str:
        """What is done, in words."""
        return f"attention of {shown(self.model)} replaced: {self.pattern}"

    def __repr__(self) -> str:
        returned = "not asked for" if self.error is None else f"what was put in, up to {self.error:.1e}"
        return f"{super().__repr__()}\n  attention returned: {returned}"


@dataclass(eq=False)
class _Slot:
    """What is put into one block: a pattern (heads x queries x keys), or None for uniform; and what was put last."""

    replacement: Replacement
    pattern: Tensor | None
    last: Tensor | None = field(default=None)

    def weights(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        """batch x heads x queries x keys."""
        shape = (*query.shape[:-1], key.shape[-2])
        visible = _visible(mask, shape, query.device)
        if self.pattern is None:
            found = visible.to(query.dtype)
            found = found / found.sum(-1, keepdim=True)
        else:
            if self.pattern.shape != shape[1:]:
                raise InterventionError(
                    f"the pattern is of {_size(self.pattern.shape)} (heads × queries × keys), but the input of "
                    f"{_size(shape[1:])}: a frozen pattern needs an input of as many tokens"
                )
            found = self.pattern.to(query).expand(shape)
            if bool((found * ~visible).any()):
                raise InterventionError("the pattern looks at tokens that this input hides, such as padding")
        self.replacement.fired += 1
        self.last = found.detach()
        return found


_SLOTS: dict[nn.Module, _Slot] = {}
"""What is put into the attention blocks of models that are inside a `replaced` block."""


@contextmanager
def replaced(model: Model, pattern: Pattern = "uniform", *, compared: bool = True) -> Iterator[Replacement]:
    """Inside the `with` block every head of the model attends as ``pattern`` says, whatever it reads.

    - "uniform": every query attends evenly to all keys that it may see (earlier ones in a causal model, no padding).
    - An `Attention` (of an encoder–decoder, an `EncoderDecoderAttention`) of as many tokens, heads and layers, such as
      that of the same text in ``stage="pretrained"``, or of another text: frozen, it is put in place of what the
      model would compute from its queries and keys.

    Values, output projections and all else stay. After Wiegreffe and Pinter 2019 (arXiv 1908.04626), who train
    LSTMs with frozen uniform attention (section 3.2) and guide another model by frozen weights (section 3.4): if
    predictions do not change, attention was not needed for them. Here nothing is trained again, so a prediction
    that changes shows that this model used its attention, not that a model needs it.

    The model is as before after the block, also after an exception. What is handed to the block is a `Replacement`,
    which counts and measures what happened; the first pass is run twice for this, unless ``compared`` is False. A
    block without a forward pass ends in an InterventionError, and one that changed no output in a warning.

    Raises InterventionError where the pattern does not fit the model or the input.

    >>> import course
    >>> model = course.load("planted")
    >>> with replaced(model, "uniform") as replacement:
    ...     weights = course.attend(model, "the dog was not happy").weights
    >>> len(weights.unique()), replacement.error, replacement.changed
    (1, 0.0, True)
    """
    blocks = blocks_of(model)
    patterns = _patterns(model, pattern, blocks)
    said = "uniform over what each token may see" if isinstance(pattern, str) else _described(pattern)
    replacement = Replacement(model.title, pattern=said)
    slots = {
        block.module: _Slot(replacement, None if patterns is None else patterns[kind][block.layer])
        for kind, own in blocks.items()
        for block in own
    }

    def seen(output: Any) -> None:
        for kind, own in blocks.items():
            returned = getattr(output, _FIELDS[kind], None) or ()
            for block, found in zip(own, returned, strict=False):
                put = slots[block.module].last
                if put is not None:
                    error = float((found.detach() - put).abs().max())
                    replacement.error = max(error, replacement.error or 0.0)

    watch = Watch(model, replacement, lambda: _attending_by(model, "eager"))
    before = {module: _SLOTS[module] for module in slots if module in _SLOTS}
    with ExitStack() as stack:
        stack.callback(_SLOTS.update, before)
        stack.callback(lambda: [_SLOTS.pop(module, None) for module in slots])
        _SLOTS.update(slots)
        stack.enter_context(_attending_by(model, _registered()))
        stack.enter_context(watch.following(seen, compared=compared))
        yield replacement
    replacement.check(acts=True)


def _replaced_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **_kwargs: Any
) -> tuple[Tensor, Tensor]:
    """What transformers calls in place of its own eager attention; it hands over more than is used here."""
    if module not in _SLOTS:
        raise InterventionError(f"a {type(module).__name__} computes attention, but nothing was put into it")
    weights = _SLOTS[module].weights(query, key, attention_mask)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def _registered() -> str:
    """The name under which transformers knows the replacing attention, with masks as eager attention has them."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(_NAME, _replaced_attention)
    AttentionMaskInterface.register(_NAME, eager_mask)
    return _NAME


@contextmanager
def _attending_by(model: Model, name: str) -> Iterator[None]:
    """The attention of this name in every part of the model, for as long as this is open."""
    configs: dict[int, Any] = {
        id(part.config): part.config for part in model.module.modules() if hasattr(part, "config")
    }
    own = [config for config in configs.values() if hasattr(config, "_attn_implementation")]
    before = [config._attn_implementation for config in own]
    try:
        for config in own:
            config._attn_implementation = name
        yield
    finally:
        for config, value in zip(own, before, strict=True):
            config._attn_implementation = value


def _visible(mask: Tensor | None, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Which keys each query may see; all of them where it may see none, as a softmax over equal scores does."""
    if mask is None:
        return torch.ones(shape, dtype=torch.bool, device=device)
    seen = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
    return (seen | ~seen.any(-1, keepdim=True)).expand(shape)


def _patterns(model: Model, pattern: Any, blocks: Mapping[str, list[Block]]) -> dict[str, Tensor] | None:
    if isinstance(pattern, str):
        if pattern != "uniform":
            raise InterventionError(
                f"pattern must be 'uniform' or an Attention, such as attend() gives, not {pattern!r}"
            )
        return None
    if isinstance(pattern, EncoderDecoderAttention):
        given = {"encoder": pattern.encoder, "decoder": pattern.decoder, "cross": pattern.cross}
    elif isinstance(pattern, Attention):
        given = {"self": pattern}
    else:
        raise InterventionError(f"pattern must be 'uniform' or an Attention, not {type(pattern).__name__}")
    if given.keys() != blocks.keys():
        raise InterventionError(
            f"{model.title} has {' and '.join(blocks)} attention, the pattern has {' and '.join(given)}: give what "
            "course.attend gives for this model"
        )
    for kind, own in blocks.items():
        if given[kind].removed is not None:
            raise InterventionError("the pattern lacks its special tokens: freeze attention before without_special()")
        if (given[kind].layers, given[kind].heads) != (len(own), own[0].heads):
            raise InterventionError(
                f"{model.title} has {len(own)} layers × {own[0].heads} heads of {kind} attention, the pattern "
                f"{given[kind].layers} × {given[kind].heads}"
            )
    return {kind: att.weights for kind, att in given.items()}


def _described(pattern: Attention | EncoderDecoderAttention) -> str:
    own = pattern.encoder if isinstance(pattern, EncoderDecoderAttention) else pattern
    text = own.queries.line
    return f"frozen as in {shown(own.model)} on {text if len(text) <= 60 else text[:59] + '…'}"


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
