"""From verified files to the transformers module: as trained, or before a part of its training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from course.models.entries import TASKS, Entry
from course.models.errors import ModelError


def trained(entry: Entry, folder: Path) -> Any:
    """The module of a checkpoint that has all of its weights."""
    with _drawing(seed=0):  # what is missing is drawn before it is refused or removed
        module, missing = _from_pretrained(entry, folder, folder)
    _check_complete(entry, module, missing)
    return module


def adapted(entry: Entry, folder: Path, body: Path) -> Any:
    """The module of the adapter in ``folder`` on the weights in ``body``, merged into an ordinary one."""
    from course.models.adapters import merge

    with _drawing(seed=0), _readable(entry, folder):
        module, missing = _from_pretrained(entry, folder, body)
        return merge(module, folder, entry, missing)


def pretrained(entry: Entry, folder: Path, body: Path, seed: int) -> Any:
    """The module with the pre-trained weights in ``body`` and a head drawn anew; the config is in ``folder``."""
    with _drawing(seed):
        module, missing = _from_pretrained(entry, folder, body)
    prefix = f"{module.base_model_prefix}."
    # Checkpoints of masked language models have no pooler: there it is a part of the head, and fresh.
    lacking = {key for key in missing if key.startswith(prefix) and not key.startswith(f"{prefix}pooler.")}
    _check_complete(entry, module, lacking)
    if not missing:
        raise ModelError(f"{entry.name} lacks no parameter before fine-tuning; give the catalogue another checkpoint")
    return module


def untrained(entry: Entry, folder: Path, seed: int) -> Any:
    """The module with nothing learnt: every weight drawn as transformers draws it before training."""
    import torch

    with _drawing(seed), _readable(entry, folder):
        module = _auto(entry).from_config(_config(folder), attn_implementation="eager", dtype=torch.float32)
    # Marian's sinusoids have no gradient when they are made anew, but have one when they are read from a file.
    return _as_expected(entry, module.requires_grad_(True))


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Draw random numbers from this seed, and leave those of the program as they were."""
    import torch

    with torch.random.fork_rng(devices=[]):  # modules are made on the CPU, and moved later
        torch.default_generator.manual_seed(seed)
        yield


def _auto(entry: Entry) -> Any:
    import transformers

    return getattr(transformers, TASKS[entry.task].auto_class)


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _from_pretrained(entry: Entry, folder: Path, body: Path) -> tuple[Any, set[str]]:
    """The module that the config in ``folder`` describes, with the weights in ``body``; what these lack."""
    import torch

    with _readable(entry, folder, body):
        module, report = _auto(entry).from_pretrained(
            body,
            config=_config(folder),
            attn_implementation="eager",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    return _as_expected(entry, module), set(report["missing_keys"])


def _as_expected(entry: Entry, module: Any) -> Any:
    if type(module).__name__ != entry.architecture:
        raise ModelError(
            f"{entry.name} is a {type(module).__name__}, but the catalogue expects a {entry.architecture}; "
            "correct its architecture or task there"
        )
    return module


def _check_complete(entry: Entry, module: Any, missing: set[str]) -> None:
    """Refuse a model of which a part is not in the checkpoint: transformers fills it with random numbers.

    What the checkpoint has and the model lacks (a pre-training head, position numbers) does no harm.
    """
    pooler = {key for key in missing if key.startswith("pooler.")}
    if pooler and entry.task == "encoder":
        module.pooler = None  # checkpoints of other tasks have none; removed, it cannot give random numbers
        missing -= pooler
    if missing:
        first = ", ".join(sorted(missing)[:3])
        raise ModelError(
            f"{entry.name}: the checkpoint lacks {len(missing)} of the parameters of {entry.architecture} "
            f"({first}); give the catalogue the task that it was trained for"
        )


@contextmanager
def _readable(entry: Entry, *folders: Path) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # transformers, peft and safetensors raise many kinds for a checkpoint that is none
        raise unreadable(entry, error, *folders) from error


def unreadable(entry: Entry, error: Exception, *folders: Path) -> ModelError:
    """The error for files that transformers does not take as a model or a tokenizer."""
    reason = first_line(error)
    for folder in folders:
        reason = reason.replace(str(folder), entry.title)
    return ModelError(
        f"{entry.name}: transformers cannot read the checkpoint ({reason}); check its files and task in the catalogue"
    )


def first_line(error: Exception) -> str:
    """The kind of an error and its first line, to stand inside a sentence."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.')}"
