"""attend(): run a model on a text and keep its attention, with the queries and keys behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from course.attention import Attention, AttentionError, EncoderDecoderAttention
from course.inputs import read
from course.projections import ProjectionError, Projections, captured, collect
from course.tokenising import tokenise
from course.tokens import Tokens

if TYPE_CHECKING:
    from course.models import Model


def attend(
    model: Model, text: Any, pair: str | None = None, *, truncate: bool = False
) -> Attention | EncoderDecoderAttention:
    """The attention of ``model`` on a text, a sentence pair, a source and its translation, or an image.

    One text, or two for a pair, gives an `Attention`. An encoder–decoder takes a source and a target and
    gives an `EncoderDecoderAttention`; without a target, the model's own greedy output is used. The decoder
    reads the target shifted by one: row i stands at the token read, and predicts the next.

    A model that reads images takes one in place of a text: a path, a PIL image, or an array (see
    `course.vision.sources.picture_of`). Its tokens are [CLS] and the patches in reading order, called "r2c5" after
    their row and column, from 0.

    Raises InputError for a text or image that cannot be read, and AttentionError where the model returns no attention.

    >>> import course
    >>> att = course.attend(course.load("minilm"), "The cat sat on the mat")
    >>> att.weights.shape
    torch.Size([6, 12, 8, 8])
    """
    if model.encoder_decoder:
        return _attend_translation(model, text, pair, truncate=truncate)
    tokens, inputs = read(model, text, pair, truncate=truncate)
    outputs, projections = run(model, inputs)
    return Attention.of(
        getattr(outputs, "attentions", None), tokens, model=model.title, causal=model.causal,
        projections=projections.get("self"),
    )  # fmt: skip


def run(model: Model, inputs: Mapping[str, Tensor]) -> tuple[Any, dict[str, Projections]]:
    """One forward pass with attention: the model's outputs, and its projections by kind where it has them."""
    on_device = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    extra = {"use_cache": False} if model.encoder_decoder or model.causal else {}
    with torch.no_grad(), captured(model.module) as sites:
        outputs = model.module(**on_device, **extra, output_attentions=True)
        projections = {}
        for kind, attentions in _attentions(outputs).items():
            try:
                projections[kind] = collect(sites.get(kind, []), layers=len(attentions))
            except ProjectionError:
                continue  # the weights are still right; identities() then says that it could not recompute
    return outputs, projections


def _attentions(outputs: Any) -> dict[str, Any]:
    fields = {"self": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions",
              "cross": "cross_attentions"}  # fmt: skip
    found = {kind: getattr(outputs, field, None) for kind, field in fields.items()}
    return {kind: attentions for kind, attentions in found.items() if attentions}


def _attend_translation(model: Model, source: str, target: str | None, *, truncate: bool) -> EncoderDecoderAttention:
    source_tokens, inputs = tokenise(model, source, truncate=truncate)
    cut = truncate
    if target is None:  # a translation that never ended may be longer when it is read again
        target, cut = _translate(model, inputs), True
    written, targets = tokenise(model, target, truncate=cut, as_target=True)
    labels = targets["input_ids"]
    start = model.module.config.decoder_start_token_id
    if start is None:
        raise AttentionError(f"{model.title} names no decoder_start_token_id: its decoder cannot be started")
    shifted = torch.cat([torch.full_like(labels[:, :1], start), labels[:, :-1]], dim=1)
    outputs, projections = run(model, {**inputs, "decoder_input_ids": shifted})
    decoder_tokens = _shift(written, str(model.tokenizer.convert_ids_to_tokens(start)))
    parts = {
        kind: Attention.of(
            getattr(outputs, f"{kind}_attentions", None), queries, keys, kind=kind, model=model.title,
            causal=kind == "decoder", projections=projections.get(kind),
        )
        for kind, queries, keys in (
            ("encoder", source_tokens, None), ("decoder", decoder_tokens, None),
            ("cross", decoder_tokens, source_tokens),
        )
    }  # fmt: skip
    return EncoderDecoderAttention(**parts)


def _translate(model: Model, inputs: Mapping[str, Tensor]) -> str:
    on_device = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    longest = model.limits.longest or 512
    with torch.no_grad():
        ids = model.module.generate(
            **on_device, num_beams=1, do_sample=False, max_new_tokens=max(longest - 2, 1), max_length=None
        )
    text = str(model.tokenizer.decode(ids[0], skip_special_tokens=True))
    if not text.strip():
        raise AttentionError(f"{model.title} translates this to nothing: give the target text yourself")
    return text


def _shift(tokens: Tokens, start: str) -> Tokens:
    """The tokens that the decoder reads: the start token, then all but the last."""
    kept = tokens.select(range(len(tokens) - 1))
    return Tokens(
        texts=(start, *kept.texts), pieces=(start, *kept.pieces), special=(True, *kept.special),
        segments=(0, *kept.segments), offsets=(None, *kept.offsets), words=(None, *kept.words),
        sources=kept.sources, dropped=kept.dropped,
    )  # fmt: skip
