"""pull(): fetch the files of an entry ahead, so that loading it needs no network later."""

from __future__ import annotations

from dataclasses import replace

from course.models.converted import PICKLE, converted, write
from course.models.entries import Entry, HubMirror
from course.models.errors import ModelError, Pickled
from course.models.files import Files, find


def pull(entry: Entry, *, convert: bool = False) -> Files:
    """All files of an entry, downloaded where they are not here yet, and locked as after a first `load`.

    The small files come first: without weights, what was never trained can still be loaded. With ``convert``,
    weights that the hub has as a pickle only are turned into safetensors, and what they were made of is locked
    with them.

    Raises ModelError when the files cannot be had, and when the weights are none.
    """
    find(entry, entry.without_weights).keep()
    try:
        found = find(entry)
    except Pickled as pickled:
        if not convert:
            raise
        _convert(entry, pickled)
        found = find(entry)
    for name in entry.weights:
        if name.endswith(".safetensors"):
            _check_weights(entry, found, name)
    found.keep()
    return found


def _convert(entry: Entry, pickled: Pickled) -> None:
    from course.models.pickles import read_pickle

    repository = HubMirror(pickled.repo, pickled.revision)
    source = find(replace(entry, mirrors=(repository,)), [PICKLE])
    try:
        tensors = read_pickle(source.paths[PICKLE], f"{PICKLE} of {pickled.repo}")
        write(tensors, converted(pickled.repo, pickled.revision))
    except ModelError as error:
        raise ModelError(f"{entry.name}: {error}") from None
    source.keep()


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
