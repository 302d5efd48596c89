"""Interventions: a change to a model's attention that lasts for a `with` block, and the proof that it took place."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from course.projections import captured, heads_of
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model

# The names under which the architectures of transformers keep the output projection in the attention block itself;
# BERT and RoBERTa keep it beside the block, as output.dense.
_OUTPUTS = ("out_lin", "o_proj", "out_proj", "c_proj", "dense")
_COMPARED = ("logits", "start_logits", "end_logits", "last_hidden_state")


class InterventionError(ValueError):
    """This cannot be done to the model's attention, or it was not; the message says why."""


@dataclass(frozen=True, eq=False)
class Block:
    """One attention block: ``layer`` of its ``kind`` ("self", or "encoder", "decoder", "cross").

    ``projection`` is the output projection W_O. Its input, batch x queries x (heads · size), holds A_h V_h, one
    head after the other.
    """

    kind: str
    layer: int
    module: nn.Module
    heads: int
    projection: nn.Module


def blocks_of(model: Model) -> dict[str, list[Block]]:
    """The attention blocks of a model by kind, in the order of their layers.

    Raises InterventionError where their number is not that of the layers (as in ALBERT, whose layers are one
    block), or where their output projection cannot be found.
    """
    with captured(model.module) as sites:
        found = {
            kind: [_block(model, kind, layer, site.name, site.block) for layer, site in enumerate(own)]
            for kind, own in sites.items()
        }
    written = model.decoder_layers
    expected = (
        {"self": model.layers} if written is None else {"encoder": model.layers, "decoder": written, "cross": written}
    )
    for kind, layers in expected.items():
        if len(found.get(kind, [])) != layers:
            raise InterventionError(
                f"{model.title} has {layers} layers of {kind} attention, but {len(found.get(kind, []))} attention "
                "blocks were found for them: supported are BERT, DistilBERT, RoBERTa, GPT-2, ViT, BART, Marian and "
                "their like"
            )
    return {kind: found[kind] for kind in expected}


def _block(model: Model, kind: str, layer: int, name: str, block: Any) -> Block:
    heads = heads_of(block)
    around: Any = model.module.get_submodule(name.rpartition(".")[0])
    places = [getattr(block, n, None) for n in _OUTPUTS] + [getattr(getattr(around, "output", None), "dense", None)]
    projection: Any = next((place for place in places if isinstance(place, nn.Module)), None)
    if projection is None or heads < 1:
        raise InterventionError(
            f"{model.title} keeps the output projection of {name} under a name that is not known here: supported are "
            "BERT, DistilBERT, RoBERTa, GPT-2, ViT, BART, Marian and their like"
        )
    return Block(kind, layer, block, heads, projection)


@dataclass(eq=False, repr=False)
class Intervention:
    """What is done to a model inside a `with` block, and the proof of it.

    ``passes`` counts the forward passes of the model, ``fired`` how often one of its attention blocks was acted on.
    ``change`` is the largest absolute difference that this made to an output (the logits, or the last hidden state)
    of the first pass, which is run once more without it; None where the two could not be compared.
    """

    model: str
    passes: int = 0
    fired: int = 0
    change: float | None = None

    @property
    def changed(self) -> bool | None:
        """The output changed; None where nothing was compared."""
        return None if self.change is None else self.change > 0

    @property
    def title(self) -> str:
        """What is done, in words."""
        return f"intervention in {shown(self.model)}"

    def __repr__(self) -> str:
        said = {
            None: "outputs not compared", True: f"outputs changed by up to {self.change or 0:.3g}",
            False: "outputs did NOT change",
        }[self.changed]  # fmt: skip
        return f"{self.title}\n  acted {self.fired} times in {self.passes} forward passes; {said}"

    def check(self, *, acts: bool) -> None:
        """Say what went wrong, at the end of the block; ``acts`` where something should have happened.

        Raises InterventionError where nothing was run or nothing was acted on; warns where no output changed.
        """
        if self.passes == 0 and self.fired == 0:
            raise InterventionError(
                f"no forward pass of {self.model} ran inside the with block, so this did nothing: call the model, "
                "or a function of the course with it, inside the block"
            )
        if acts and self.fired == 0:
            raise InterventionError(f"{self.model} ran without the attention blocks that should have been acted on")
        if acts and self.changed is False:
            warnings.warn(f"no output changed: {self!r}", stacklevel=4)


class Watch:
    """Follows the forward passes of a model while an intervention lasts.

    ``paused`` opens a block in which the intervention is suspended, for the comparison. ``given`` are the arguments
    of the pass that is under way, by name; none outside of one.
    """

    def __init__(
        self, model: Model, intervention: Intervention, paused: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self.module: Any = model.module
        self.intervention = intervention
        self.paused = paused
        self.given: Mapping[str, Any] = {}
        self._clean: dict[str, Tensor] | None = None
        self._compared = True

    @contextmanager
    def following(self, seen: Callable[[Any], None] | None = None, *, compared: bool = True) -> Iterator[None]:
        """While this is open, passes are counted and the first is ``compared``; ``seen`` is called with outputs."""
        self._compared = compared
        handles: list[Any] = []

        def after(_module: nn.Module, _args: Any, output: Any) -> None:
            if self._clean is not None:
                self.intervention.change = _difference(self._clean, _outputs(output))
                self._clean = None
            if seen is not None:
                seen(output)

        def read(module: Any, args: Any, kwargs: Any) -> None:
            self.given = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
            self.given |= self.given.pop("kwargs", {})

        def forget(_module: nn.Module, _args: Any, _output: Any) -> None:
            self.given = {}  # generate() runs an encoder by itself, of which these would be the arguments of another

        try:
            handles.append(self.module.register_forward_pre_hook(self._before, with_kwargs=True))
            handles.append(self.module.register_forward_hook(after))
            handles.append(self.module.base_model.register_forward_pre_hook(read, with_kwargs=True))
            handles.append(self.module.base_model.register_forward_hook(forget))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _before(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        # Where generate() has run the encoder by itself, there is no pass of the whole to compare with.
        if self._compared and self.intervention.passes == 0 and kwargs.get("encoder_outputs") is None:
            own = dict(kwargs)
            if own.get("past_key_values") is not None:  # a pass adds to it
                own["past_key_values"] = copy.deepcopy(own["past_key_values"])
            with self.paused(), torch.no_grad():
                self._clean = _outputs(self.module.forward(*args, **own))
        self.intervention.passes += 1


def _outputs(output: Any) -> dict[str, Tensor]:
    """The outputs to compare, by name."""
    if isinstance(output, tuple):
        return {"first": output[0].detach()}
    found = {name: getattr(output, name, None) for name in _COMPARED}
    return {name: tensor.detach() for name, tensor in found.items() if isinstance(tensor, Tensor)}


def _difference(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> float | None:
    shared = [(tensor, after[name]) for name, tensor in before.items() if name in after]
    return max((float((one - other).abs().max()) for one, other in shared), default=None)
