"""Pickled checkpoints: their tensors, read so that nothing in the file can run. `load` never comes here."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.models.errors import ModelError

if TYPE_CHECKING:
    import torch


def read_pickle(path: Path, what: str) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint that torch.save wrote, by name; ``what`` is what messages call the file.

    A pickle is a list of steps, and most readers take every step that it names. ``torch.load(weights_only=True)``
    takes only those that make tensors, and stops at the first other one. The known holes in that, CVE-2025-32434
    and CVE-2026-24747, are closed since torch 2.6 and 2.10; this package requires 2.13. Read are the zip format,
    which torch.save writes since 1.6, and the one before it, in which many checkpoints of 2020 are published.

    Every tensor is contiguous and has memory of its own, as safetensors needs it. Tied weights become copies, so
    that no name is lost, and nothing must be known of how an architecture ties them.

    Raises ModelError when the file is of another format, holds anything but names and tensors, or is damaged.
    """
    mapped = _check_format(path, what)  # only the zip format can be mapped instead of read into memory
    return _apart(_checked(_content(path, what, mapped), what))


_ELSE = "name a revision with safetensors weights in the catalogue, or another checkpoint"


ZIP = b"PK\x03\x04"
BEFORE_ZIP = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
"""How a file begins that torch before 1.6 saved: with this number, itself a pickle."""


def _check_format(path: Path, what: str) -> bool:
    """Whether the file is of the zip format; raises ModelError when it is of neither."""
    with path.open("rb") as file:
        start = file.read(len(BEFORE_ZIP))
    if start == BEFORE_ZIP:
        return False
    if not start.startswith(ZIP):
        raise ModelError(f"{what} does not begin as torch.save begins a file, and is not read; {_ELSE}")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise ModelError(f"{what} is a damaged zip file; delete {path.resolve()} and pull again") from None
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):  # torch would map packed bytes as numbers
        raise ModelError(f"{what} is compressed, as torch.save writes none; {_ELSE}")
    return True


def _content(path: Path, what: str, mapped: bool) -> Any:
    import torch

    # No error of torch is quoted: it recommends weights_only=False.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError:
        raise ModelError(
            f"{what} holds something else than tensors, which could run code and was not run; {_ELSE}"
        ) from None
    except Exception as error:  # a pickle that someone has tampered with raises any kind
        raise ModelError(f"{what} is no checkpoint of torch ({type(error).__name__}); {_ELSE}") from None


def _checked(content: Any, what: str) -> dict[str, torch.Tensor]:
    if not isinstance(content, dict):
        raise _not_flat(what, f"it is a {type(content).__name__}")
    if not content:
        raise _not_flat(what, "it is empty")
    for name, value in content.items():
        if not isinstance(name, str):
            raise _not_flat(what, f"{name!r:.40} is no name")
        if not _is_plain(value):
            raise _not_flat(what, f"{name[:80]} is a {_kind(value)}")
    return content


def _not_flat(what: str, found: str) -> ModelError:
    return ModelError(f"{what} is not a flat table of names and tensors ({found}); {_ELSE}")


def _is_plain(value: Any) -> bool:
    """Whether it is a tensor whose numbers lie in memory as they are."""
    import torch

    whole = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and (value.is_floating_point() or value.dtype in whole)
        and not value.is_neg()
    )


def _kind(value: Any) -> str:
    import torch

    return "tensor of another kind" if isinstance(value, torch.Tensor) else type(value).__name__


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    apart, taken = {}, set()
    for name, tensor in sorted(tensors.items()):
        dense = tensor.detach().contiguous()
        memory = dense.untyped_storage().data_ptr()
        apart[name] = dense.clone() if memory in taken else dense
        taken.add(memory)
    return apart
