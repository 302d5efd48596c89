"""Attention records with random weights, for tests that need no model."""

from __future__ import annotations

import torch

from course.attention import Attention, EncoderDecoderAttention
from course.tokens import Tokens

SENTENCE = ("[CLS]", "The", "cat", "sat", "on", "the", "mat", "[SEP]")
PAIR = ("[CLS]", "A", "cat", "sleeps", ".", "[SEP]", "The", "cat", "naps", ".", "[SEP]")


def tokens_of(texts: tuple[str, ...], second: int | None = None) -> Tokens:
    """Tokens with these texts; from position ``second`` on, they belong to the second sentence."""
    segments = tuple(int(second is not None and i >= second) for i in range(len(texts)))
    return Tokens(
        texts=texts,
        pieces=texts,
        special=tuple(text in ("[CLS]", "[SEP]") for text in texts),
        segments=segments,
        offsets=(None,) * len(texts),
        words=tuple(range(len(texts))),
        sources=("first",) if second is None else ("first", "second"),
    )


def attention(
    layers: int = 3,
    heads: int = 12,
    queries: tuple[str, ...] = SENTENCE,
    keys: tuple[str, ...] | None = None,
    *,
    second: int | None = None,
    kind: str = "self",
    model: str = "Made up",
    seed: int = 0,
) -> Attention:
    """Softmax of random numbers."""
    generator = torch.Generator().manual_seed(seed)
    columns = queries if keys is None else keys
    scores = 3 * torch.randn(layers, heads, len(queries), len(columns), generator=generator)
    rows = tokens_of(queries, second)
    return Attention(scores.softmax(-1), rows, rows if keys is None else tokens_of(keys), kind, model)


def encoder_decoder(
    encoder_layers: int = 4,
    decoder_layers: int = 2,
    heads: int = 4,
    source: tuple[str, ...] = ("A", "dog", "runs", "</s>"),
    target: tuple[str, ...] = ("<pad>", "Ein", "Hund", "rennt", "schnell", "</s>"),
) -> EncoderDecoderAttention:
    """Three records; encoder and decoder have different numbers of layers."""
    return EncoderDecoderAttention(
        encoder=attention(encoder_layers, heads, source, kind="encoder", seed=1),
        decoder=attention(decoder_layers, heads, target, kind="decoder", seed=2),
        cross=attention(decoder_layers, heads, target, source, kind="cross", seed=3),
    )


_FLAG = "top.pwned=parent.pwned=window.pwned=1;alert(1)"

HOSTILE = (
    f"</script><img src=x onerror={_FLAG}>",
    f"<script>{_FLAG}</script>",
    f'"><img src=x onerror="{_FLAG}">',
    f"'><svg onload='{_FLAG}'>",
    f"<svg/onload={_FLAG}>",
    f"<svg><animate onbegin={_FLAG} attributeName=x dur=1s>",
    f"</title><script>{_FLAG}</script>",
    f"</style><script>{_FLAG}</script>",
    f"</textarea><script>{_FLAG}</script>",
    f"--><script>{_FLAG}</script><!--",
    f"<!--<script>{_FLAG}",
    f"]]><script>{_FLAG}</script>",
    f"<![CDATA[<script>{_FLAG}</script>]]>",
    f"<style>@import 'javascript:{_FLAG}'</style>",
    f'" style="background:url(javascript:{_FLAG})"',
    f'" onmouseover="{_FLAG}" x="',
    f"javascript:{_FLAG}",
    f"${{{_FLAG}}}",
    f"{{{{{_FLAG}}}}}",
    f"`${{{_FLAG}}}`",
    f"<iframe srcdoc='<script>{_FLAG}</script>'>",
    f"<iframe src=javascript:{_FLAG}>",
    f"</iframe><script>{_FLAG}</script>",
    f"<object data=javascript:{_FLAG}>",
    f"<details open ontoggle={_FLAG}>",
    f"<template><script>{_FLAG}</script></template>",
    f"&lt;script&gt;{_FLAG}&lt;/script&gt;",
    f"&#60;script&#62;{_FLAG}",
    f"\\u003cscript\\u003e{_FLAG}",
    f"\x00<scr\x00ipt>{_FLAG}</script>",
    f"\u2028<script>{_FLAG}</script>\u2029",
    f"\u202e<script>{_FLAG}</script>",
    f"\ufeff\u200b<script>{_FLAG}</script>",
    f"PYTHON_PARAMS',{_FLAG},'",
    f"*/{_FLAG}//",
    f"\\';{_FLAG}//",
    "\ud800 lone",
)
