"""Adapters: the few weights that fine-tuning added, in peft's form, merged into the body they were trained on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.models.entries import Entry
from course.models.errors import ModelError

if TYPE_CHECKING:
    import torch


def merge(module: Any, folder: Path, entry: Entry, fresh: set[str]) -> Any:
    """The module with the adapter in ``folder`` added into its weights, and nothing of peft left.

    ``fresh`` names the parameters that the body lacks, such as the head; the adapter must bring them all.

    Raises ModelError when the adapter's tensors are not exactly those that fit the module, by name and shape,
    or when a fresh parameter would stay random.
    """
    import torch
    from safetensors.torch import load_file

    given = {name: tensor.float() for name, tensor in load_file(folder / "adapter_model.safetensors").items()}
    with torch.no_grad(), _quiet():
        from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict

        config = LoraConfig.from_pretrained(str(folder))
        if not isinstance(config, LoraConfig):
            raise ModelError(f"{entry.name}: its adapter is of the type {config.peft_type.value}; train one with LoRA")
        wrapped = PeftModel(module, config)
        # The default asks the hub for the base by its name, to see whether its vocabulary has grown.
        needed = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
        _check_tensors(entry, given, needed)
        random = sorted(name for name in fresh if _PREFIX + name not in given)
        if random:
            raise ModelError(
                f"{entry.name}: neither the base nor the adapter has {random[0]}; name its module in modules_to_save "
                "of adapter_config.json and train again"
            )
        set_peft_model_state_dict(wrapped, given)
        merged: Any = wrapped.merge_and_unload()
    return merged.requires_grad_(True)  # peft freezes what it wraps


_PREFIX = "base_model.model."
"""What peft puts before the name of every parameter."""


@contextmanager
def _quiet() -> Iterator[None]:
    # peft 0.21 asks transformers 5.23 for names that it deprecates, and each answer is a FutureWarning.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _check_tensors(entry: Entry, given: Mapping[str, torch.Tensor], needed: Mapping[str, torch.Tensor]) -> None:
    for what, names in (("lacks", needed.keys() - given.keys()), ("has a foreign", given.keys() - needed.keys())):
        if names:
            raise ModelError(
                f"{entry.name}: the adapter {what} {min(names).removeprefix(_PREFIX)} "
                f"({len(names)} such in all); check adapter_config.json and adapter_model.safetensors"
            )
    for name, tensor in given.items():
        found, wanted = (" × ".join(map(str, part.shape)) for part in (tensor, needed[name]))
        if found != wanted:
            raise ModelError(
                f"{entry.name}: {name.removeprefix(_PREFIX)} of the adapter is {found}, but its config.json and its "
                f"base need {wanted}; check the number of labels there"
            )
