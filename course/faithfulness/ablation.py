"""Ablation: what a model does without some of its attention heads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from course.attending import attend
from course.faithfulness.interventions import Block, Intervention, InterventionError, Watch, blocks_of
from course.tokens import shown

if TYPE_CHECKING:
    from course.models import Model

Head = tuple[int, int] | tuple[str, int, int]
Reference = Any  # a text, a pair of texts, an image, or a mapping of tensors
WAYS = ("zero", "mean")


@dataclass(eq=False, repr=False)
class Ablation(Intervention):
    """The heads that `ablated` takes out, as (kind, layer, head), by what, and the proof: see `Intervention`."""

    heads: tuple[tuple[str, int, int], ...] = ()
    by: str = "zero"
    instead: str = "zeros"

    @property
    def title(self) -> str:
        """What is done, in words."""
        named = [f"{'' if kind == 'self' else kind + ' '}({layer}, {head})" for kind, layer, head in self.heads]
        which = ", ".join(named[:6]) + (f" and {len(named) - 6} more" if len(named) > 6 else "")
        return (
            f"{len(named)} heads of {shown(self.model)} replaced by {self.instead}: {which}"
            if named
            else f"no head of {shown(self.model)} ablated"
        )


@contextmanager
def ablated(
    model: Model, heads: Collection[Head] | str, *, by: str = "zero", reference: Sequence[Reference] | None = None
) -> Iterator[Ablation]:
    """Inside the `with` block the model runs without what these heads have to say.

    ``heads`` are (layer, head), counted from 0; in an encoder–decoder (kind, layer, head) with the kind "encoder",
    "decoder" or "cross"; "all" is all. The output of a head, A_h V_h before the output projection W_O, is replaced

    - ``by="zero"`` (Michel et al. 2019, arXiv 1905.10650): the head says nothing, which it may never have done in
      training, so part of what changes is that later layers read something that they do not know;
    - ``by="mean"``: the head says always the same, its mean over all tokens of the ``reference``: texts, (source,
      target) or (text, pair), images, or mappings of what the model takes, such as ``{"pixel_values": …}``. Without a
      reference it is the mean over the tokens of the input itself (padding left out): the head still says what the
      text is about, but the same to every token; in a causal model that mean knows of later tokens.

    The bias of W_O stays, and so does everything that goes past the attention block. Ablating no head changes
    nothing to the bit. The model is as before after the block, also after an exception.

    What is handed to the block is an `Ablation`: its ``fired`` counts how often a block was acted on and ``change``
    how far an output moved; the first pass is run twice for this. A block without a forward pass ends in an
    InterventionError, and one that changed no output in a warning.

    Misleads where heads do the same work: each alone can be taken out without loss, and both cannot. A head that
    changes nothing when it is ablated may still be what another head copies.

    Raises InterventionError for heads that there are not, and for models whose output projections are not known.

    >>> import course
    >>> model = course.load("planted")
    >>> with ablated(model, {(0, 0), (1, 2)}) as ablation:
    ...     inside = course.rank(model, "the dog was not happy")
    >>> ablation.fired, ablation.changed
    (2, True)
    """
    if by not in WAYS:
        raise InterventionError(f"by must be one of {', '.join(map(repr, WAYS))}, not {by!r}")
    if by == "zero" and reference is not None:
        raise InterventionError("a reference is for by='mean': zeros need none")
    chosen = _chosen(model, heads)
    means = _means(model, [block for block, _ in chosen], reference)
    instead = {"zero": "zeros", "mean": "their mean over the input" if reference is None else "their mean over a set"}
    named = tuple((block.kind, block.layer, head) for block, own in chosen for head in own)
    ablation = Ablation(model.title, heads=named, by=by, instead=instead[by])
    acting = [True]

    @contextmanager
    def paused() -> Iterator[None]:
        acting[0] = False
        try:
            yield
        finally:
            acting[0] = True

    watch = Watch(model, ablation, paused)

    def hook(block: Block, own: Sequence[int]) -> Callable[[nn.Module, Any], Any]:
        def act(_module: nn.Module, args: Any) -> Any:
            if not acting[0]:
                return None
            ablation.fired += 1
            split = args[0].unflatten(-1, (block.heads, -1)).clone()
            split[..., list(own), :] = (
                0.0 if by == "zero" else _mean(split, block, watch, means.get(block))[..., list(own), :]
            )
            return (split.flatten(-2), *args[1:])

        return act

    with ExitStack() as stack:
        for block, own in chosen:
            stack.callback(block.projection.register_forward_pre_hook(hook(block, own)).remove)
        stack.enter_context(watch.following())
        yield ablation
    ablation.check(acts=bool(chosen))


def _mean(split: Tensor, block: Block, watch: Watch, known: Tensor | None) -> Tensor:
    """What each head says on average: batch x 1 x heads x size, from batch x queries x heads x size."""
    if known is not None:
        return known.to(split).view(1, 1, block.heads, -1)
    if not watch.given:
        raise InterventionError("a mean over the input needs a pass of the whole model: give a reference, or by='zero'")
    mask = watch.given.get("attention_mask" if block.kind in ("self", "encoder") else "decoder_attention_mask")
    if mask is None:
        return split.mean(1, keepdim=True)
    if mask.dim() != 2 or mask.shape != split.shape[:2]:
        raise InterventionError(
            f"the mask of the input has shape {tuple(mask.shape)} and the heads speak for {tuple(split.shape[:2])} "
            "tokens, so there is no mean over the input: give a reference, or pass use_cache=False"
        )
    real = mask.to(split).unsqueeze(-1).unsqueeze(-1)
    found: Tensor = (split * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp_min(1)
    return found


def _means(model: Model, blocks: Sequence[Block], reference: Sequence[Reference] | None) -> dict[Block, Tensor]:
    """The mean input of each projection over all tokens of the reference."""
    if reference is None:
        return {}
    if isinstance(reference, (str, Mapping)) or not reference:
        raise InterventionError("reference must be a list of at least one text, such as ['the cat sat on the mat']")
    sums: dict[Block, Any] = dict.fromkeys(blocks, 0.0)
    counts = dict.fromkeys(blocks, 0)

    def add(block: Block) -> Callable[[nn.Module, Any], None]:
        def hook(_module: nn.Module, args: Any) -> None:
            rows = args[0].detach().double().flatten(0, -2)
            sums[block] += rows.sum(0)
            counts[block] += len(rows)

        return hook

    with ExitStack() as stack:
        for block in blocks:
            stack.callback(block.projection.register_forward_pre_hook(add(block)).remove)
        for one in reference:
            _read(model, one)
    return {block: sums[block] / counts[block] for block in blocks}


def _read(model: Model, one: Reference) -> None:
    if isinstance(one, Mapping):
        with torch.no_grad():
            model.module(**{name: tensor.to(model.device) for name, tensor in one.items()})
        return
    texts = (one,) if isinstance(one, str) or model.reads_images else one
    if model.encoder_decoder and len(texts) != 2:
        raise InterventionError(f"a reference of {model.title} is a list of pairs (source, target)")
    attend(model, *texts)


def _chosen(model: Model, heads: Collection[Head] | str) -> list[tuple[Block, tuple[int, ...]]]:
    """The blocks that hold the heads, and which of theirs, in order."""
    blocks = blocks_of(model)
    every = {(kind, block.layer, i): block for kind, own in blocks.items() for block in own for i in range(block.heads)}
    if isinstance(heads, str):
        if heads != "all":
            raise InterventionError(f"heads must be a set such as {{(0, 1)}}, or 'all', not {heads!r}")
        wanted = set(every)
    else:
        wanted = {_named(head, blocks) for head in heads}
    for kind, layer, head in sorted(wanted - set(every), key=str):
        sizes = "; ".join(f"{name}: {len(own)} layers × {own[0].heads} heads" for name, own in blocks.items())
        raise InterventionError(f"{model.title} has no {kind} head ({layer}, {head}), counted from 0; it has {sizes}")
    found: dict[Block, list[int]] = {}
    for key in every:
        if key in wanted:
            found.setdefault(every[key], []).append(key[2])
    return [(block, tuple(own)) for block, own in found.items()]


def _named(head: Any, blocks: Mapping[str, Any]) -> tuple[str, int, int]:
    parts = tuple(head) if isinstance(head, (tuple, list)) else (head,)
    if len(parts) == 2 and len(blocks) == 1:
        parts = (next(iter(blocks)), *parts)
    whole = all(isinstance(part, int) and not isinstance(part, bool) for part in parts[1:])
    if len(parts) != 3 or not isinstance(parts[0], str) or not whole:
        form = "(layer, head)" if len(blocks) == 1 else f"(kind, layer, head) with a kind of {', '.join(blocks)}"
        raise InterventionError(f"a head is {form}, in whole numbers, not {head!r}")
    return parts[0], int(parts[1]), int(parts[2])
