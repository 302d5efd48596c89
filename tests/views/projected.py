"""Attention with random queries and keys behind it, and what the page of a neuron view carries of them."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from course.attention import Attention, EncoderDecoderAttention
from course.projections import Projections
from course.views import View
from tests.views.synthetic import SENTENCE, tokens_of


def projected(
    layers: int = 2,
    heads: int = 3,
    queries: tuple[str, ...] = SENTENCE,
    keys: tuple[str, ...] | None = None,
    *,
    size: int = 8,
    second: int | None = None,
    kind: str = "self",
    causal: bool = False,
    scale: float | None = None,
    model: str = "Made up",
    seed: int = 0,
) -> Attention:
    """softmax(q·k · scale) of random queries and keys; ``scale`` is 1/√size if left out."""
    generator = torch.Generator().manual_seed(seed)
    columns = queries if keys is None else keys
    vectors = Projections(
        2 * torch.randn(layers, heads, len(queries), size, generator=generator),
        2 * torch.randn(layers, heads, len(columns), size, generator=generator),
        (scale or size**-0.5,) * layers,
    )
    rows = tokens_of(queries, second)
    columns = rows if keys is None else tokens_of(keys)
    return Attention(vectors.weights(causal=causal), rows, columns, kind, model, causal, vectors)


def translation(encoder_layers: int = 3, decoder_layers: int = 2) -> EncoderDecoderAttention:
    """Three records; encoder and decoder have different numbers of layers and of tokens."""
    source, target = ("A", "dog", "runs", "</s>"), ("<pad>", "Ein", "Hund", "rennt", "schnell", "</s>")
    return EncoderDecoderAttention(
        encoder=projected(encoder_layers, 2, source, kind="encoder", seed=1),
        decoder=projected(decoder_layers, 2, target, kind="decoder", causal=True, seed=2),
        cross=projected(decoder_layers, 2, target, source, kind="cross", seed=3),
    )


@dataclass(frozen=True)
class Found:
    """What a page carries of one attention, read as its script reads it."""

    weights: np.ndarray
    queries: np.ndarray
    keys: np.ndarray
    layers: list[int]
    heads: list[int]


def parcel(view: View) -> dict[str, Any]:
    """The JSON in the page."""
    return json.loads(re.search(r'id="parcel">(.*?)</script>', view.page, re.DOTALL)[1])


def carried(view: View) -> list[Found]:
    """All attentions in the page."""
    contents = parcel(view)
    data = gzip.decompress(b64decode(contents["weights"]))
    found = []
    for part in contents["parts"]:
        shape = len(part["layers"]), len(part["heads"])
        rows, columns, size = len(part["queries"]), len(part["keys"]), part["size"]
        at, arrays = part["start"], []
        for kind, tail in (("<u2", (rows, columns)), ("<i2", (rows, size)), ("<i2", (columns, size))):
            count = int(np.prod(shape + tail))
            arrays.append(np.frombuffer(data, kind, count, at).reshape(shape + tail).astype(float))
            at += 2 * count
        steps = [np.array(part[name])[..., None, None] for name in ("query_steps", "key_steps")]
        found.append(
            Found(
                arrays[0] / 65535, arrays[1] * steps[0], arrays[2] * steps[1], list(part["layers"]), list(part["heads"])
            )
        )
    return found
