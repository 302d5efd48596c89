"""Converted weights: the safetensors that a person had made of a pickle, in a folder beside the hub cache."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from course.models.entries import Entry
from course.models.errors import ModelError

if TYPE_CHECKING:
    import torch

PICKLE, WEIGHTS = "pytorch_model.bin", "model.safetensors"
"""What is converted, and into what."""


def converted(repo: str, revision: str) -> Path:
    """Where the converted weights of a repository at a revision lie, if there are any."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    beside: Path = Path(constants.HF_HUB_CACHE).expanduser().parent
    folder = str(repo_folder_name(repo_id=repo, repo_type="model"))
    return beside.joinpath("attention-course-converted", folder, revision, WEIGHTS)


def command(entry: Entry) -> str:
    """What a person runs to have the weights of an entry converted."""
    return f"run python -m course models pull {entry.role} --profile {entry.profile} --convert"


def write(tensors: Mapping[str, torch.Tensor], place: Path) -> None:
    """Put a safetensors file of these tensors in place, whole or not at all; the same tensors give the same bytes.

    The tensors must be contiguous and share no memory. Raises ModelError when the file cannot be written.
    """
    from huggingface_hub.utils import WeakFileLock
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    unfinished = place.with_name("unfinished")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(place.with_name(".guard")), _emptied(unfinished):
            file = unfinished / place.name
            file.touch()
            mode = file.stat().st_mode
            # One word of metadata, for safetensors 0.8 writes several in random order.
            save_file(dict(tensors), file, metadata={"format": "pt"})
            file.chmod(mode)  # safetensors 0.8 lets nobody else read what it writes
            file.replace(place)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise ModelError(f"{place} cannot be written ({reason}); make room, or set HF_HOME to another folder") from None


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """An empty folder, removed at the end; what a killed process has left in it is removed before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
