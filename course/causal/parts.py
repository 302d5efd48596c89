"""What looking inside a causal language model needs: a model that predicts the next token, and the parts that do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from course.models import Model

# The names under which the architectures of transformers keep the norm after their last layer.
_NORMS = ("ln_f", "norm", "final_layer_norm", "final_layernorm", "norm_f")


class LensError(ValueError):
    """This cannot be looked into; the message says what to change."""


@dataclass(frozen=True, eq=False)
class Readout:
    """How a causal model makes logits of its last hidden state: one norm, then one matrix (the unembedding)."""

    norm: nn.Module
    unembedding: nn.Module

    def logits(self, hidden: Tensor) -> Tensor:
        """… x width, not yet normalised, to … x vocabulary."""
        found: Tensor = self.unembedding(self.norm(hidden))
        return found


def check_causal(model: Model, what: str) -> None:
    """Raise LensError unless ``model`` predicts the next token; ``what`` names what needs that."""
    kind = type(model.module).__name__
    if model.encoder_decoder:
        problem = f"is a {kind}, an encoder–decoder, which writes a second text beside the first"
    elif not model.causal:
        problem = f"is a {kind}, which reads the whole text at once and predicts no next token"
    elif model.module.get_output_embeddings() is None:
        problem = f"is a {kind}, a causal model without the head that makes logits of the next token"
    else:
        return
    raise LensError(
        f"{model.title} {problem}; {what} needs a causal language model. Roles that are: {', '.join(causal_roles())}. "
        "Load one with course.load, or wrap your own"
    )


def causal_roles() -> tuple[str, ...]:
    """The roles of the catalogue that are causal language models."""
    from course.models.listing import catalogue

    return tuple(dict.fromkeys(entry.role for entry in catalogue() if entry.task == "causal-lm"))


def readout_of(module: Any, title: str) -> Readout:
    """The final norm and the unembedding of a causal model such as GPT-2 or Llama.

    Raises LensError where they are not found under the names that the architectures of transformers give them.
    """
    base = module.base_model
    places = [part for part in (base, getattr(base, "decoder", None)) if part is not None]
    found = [getattr(place, name, None) for place in places for name in _NORMS]
    norm = next((one for one in found if isinstance(one, nn.Module)), None)
    unembedding = module.get_output_embeddings()
    if norm is None or unembedding is None:
        missing = "unembedding" if unembedding is None else f"final norm (looked for {', '.join(_NORMS)})"
        raise LensError(
            f"{title} is a {type(module).__name__}, of which no {missing} was found: the logit lens reads GPT-2, "
            "Llama, Mistral, Qwen, GPT-NeoX, OPT and their like"
        )
    return Readout(norm, unembedding)
