"""One input for the tiny model of each architecture, so that a test can run them all alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import course
from tests import tiny

NAMES = ("bert", "distilbert", "roberta", "gpt2", "vit", "bart", "marian")


@dataclass(frozen=True)
class Reading:
    """A model and what it reads; calling it gives the logits, or the last hidden state."""

    model: course.Model
    inputs: dict[str, torch.Tensor]

    def outputs(self, **options: Any) -> Any:
        with torch.no_grad():
            return self.model.module(**self.inputs, **options)

    def __call__(self) -> torch.Tensor:
        found = self.outputs()
        return found.logits if "logits" in found else found.last_hidden_state


def reading(name: str, folder: Path, text: str = "the cat sat on the mat") -> Reading:
    model = tiny.marian(folder) if name == "marian" else getattr(tiny, name)()
    if name == "vit":
        return Reading(model, {"pixel_values": torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(3))})
    encoded = model.tokenizer(text, return_tensors="pt")
    inputs = {key: encoded[key] for key in ("input_ids", "token_type_ids", "attention_mask") if key in encoded}
    if model.encoder_decoder:
        inputs["decoder_input_ids"] = torch.tensor([[2, 7, 9, 11, 12]])
    return Reading(model, inputs)
