"""Model files of the hub: from its cache on this machine first, then one by one over the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from course.models.converted import WEIGHTS, converted
from course.models.downloads import download
from course.models.errors import Absent
from course.models.refusals import reason, refused

CONNECT = "connect to the network once and load again"


def in_cache(repo: str, revision: str | None, names: Sequence[str]) -> tuple[str, dict[str, Path]]:
    """The revision, and where the hub cache keeps each file; nothing is asked of the network.

    Weights that the cache lacks are those converted from a pickle of this revision, if a person had that done.

    Raises Absent when a file is not cached.
    """
    with _silent():
        revision = revision or _cached_revision(repo)
        paths = _cached(repo, revision, names) if revision else {}
    missing = [name for name in names if name not in paths]
    if revision is None or missing:
        raise Absent(f"{missing[0]} of {repo} is not in the hub cache", CONNECT)
    return revision, paths


def from_hub(repo: str, revision: str | None, names: Sequence[str]) -> tuple[str, dict[str, Path]]:
    """The revision, and where the hub cache keeps each file; what it lacks is downloaded first.

    Without a revision, the one that the cache knows as "main" is taken, else the hub's present one. With
    HF_HUB_OFFLINE set, nothing is asked of the network.

    Raises Absent when a file is not cached and the hub cannot be reached, and ModelError when the hub
    answers but does not give the file, or when a download breaks off.
    """
    with _silent():
        first = next((name for name in names if name != WEIGHTS), WEIGHTS)  # weights may have been converted
        revision = revision or _cached_revision(repo) or _ask(repo, "main", first)
        paths = _cached(repo, revision, names)
        missing = [name for name in names if name not in paths]
        if missing:
            _ask(repo, revision, missing[0])
            paths.update({name: download(repo, revision, name) for name in missing})
    return revision, paths


@contextmanager
def _silent() -> Iterator[None]:
    # huggingface_hub 2.4 logs a line for each retry of a broken download; a failure is told once, at the end.
    from huggingface_hub.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _cached_revision(repo: str) -> str | None:
    from huggingface_hub import resolve_revision
    from huggingface_hub.errors import RevisionResolutionError

    try:
        return str(resolve_revision(repo, local_files_only=True).resolved)
    except RevisionResolutionError:
        return None


def _cached(repo: str, revision: str, names: Sequence[str]) -> dict[str, Path]:
    from huggingface_hub import try_to_load_from_cache

    found = {name: try_to_load_from_cache(repo, name, revision=revision) for name in names}
    paths = {name: Path(path) for name, path in found.items() if isinstance(path, str)}
    made = converted(repo, revision)
    if WEIGHTS in names and WEIGHTS not in paths and made.is_file():
        paths[WEIGHTS] = made
    return paths


def _ask(repo: str, revision: str, name: str) -> str:
    """The revision (40 hex digits) under which the hub has a file now.

    Asked before any download, because hf_hub_download of huggingface_hub 2.4 tries for 23 seconds to reach a
    hub that cannot be reached.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    wanted = f"{name} of {repo}"
    try:
        commit = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision)).commit_hash
    except OfflineModeIsEnabled:
        raise Absent(
            f"{wanted} is not in the hub cache and HF_HUB_OFFLINE is set", f"unset HF_HUB_OFFLINE, {CONNECT}"
        ) from None
    except HfHubHTTPError as error:
        raise refused(error, repo, revision, name) from None
    except (HTTPError, OSError) as error:
        raise Absent(
            f"{wanted} is not in the hub cache and the hub cannot be reached ({reason(error)})", CONNECT
        ) from None
    if commit is None:
        raise Absent(
            f"{wanted} is not in the hub cache, and what answers for the hub is not one",
            "sign in to your network and check HF_ENDPOINT",
        )
    return str(commit)
