"""pull(): fetch the files of an entry ahead, so that loading it needs no network later."""

from __future__ import annotations

from course.models.entries import Entry
from course.models.errors import ModelError
from course.models.files import Files, find


def pull(entry: Entry) -> Files:
    """All files of an entry, downloaded where they are not here yet, and locked as after a first `load`.

    The small files come first: without weights, what was never trained can still be loaded.

    Raises ModelError when the files cannot be had, and when the weights are none.
    """
    find(entry, entry.without_weights).keep()
    found = find(entry)
    for name in entry.weights:
        if name.endswith(".safetensors"):
            _check_weights(entry, found, name)
    found.keep()
    return found


def _check_weights(entry: Entry, found: Files, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(found.paths[name], framework="np") as tensors:
            tensors.keys()
    except SafetensorError as error:
        raise ModelError(
            f"{entry.name}: {name} holds no weights ({str(error).rstrip('.')}); delete {found.paths[name].resolve()} "
            "and pull again"
        ) from None
