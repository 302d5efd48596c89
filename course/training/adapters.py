"""Adapters: MiniLM with low-rank matrices beside its own (LoRA, Hu et al. 2021), and a head for the task."""

from __future__ import annotations

import warnings
from typing import Any

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
