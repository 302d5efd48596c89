"""Queries and keys: the vectors behind every attention weight, taken from the model by hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class ProjectionError(ValueError):
    """This model's queries and keys cannot be had; the message says why."""


@dataclass(frozen=True, eq=False)
class Projections:
    """Queries and keys of all layers of one stack.

    ``queries`` and ``keys`` have shape layers x heads x tokens x head size; ``scales`` holds one factor per
    layer, 1/√(head size) in nearly every model. They are float32 and on the CPU.
    """

    queries: Tensor
    keys: Tensor
    scales: tuple[float, ...]

    def scores(self, *, causal: bool) -> Tensor:
        """QKᵀ times the scale, layers x heads x queries x keys; later tokens are -inf where ``causal``."""
        scales = torch.tensor(self.scales).view(-1, 1, 1, 1)
        scores = self.queries @ self.keys.transpose(-1, -2) * scales
        if causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        return scores

    def weights(self, *, causal: bool) -> Tensor:
        """softmax(QKᵀ/√d), recomputed from the vectors: what the model's own attention must equal."""
        return self.scores(causal=causal).softmax(-1)


# The pairs of attribute names under which the architectures of transformers keep their projections.
_NAMES = (("query", "key"), ("q_lin", "k_lin"), ("q_proj", "k_proj"))
_HEAD_COUNTS = ("num_attention_heads", "n_heads", "num_heads")


def heads_of(block: nn.Module) -> int:
    """How many heads an attention block says that it has; 0 if it does not say."""
    return next((int(getattr(block, n)) for n in _HEAD_COUNTS if hasattr(block, n)), 0)


@dataclass
class _Site:
    """One attention block, and what its hooks saw."""

    name: str
    block: nn.Module
    query: Tensor | None = None
    key: Tensor | None = None

    def split(self, projected: Tensor) -> Tensor:
        """tokens x (heads * size) -> heads x tokens x size."""
        heads = heads_of(self.block)
        if not heads:
            raise ProjectionError(f"{self.name} does not say how many heads it has")
        rows = projected.detach()[0].float().cpu()
        return rows.view(len(rows), heads, -1).transpose(0, 1)

    @property
    def scale(self) -> float:
        head_size = self.split(self.query).shape[-1]  # type: ignore[arg-type]
        return float(getattr(self.block, "scaling", head_size**-0.5))


@contextmanager
def captured(module: nn.Module) -> Iterator[Mapping[str, list[_Site]]]:
    """While this is open, a forward pass of ``module`` leaves its queries and keys in the sites.

    Yields the attention blocks by kind: "self" for a single stack, else "encoder", "decoder" and "cross".
    """
    sites = [_Site(name, block) for name, block in module.named_modules() if _is_attention(block)]
    handles: list[Any] = []
    try:
        for site in sites:
            handles += _hook(site)
        by_kind: dict[str, list[_Site]] = {}
        for site in sites:
            by_kind.setdefault(_kind(module, site.name), []).append(site)
        yield by_kind
    finally:
        for handle in handles:
            handle.remove()


def collect(sites: list[_Site], *, layers: int) -> Projections:
    """The projections of one kind after the forward pass; ``layers`` is how many attentions came back."""
    if not sites:
        raise ProjectionError(
            "no attention block with separate query and key projections was found: supported are BERT, DistilBERT, "
            "RoBERTa, GPT-2, ViT, BART, Marian and their like"
        )
    silent = [site.name for site in sites if site.query is None or site.key is None]
    if silent or len(sites) != layers:
        raise ProjectionError(
            f"{layers} layers returned attention, but queries and keys came from {len(sites) - len(silent)} of "
            f"{len(sites)} attention blocks: this architecture cannot be read by hooks"
        )
    return Projections(
        queries=torch.stack([site.split(site.query) for site in sites]),  # type: ignore[arg-type]
        keys=torch.stack([site.split(site.key) for site in sites]),  # type: ignore[arg-type]
        scales=tuple(site.scale for site in sites),
    )


def _names_of(block: nn.Module) -> tuple[str, str] | None:
    return next((pair for pair in _NAMES if all(isinstance(getattr(block, n, None), nn.Module) for n in pair)), None)


def _is_attention(block: nn.Module) -> bool:
    return _names_of(block) is not None or isinstance(getattr(block, "c_attn", None), nn.Module)


def _kind(module: nn.Module, name: str) -> str:
    if "encoder_attn" in name or "crossattention" in name.lower():
        return "cross"
    if not getattr(getattr(module, "config", None), "is_encoder_decoder", False):
        return "self"
    return "decoder" if "decoder" in name.split(".") else "encoder"


def _hook(site: _Site) -> list[Any]:
    def keep_query(_module: nn.Module, _args: Any, output: Tensor) -> None:
        site.query = output

    def keep_key(_module: nn.Module, _args: Any, output: Tensor) -> None:
        site.key = output

    def keep_fused(_module: nn.Module, _args: Any, output: Tensor) -> None:
        site.query, site.key, _ = output.chunk(3, dim=-1)

    names = _names_of(site.block)
    if names is None:  # GPT-2: one matrix makes query, key and value at once
        return [site.block.c_attn.register_forward_hook(keep_fused)]  # type: ignore[union-attr, operator]
    query, key = (getattr(site.block, name) for name in names)
    return [query.register_forward_hook(keep_query), key.register_forward_hook(keep_key)]
