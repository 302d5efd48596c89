"""load(): a model by its role, from verified files, with eager attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.models.catalogue import read_catalogue
from course.models.entries import PROFILES, Entry, Role
from course.models.errors import ModelError, unknown
from course.models.model import Model, joined
from course.models.modules import first_line
from course.models.readers import reader

if TYPE_CHECKING:
    import torch


def load(
    role: str,
    *,
    stage: str = "trained",
    seed: int = 0,
    profile: str = "shipped",
    device: str | None = None,
    catalogue: str | Path | None = None,
) -> Model:
    """A model by its role in the catalogue, such as "minilm".

    ``stage`` is "trained", "pretrained" (before fine-tuning: the pre-trained body, and a head drawn anew) or
    "random" (before all training: every weight drawn anew); what is drawn depends on ``seed`` and on nothing
    else. ``profile`` is "shipped" (works with no network) or "hub" (the full-size checkpoint, downloaded on
    first use). ``device`` is "cpu", "cuda", "cuda:1" or "mps"; without one, cuda is taken if there is one, else
    mps, else cpu. ``catalogue`` is the path of another catalogue file.

    Every file is checked against its sha256 before it is read; only safetensors weights are read, and no code
    of a repository is run. Attention is eager, weights are float32, dropout is off. Nothing is printed, but a
    download shows a bar in a terminal.

    Raises ModelError for an unknown role, stage, profile or device, and when the files cannot be had or do not
    fit their entry in the catalogue.

    >>> load("minilm", device="cpu").layers
    6
    >>> load("minilm", stage="random", seed=1, device="cpu").title
    'all-MiniLM-L6-v2 (random, seed 1)'
    """
    # Imported here, for hashing and temporary folders take time to import.
    from course.models.stages import Sources, check_seed, check_stage

    entry = _entry(read_catalogue(catalogue), role, profile)
    check_stage(entry, stage)
    drawn = None if stage == "trained" else check_seed(seed)
    _quiet_bars()
    where = _device(device)
    sources = Sources.of(entry, stage)
    with sources.laid_out() as folders, _silent():
        module = _moved(sources.module(folders, drawn or 0), where, entry)
        tokenizer = reader(entry, folders.reading, sources.reading.paths, module)
    title = entry.title if drawn is None else f"{entry.title} ({stage}, seed {drawn})"
    _name(module, tokenizer, title)
    model = joined(module, tokenizer, name=entry.name, labels=entry.labels or None)
    sources.keep()
    learnt = (entry.base or entry.pretrained or entry) if stage == "pretrained" else entry
    return replace(
        model,
        role=entry.role,
        profile=entry.profile,
        title=title,
        task=entry.task,
        source=learnt.source,
        licence=learnt.licence,
        scores=entry.scores if drawn is None else (),  # measured on the trained weights only
        stage=stage,
        seed=drawn,
    )


def _entry(catalogue: dict[str, Role], role: str, profile: str) -> Entry:
    if role not in catalogue:
        raise unknown("role", role, catalogue)
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    shipped, hub = catalogue[role].shipped, catalogue[role].hub
    entry, other = (shipped, "hub") if profile == "shipped" else (hub, "shipped")
    if entry is None:
        raise ModelError(f'{role} has no {profile} entry; use profile="{other}"')
    return entry


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
    # transformers 5 draws a bar for the weights and reports unexpected keys, which `modules` judges instead.
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
    from course.models import bars  # noqa: F401


def _moved(module: Any, device: torch.device, entry: Entry) -> Any:
    try:
        return module.to(device)
    except RuntimeError as error:  # out of memory, or a driver that does not answer
        raise ModelError(f'{entry.name} cannot be put on {device} ({first_line(error)}); use device="cpu"') from error


def _name(module: Any, tokenizer: Any, title: str) -> None:
    """Let module and tokenizer carry the model's name, instead of the folder that they were staged in."""
    module.config._name_or_path = module.name_or_path = title
    if hasattr(tokenizer, "name_or_path"):
        tokenizer.name_or_path = title
