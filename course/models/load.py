"""load(): a model by its role, from verified files, with eager attention."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.models.catalogue import PROFILES, TASKS, Entry, Role, read_catalogue
from course.models.errors import ModelError
from course.models.model import Model, wrap

if TYPE_CHECKING:
    import torch


def load(
    role: str, *, profile: str = "shipped", device: str | None = None, catalogue: str | Path | None = None
) -> Model:
    """A model by its role in the catalogue, such as "minilm".

    ``profile`` is "shipped" (works with no network) or "hub" (the full-size checkpoint, downloaded on first
    use). ``device`` is "cpu", "cuda", "cuda:1" or "mps"; without one, cuda is taken if there is one, else mps,
    else cpu. ``catalogue`` is the path of another catalogue file.

    Every file is checked against its sha256 before it is read; only safetensors weights are read, and no code
    of a repository is run. Attention is eager, weights are float32, dropout is off. Nothing is printed, but a
    download shows a bar in a terminal.

    Raises ModelError for an unknown role, profile or device, and when the files cannot be had or do not fit
    their entry in the catalogue.

    >>> load("minilm", device="cpu").layers
    6
    """
    # Imported here, for hashing and temporary folders take time to import.
    from course.models.files import find, staged

    entry = _entry(read_catalogue(catalogue), role, profile)
    _quiet_bars()
    where = _device(device)
    files = find(entry)
    with staged(files.paths) as folder, _silent():
        module = _moved(_module(entry, folder), where, entry)
        tokenizer = _tokenizer(entry, folder)
    _name(module, tokenizer, entry.title)
    model = wrap(module, tokenizer, name=entry.name, labels=entry.labels or None)
    files.keep()
    # Another stage than "trained" (before fine-tuning, before all training) will be chosen here.
    return replace(
        model,
        role=entry.role,
        profile=entry.profile,
        title=entry.title,
        task=entry.task,
        source=entry.source,
        licence=entry.licence,
        scores=entry.scores,
    )


def _entry(catalogue: dict[str, Role], role: str, profile: str) -> Entry:
    if role not in catalogue:
        raise _unknown("role", role, list(catalogue))
    if profile not in PROFILES:
        raise _unknown("profile", profile, list(PROFILES))
    shipped, hub = catalogue[role].shipped, catalogue[role].hub
    entry, other = (shipped, "hub") if profile == "shipped" else (hub, "shipped")
    if entry is None:
        raise ModelError(f'{role} has no {profile} entry; use profile="{other}"')
    return entry


def _unknown(kind: str, given: object, valid: list[str]) -> ModelError:
    close = get_close_matches(str(given), valid, n=1)
    fix = f"did you mean {close[0]!r}?" if close else "choose one of these"
    return ModelError(f"there is no {kind} {given!r}, only {', '.join(map(repr, valid))}; {fix}")


def _device(asked: str | None) -> torch.device:
    import torch

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if asked is None:
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    try:
        device = torch.device(asked)
    except (RuntimeError, TypeError):
        device = None
    there = {"cpu": 1, "cuda": cuda, "mps": int(mps)}
    if device is None or device.type not in there:
        raise ModelError(f'there is no device {asked!r}; use "cpu", "cuda", "cuda:1" or "mps"')
    if (device.index or 0) >= there[device.type]:
        found = [name for name, count in there.items() if count]
        raise ModelError(f"this machine has no device {asked!r}; use {' or '.join(found)}, or leave device out")
    return device


@contextmanager
def _silent() -> Iterator[None]:
    # transformers 5 draws a bar for the weights and reports unexpected keys, which _module judges instead.
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    hook = logging.set_tqdm_hook(lambda factory, args, kwargs: logging.EmptyTqdm(*args, **kwargs))
    try:
        yield
    finally:
        logging.set_tqdm_hook(hook)
        logging.set_verbosity(level)


def _quiet_bars() -> None:
    # tqdm 4 warns on import in every notebook without ipywidgets, although its plain bar serves as well.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tqdm.auto  # noqa: F401


def _module(entry: Entry, folder: Path) -> Any:
    import torch
    import transformers

    auto = getattr(transformers, TASKS[entry.task].auto_class)
    try:
        module, report = auto.from_pretrained(
            folder,
            attn_implementation="eager",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # transformers and safetensors raise many kinds for a checkpoint that is none
        raise _unreadable(entry, folder, error) from error
    if type(module).__name__ != entry.architecture:
        raise ModelError(
            f"{entry.name} is a {type(module).__name__}, but the catalogue expects a {entry.architecture}; "
            "correct its architecture or task there"
        )
    _check_complete(entry, module, set(report["missing_keys"]))
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


def _tokenizer(entry: Entry, folder: Path) -> Any:
    import transformers

    images = entry.task == "image-classification"
    auto: Any = transformers.AutoImageProcessor if images else transformers.AutoTokenizer
    try:
        return auto.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # as in _module
        raise _unreadable(entry, folder, error) from error


def _moved(module: Any, device: torch.device, entry: Entry) -> Any:
    try:
        return module.to(device)
    except RuntimeError as error:  # out of memory, or a driver that does not answer
        raise ModelError(f'{entry.name} cannot be put on {device} ({_first(error)}); use device="cpu"') from error


def _unreadable(entry: Entry, folder: Path, error: Exception) -> ModelError:
    reason = _first(error).replace(str(folder), entry.title)
    return ModelError(
        f"{entry.name}: transformers cannot read the checkpoint ({reason}); check its files and task in the catalogue"
    )


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200].rstrip('.')}"


def _name(module: Any, tokenizer: Any, title: str) -> None:
    """Let module and tokenizer carry the model's name, instead of the folder that they were staged in."""
    module.config._name_or_path = module.name_or_path = title
    if hasattr(tokenizer, "name_or_path"):
        tokenizer.name_or_path = title
