"""lens(): what a causal model would say after every layer, by the logit lens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from course.attributions.embedded import unchanged
from course.causal.lenses import Lens
from course.causal.parts import LensError, check_causal, readout_of
from course.causal.vocabulary import Vocabulary
from course.tokenising import tokenise

if TYPE_CHECKING:
    from course.models import Model

MOST_NUMBERS = 500_000_000
"""The most logits of one lens (2 GB): about 750 tokens of GPT-2."""
_AGREEMENT = 1e-4


def lens(model: Model, text: str, *, truncate: bool = False) -> Lens:
    """What a causal model would predict if it stopped after the embeddings, after layer 0, after layer 1 and so on.

    The hidden state of each layer and position goes through the model's own final norm, exactly once, and its
    unembedding: the logit lens (nostalgebraist 2020, "interpreting GPT: the logit lens"). After the last layer these
    are the model's logits.

    Misleads where a layer writes in another basis than the last one: early layers can hold an answer that this
    lens cannot read, above all in models other than GPT-2 (Belrose et al. 2023, arXiv 2303.08112, learn a
    translation for each layer). In GPT-2 the embeddings predict the token itself where input and output share one
    matrix. That a word ranks high in a layer does not say that later layers use it.

    Raises LensError for a model that is not causal, or whose logits are not its final norm and unembedding alone;
    InputError for text that cannot be read.
    """
    check_causal(model, "the logit lens")
    tokens, inputs = tokenise(model, text, truncate=truncate)
    size = int(model.module.config.vocab_size)
    if (numbers := (model.layers + 1) * len(tokens) * size) > MOST_NUMBERS:
        raise LensError(
            f"{len(tokens)} tokens need {numbers * 4 / 1e9:.1f} GB of logits, and a lens may have "
            f"{MOST_NUMBERS * 4 / 1e9:.0f} GB: shorten the text"
        )
    logits = layer_logits(model.module, inputs["input_ids"].to(model.device), title=model.title)
    return Lens(
        logits=logits[:, 0],
        ids=tuple(inputs["input_ids"][0].tolist()),
        tokens=tokens,
        vocabulary=Vocabulary(model.tokenizer, logits.shape[-1], model.title),
        model=model.title,
    )


def layer_logits(
    module: Any, ids: Tensor, attention_mask: Tensor | None = None, *, title: str = "this model"
) -> Tensor:
    """The logits after the embeddings and after each layer: (layers + 1) x rows x positions x vocabulary, on the CPU.

    ``ids`` is rows x positions. What comes back for a place that ``attention_mask`` hides has no meaning.
    """
    readout = readout_of(module, title)
    with unchanged(module), torch.no_grad():
        with _inputs_of(readout.norm, module) as seen:
            outputs = module(input_ids=ids, attention_mask=attention_mask, output_hidden_states=True, use_cache=False)
        states = outputs.hidden_states
        _check_run(seen, states, int(module.config.num_hidden_layers), title)
        # The last of hidden_states has the norm in it already (transformers 5): what the norm was given is taken.
        found = torch.stack([readout.logits(state).float().cpu() for state in (*states[:-1], seen[0])])
    own = outputs.logits.float().cpu()
    if not torch.isfinite(found).all():
        raise LensError(f"{title} returned logits that are not numbers (NaN or infinity)")
    visible = slice(None) if attention_mask is None else attention_mask.bool().cpu()
    error = float((found[-1] - own)[visible].abs().max())
    if error > _AGREEMENT * max(1.0, float(own[visible].abs().max())):
        raise LensError(
            f"{title} does more to its logits than norm and unembedding (they differ by {error:.2g} after the last "
            f"layer), so the logit lens would show other numbers than the model's: "
            f"{type(module).__name__} is not supported"
        )
    return found


@contextmanager
def _inputs_of(norm: nn.Module, module: nn.Module) -> Iterator[list[Tensor]]:
    """While this is open, what ``norm`` is given in the last pass of ``module`` is kept."""
    seen: list[Tensor] = []

    def begin(_module: nn.Module, _arguments: tuple[Any, ...]) -> None:
        seen.clear()  # before its first pass an intervention runs the model once more, to compare

    def keep(_module: nn.Module, arguments: tuple[Any, ...]) -> None:
        seen.append(arguments[0])

    handles = [module.register_forward_pre_hook(begin), norm.register_forward_pre_hook(keep)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _check_run(seen: list[Tensor], states: Any, layers: int, title: str) -> None:
    if len(seen) != 1:
        raise LensError(f"{title} uses its final norm {len(seen)} times in one run, and the logit lens needs once")
    if states is None or len(states) != layers + 1:
        raise LensError(
            f"{title} has {layers} layers, and returned {0 if states is None else len(states)} hidden states, "
            f"where {layers + 1} are needed"
        )
