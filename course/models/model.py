"""A model ready to be looked into: its weights, its tokenizer, and what is known of both."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from course.models.entries import CLASSIFICATIONS, TASKS, Score
from course.models.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

UNLIMITED = 1_000_000
"""A tokenizer without a limit states one beyond any model (transformers writes 10 to the 30th)."""


@dataclass(frozen=True)
class Limits:
    """What fits into a model: its longest input in tokens, special ones included; None where nothing limits it."""

    longest: int | None


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A model in evaluation mode, with eager attention and float32 weights, and the tokenizer that feeds it.

    ``module`` is the transformers model itself; its parameters keep their gradients. ``tokenizer`` never
    shortens or pads unless asked (an image model has its image processor here, or None). ``labels`` name the
    outputs of a classifier, in order. ``stage`` is "trained", or "pretrained" or "random" for a model before a part
    of its training, whose remaining weights were drawn from ``seed``.
    """

    role: str
    profile: str
    title: str
    architecture: str
    task: str
    source: str
    module: PreTrainedModel
    tokenizer: Any
    labels: tuple[str, ...] = ()
    licence: str = ""
    scores: tuple[Score, ...] = ()
    stage: str = "trained"
    seed: int | None = None

    @property
    def parameters(self) -> int:
        """How many numbers were learnt; shared ones count once."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def layers(self) -> int:
        """Layers of the encoder, or of the decoder where there is only that."""
        return int(self.module.config.num_hidden_layers)

    @property
    def decoder_layers(self) -> int | None:
        """Layers of the decoder of an encoder–decoder, else None."""
        config = self.module.config
        return int(getattr(config, "decoder_layers", self.layers)) if self.encoder_decoder else None

    @property
    def heads(self) -> int:
        """Attention heads in each layer."""
        return int(self.module.config.num_attention_heads)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.module.parameters()).device
        return device

    @property
    def encoder_decoder(self) -> bool:
        """One half reads and the other half writes, as in translation."""
        return bool(getattr(self.module.config, "is_encoder_decoder", False))

    @property
    def causal(self) -> bool:
        """A decoder alone: each token attends only to itself and to those before it."""
        if self.encoder_decoder:
            return False
        if self.task == "causal-lm" or getattr(self.module.config, "is_decoder", False):
            return True
        return self._has_causal_part

    @property
    def reads_images(self) -> bool:
        """It is given pixels instead of words."""
        return getattr(self.module, "main_input_name", "") == "pixel_values"

    @property
    def limits(self) -> Limits:
        """The longest input: what the positions allow and the tokenizer states, whichever is less."""
        stated = getattr(self.tokenizer, "model_max_length", None)
        known = [self._positions, stated if stated and stated < UNLIMITED else None]
        return Limits(min((int(limit) for limit in known if limit is not None), default=None))

    # These two walk all modules, and every text asks for them.

    @cached_property
    def _has_causal_part(self) -> bool:
        return any(getattr(part, "is_causal", False) for part in self.module.modules())

    @cached_property
    def _positions(self) -> int | None:
        return _positions(self.module)

    def __repr__(self) -> str:
        return "; ".join([f"{self._name()}: {self._shape()}", self._origin(), *map(str, self.scores)])

    def _repr_html_(self) -> str:
        rows = {
            "model": self._name(),
            "shape": self._shape(),
            "origin": self._origin(),
            "licence": self.licence,
            "labels": ", ".join(self.labels),
            "score": "; ".join(map(str, self.scores)),
        }
        cells = "".join(
            f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in rows.items()
            if value
        )
        return f"<table>{cells}</table>"

    def _name(self) -> str:
        drawn = () if self.seed is None else (self.stage, f"seed {self.seed}")
        said = ", ".join(filter(None, (self.profile, *drawn)))
        return f"{self.role} ({said})" if said else self.role

    def _shape(self) -> str:
        layers = f"{self.layers} + {self.decoder_layers}" if self.encoder_decoder else f"{self.layers}"
        return (
            f"{self.architecture}, {layers} layers × {self.heads} heads, {_count(self.parameters)} parameters, "
            f"on {self.device}"
        )

    def _origin(self) -> str:
        if self.stage == "random":
            return "nothing learnt, all weights fresh"
        if self.stage == "pretrained":
            return f"a fresh head on weights from {self.source}"
        return f"from {self.source}" if self.title == self.role else f"{self.title} from {self.source}"


def wrap(
    module: PreTrainedModel, tokenizer: Any, *, name: str = "custom", labels: Sequence[str] | None = None
) -> Model:
    """A model that you built or loaded yourself, for use with the course.

    The module is put in evaluation mode; a fast tokenizer is copied, and the copy never shortens or pads unless
    asked. Without ``labels``, those in a classifier's config are taken.

    Raises ModelError for anything but one transformers model, when its attention is not eager (only eager
    attention returns its weights), when a parameter is not float32, when the parameters are not all on one
    device, and when the labels do not fit the outputs.

    >>> from transformers import BertConfig, BertModel
    >>> config = BertConfig(num_hidden_layers=2, num_attention_heads=4, hidden_size=32, intermediate_size=64)
    >>> wrap(BertModel._from_config(config, attn_implementation="eager"), None, name="mine").layers
    2
    """
    own = tokenizer if getattr(tokenizer, "backend_tokenizer", None) is None else copy.deepcopy(tokenizer)
    return joined(module, own, name=name, labels=labels)


def joined(module: PreTrainedModel, tokenizer: Any, *, name: str, labels: Sequence[str] | None) -> Model:
    """As `wrap`, with the tokenizer itself, which the model may change and keep."""
    _check_attention(module, name)
    _check_parameters(module, name)
    architecture = type(module).__name__
    task = next((task for task, kind in TASKS.items() if architecture.endswith(kind.endings)), "encoder")
    model = Model(
        role=name,
        profile="",
        title=name,
        architecture=architecture,
        task=task,
        source="your own code",
        module=module,
        tokenizer=_unbound(tokenizer),
        labels=_labels(module, task, labels, name),
    )
    module.eval()
    return model


def _check_attention(module: Any, name: str) -> None:
    config = getattr(module, "config", None)
    if not hasattr(config, "_attn_implementation"):
        raise ModelError(f"{name} is a {type(module).__name__}; give wrap() a transformers model")
    if not (hasattr(config, "num_hidden_layers") and hasattr(config, "num_attention_heads")):
        raise ModelError(f"{name} is made of several models; give wrap() one of them")
    configs: list[Any] = [getattr(part, "config", None) for part in module.modules()]
    for attention in (part._attn_implementation for part in configs if hasattr(part, "_attn_implementation")):
        if attention != "eager":
            raise ModelError(
                f"{name} computes attention with {attention!r}, which does not return its weights; load it with "
                'attn_implementation="eager"'
            )


def _check_parameters(module: PreTrainedModel, name: str) -> None:
    dtypes = {str(p.dtype).removeprefix("torch."): key for key, p in module.named_parameters()}
    other = next((dtype for dtype in dtypes if dtype != "float32"), None)
    if other:
        raise ModelError(f"{name} has {other} parameters ({dtypes[other]}); load it with dtype=torch.float32")
    devices = sorted({str(p.device) for p in module.parameters()})
    if not devices:
        raise ModelError(f"{name} has no parameters; give wrap() a whole model")
    if len(devices) > 1 or devices == ["meta"]:
        raise ModelError(f"{name} has parameters on {' and '.join(devices)}; load it on one device, such as cpu")


def _unbound(tokenizer: Any) -> Any:
    """The tokenizer, which from now on neither truncates nor pads by itself.

    The tokenizer.json of all-MiniLM-L6-v2 holds truncation and padding to 128 tokens; tokenizers 0.23 keeps
    them until the first call, so a text encoded through the backend would be cut in silence.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:  # one written in Python holds no such settings
        backend.no_truncation()
        backend.no_padding()
    return tokenizer


def _labels(module: PreTrainedModel, task: str, labels: Sequence[str] | None, name: str) -> tuple[str, ...]:
    if task not in CLASSIFICATIONS:
        if labels:
            raise ModelError(f"{name} is no classifier; leave out labels")
        return ()
    outputs = int(module.config.num_labels)
    if labels is None:
        return tuple(str(module.config.id2label[i]) for i in range(outputs))
    if len(labels) != outputs:
        raise ModelError(f"{name} has {outputs} outputs, but {len(labels)} labels; give one label for each output")
    return tuple(labels)


def _positions(module: PreTrainedModel) -> int | None:
    """How many tokens the learnt or computed positions allow; None where there is no such limit."""
    positions = int(getattr(module.config, "max_position_embeddings", None) or 0)
    if positions <= 0:
        return None
    # RoBERTa and its relatives count positions from padding_idx + 1, and say so in their embedding.
    for key, part in module.named_modules():
        padding = getattr(part, "padding_idx", None)
        if key.endswith("position_embeddings") and padding is not None:
            return positions - int(padding) - 1
    return positions


def _count(number: int) -> str:
    return f"{number / 1e6:.1f} M" if number >= 1e5 else f"{number:,}"
