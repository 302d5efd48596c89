"""Causal models made by hand, and small ones of other architectures than GPT-2."""

from __future__ import annotations

from functools import cache

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM

import course
from tests import tiny


def _built(kind: type, config: object, name: str) -> course.Model:
    torch.manual_seed(1)
    module = kind._from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(8 if parameter.dim() == 2 else 1).add_(0.1 * torch.randn(parameter.shape))
    return course.wrap(module, tiny.byte_pairs(marks=False), name=name)


@cache
def llama(tied: bool = False) -> course.Model:
    config = LlamaConfig(
        vocab_size=330, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=tied, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    return _built(LlamaForCausalLM, config, "tiny Llama")


@cache
def opt() -> course.Model:
    config = OPTConfig(
        vocab_size=330, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=64, word_embed_proj_dim=32, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    return _built(OPTForCausalLM, config, "tiny OPT")


@cache
def gpt2(tied: bool = False) -> course.Model:
    config = GPT2Config(
        vocab_size=330, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=0, eos_token_id=2,
        tie_word_embeddings=tied,
    )  # fmt: skip
    return _built(GPT2LMHeadModel, config, "another GPT-2")


def empty_gpt2() -> course.Model:
    """GPT-2 whose layers add nothing, without positions: its hidden state is the word vector, everywhere."""
    model = gpt2.__wrapped__()
    with torch.no_grad():
        for name, parameter in model.module.named_parameters():
            if "c_proj" in name or "wpe" in name:
                parameter.zero_()
    return model
