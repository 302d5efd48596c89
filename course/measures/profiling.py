"""profile(): the measures of every head over a corpus, at about the cost of the model's forward passes.

The module is not called profile, because ``import course.profile`` would then hide the function.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from course.attention import AttentionError
from course.measures.batched import Masks, Side
from course.measures.corpus import Corpus, Reading, batches, padded, reading
from course.measures.profiles import EncoderDecoderProfile, Profile, ProfileError, Sums

if TYPE_CHECKING:
    from course.models import Model

_FORMAT = 1


def profile(
    model: Model,
    texts: Iterable[str | Sequence[str]],
    *,
    weigh: str = "tokens",
    truncate: bool = False,
    checkpoint: str | Path | None = None,
) -> Profile | EncoderDecoderProfile:
    """What each head does on a whole corpus: the measures of `course.measures`, a row a head, with their errors.

    ``texts`` is any iterable, also a generator, of strings or pairs of strings; it is read once, a window of 2,048
    texts at a time, and only running sums are kept, so memory does not grow with it. An encoder–decoder takes pairs
    (source, target) and gives an `EncoderDecoderProfile`. Texts of like length are computed together; padding
    counts nowhere, and the numbers are those of one text at a time up to rounding.

    With ``weigh`` "tokens" every row of the corpus counts the same, so long texts count more; with "texts" every
    text does (as in Clark et al. 2019). ``truncate`` cuts texts that are too long instead of raising InputError.

    With ``checkpoint``, a file is written after each window (beside its place, then renamed), and a call that
    finds it goes on from there, with the same result to the bit. It knows the model and the texts read by their
    sha256, and one of others, or of other settings, is refused. Delete it when you are done. A bar is shown in a
    terminal only.

    Misleads as the mean of anything does: a head with two habits has a mean that it never shows. Rows of special
    tokens count as all others do. See each measure for the rest.

    Raises InputError for a text that cannot be read (it names the text by its number), AttentionError where the
    model returns no attention, ProfileError where there are no texts, for an unknown ``weigh``, and for a foreign
    checkpoint.

    >>> import course
    >>> found = course.profile(course.load("minilm"), ["The cat sat on the mat", "It slept there"])
    >>> found.most("previous_token_share", 1)[0][:2]
    (0, 2)
    """
    if weigh not in ("tokens", "texts"):
        raise ProfileError(f"weigh must be 'tokens' or 'texts', not {weigh!r}")
    if model.reads_images:
        raise ProfileError(
            f"{model.title} reads images, and profile measures texts: measure course.attend(model, image) for each, "
            "and take the mean"
        )
    corpus = Corpus(texts)
    state = _State(model, weigh, truncate, None if checkpoint is None else Path(checkpoint))
    state.resume(corpus)
    with tqdm(
        total=corpus.total, initial=corpus.read, desc="profile", unit="text", disable=not sys.stderr.isatty()
    ) as bar:
        for window in corpus.windows():
            first = corpus.read - len(window)
            readings = [reading(model, item, first + i, truncate=truncate) for i, item in enumerate(window)]
            for batch in batches([one.longest for one in readings], _weights(model), model.device.type):
                state.add([readings[i] for i in batch])
                bar.update(len(batch))
            state.truncated += sum(one.dropped > 0 for one in readings)
            state.save(corpus)
    if not corpus.read:
        raise ProfileError("there is no text to measure: texts is empty (or a generator that was read before)")
    return state.result(corpus.read)


class _State:
    """The sums so far, by kind of attention, and the file that keeps them."""

    def __init__(self, model: Model, weigh: str, truncate: bool, path: Path | None) -> None:
        self.model, self.weigh, self.path = model, weigh, path
        self.sums: dict[str, Sums] = {}
        self.truncated = 0
        self.settings = {"format": _FORMAT, "weigh": weigh, "truncate": truncate}
        if path is not None:
            self.settings["model"] = fingerprint(model)

    def add(self, readings: Sequence[Reading]) -> None:
        """One batch through the model, and its sums."""
        for kind, (layers, masks) in _parts(self.model, readings).items():
            found = torch.stack([masks.sums(layer) for layer in layers])
            if kind not in self.sums:
                self.sums[kind] = Sums.empty(masks.names, len(layers), layers[0].shape[1])
            self.sums[kind].add(found, masks.counts, self.weigh)

    def result(self, texts: int) -> Profile | EncoderDecoderProfile:
        found = {
            kind: sums.profile(
                model=self.model.title, kind=kind, weigh=self.weigh, texts=texts, truncated=self.truncated
            )
            for kind, sums in self.sums.items()
        }
        return EncoderDecoderProfile(**found) if self.model.encoder_decoder else found["self"]

    def save(self, corpus: Corpus) -> None:
        if self.path is None:
            return
        kept = {
            "settings": self.settings, "read": corpus.read, "digest": corpus.digest, "truncated": self.truncated,
            "sums": {kind: asdict(sums) for kind, sums in self.sums.items()},
        }  # fmt: skip
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f"{self.path.name}.unfinished")
        torch.save(kept, unfinished)
        unfinished.replace(self.path)

    def resume(self, corpus: Corpus) -> None:
        """Take up what the file holds, and pass over the texts that it is of."""
        if self.path is None or not self.path.exists():
            return
        advice = f"delete {self.path.name} to begin anew, or give another file"
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            known = kept["settings"]
        except Exception as error:  # a damaged file ends in one of a dozen kinds of error
            raise ProfileError(f"{self.path.name} is no checkpoint of profile(): {advice}") from error
        for name, value in self.settings.items():
            if known.get(name) != value:
                what = "another model" if name == "model" else f"another {name}, {known.get(name)!r} and not {value!r}"
                raise ProfileError(f"the checkpoint is of {what}: {advice}")
        corpus.skip(kept["read"])
        if corpus.digest != kept["digest"]:
            raise ProfileError(f"the checkpoint is of other texts, at least among the first {kept['read']:,}: {advice}")
        self.truncated = kept["truncated"]
        self.sums = {kind: Sums(**saved) for kind, saved in kept["sums"].items()}


def fingerprint(model: Model) -> str:
    """The sha256 of what decides a model's attention: its weights, their names, its sizes and its tokenizer."""
    config = {
        key: value for key, value in model.module.config.to_dict().items()
        if key not in ("_name_or_path", "transformers_version")
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps([type(model.module).__name__, config], sort_keys=True, default=str).encode())
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    written = backend.to_str() if backend is not None else json.dumps(model.tokenizer.get_vocab(), sort_keys=True)
    digest.update(written.encode("utf-8", "surrogatepass"))
    for name, tensor in model.module.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy())
    return digest.hexdigest()


def _parts(model: Model, readings: Sequence[Reading]) -> dict[str, tuple[Sequence[Tensor], Masks]]:
    """The attentions of a batch by kind, each layer texts x heads x queries x keys, with what to sum."""
    extra = {"use_cache": False} if model.encoder_decoder or model.causal else {}
    with torch.no_grad():
        outputs = model.module(**padded(model, readings), **extra, output_attentions=True)
    source = Side.of([one.source for one in readings], model.device)
    if not model.encoder_decoder:
        masks = Masks.of(source, source, within=True, causal=model.causal)
        return {"self": (_layers(model, outputs, "attentions"), masks)}
    target = Side.of([one.target for one in readings if one.target is not None], model.device)
    masks_of = {
        "encoder": Masks.of(source, source, within=True, causal=False),
        "decoder": Masks.of(target, target, within=True, causal=True),
        "cross": Masks.of(target, source, within=False, causal=False),
    }
    return {kind: (_layers(model, outputs, f"{kind}_attentions"), masks) for kind, masks in masks_of.items()}


def _layers(model: Model, outputs: Any, field: str) -> list[Tensor]:
    layers = [layer.float() for layer in getattr(outputs, field, None) or () if layer is not None]
    if not layers:
        raise AttentionError(
            f"{model.title} returned no attention: load it with attn_implementation='eager' (course.load does)"
        )
    return layers


def _weights(model: Model) -> int:
    """Attention weights for two tokens: layers times heads."""
    return model.heads * (model.layers + 2 * (model.decoder_layers or 0))
