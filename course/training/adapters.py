"""Adapters: MiniLM with low-rank matrices beside its own (LoRA, Hu et al. 2021), and a head for the task."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import course
from course.models.entries import TASKS

LAYERS = (
    r".*\.layer\.\d+\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"
)
"""Every matrix of BERT's layers; a plain "dense" would also catch the pooler."""


def adapted(task: str, *, rank: int, heads: list[str], **config: Any) -> tuple[Any, Any]:
    """MiniLM with a fresh head for the task and a fresh adapter of this rank, and its tokenizer.

    ``heads`` are the modules that are learnt whole, such as ["classifier"]; ``config`` goes to the model's
    configuration (labels, dropout). Seed before the call: head and adapter start at random.
    """
    import transformers
    from peft import LoraConfig, get_peft_model

    base = course.load("minilm", device="cpu")
    settings = type(base.module.config).from_dict({**base.module.config.to_dict(), **config})
    auto = getattr(transformers, TASKS[task].auto_class)
    module = auto.from_config(settings, attn_implementation="sdpa")  # quicker; load() takes eager
    body = base.module.state_dict()
    fresh = module.base_model.load_state_dict(body, strict=False)
    if fresh.missing_keys:
        raise ValueError(f"MiniLM lacks {fresh.missing_keys[0]} of {type(module).__name__}")
    # No dropout of its own: BERT's remains, and drawing another mask for each matrix cost a fifth of the time.
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=LAYERS, modules_to_save=heads, bias="none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft 0.21 asks transformers 5.23 by a deprecated name
        return get_peft_model(module, lora), base.tokenizer


def learnt(module: Any) -> dict[str, Tensor]:
    """A copy of what is learnt of an adapted module, by name."""
    return {key: p.detach().clone() for key, p in module.named_parameters() if p.requires_grad}


def mix(module: Any, members: Sequence[Mapping[str, Tensor]]) -> None:
    """Put the average of several adapters into a module whose rank is the sum of theirs (Wortsman et al. 2022).

    What an adapter adds to a matrix is a product BA; the average of such products is the product of their
    parts side by side, so nothing is lost. Heads are averaged as they are: members must have started alike.
    """
    count = len(members)
    joined = {}
    for key in members[0]:
        parts = [member[key] for member in members]
        if "lora_A" in key:
            joined[key] = torch.cat(parts, dim=0)
        elif "lora_B" in key:
            joined[key] = torch.cat(parts, dim=1) / count
        else:
            joined[key] = torch.stack(parts).mean(0)
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(joined.pop(key))
    if joined:
        raise ValueError(f"the module has no {next(iter(joined))}")
