"""Model files of the hub: from its cache on this machine first, then one by one over the network."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from course.models.errors import Absent, ModelError
from course.models.lock import accept

CONNECT = "connect to the network once and load again"


def from_hub(repo: str, revision: str | None, names: Sequence[str]) -> tuple[str, dict[str, Path]]:
    """The revision, and where the hub cache keeps each file; what it lacks is downloaded first.

    Without a revision, the one that the cache knows as "main" is taken, else the hub's present one. With
    HF_HUB_OFFLINE set, nothing is asked of the network.

    Raises Absent when a file is not cached and the hub cannot be reached, and ModelError when the hub
    answers but does not give the file, or when a download breaks off.
    """
    with _silent():
        revision = revision or _cached_revision(repo) or _ask(repo, "main", names[0])
        paths = _cached(repo, revision, names)
        missing = [name for name in names if name not in paths]
        if missing:
            _ask(repo, revision, missing[0])
            paths.update({name: _download(repo, revision, name) for name in missing})
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
    return {name: Path(path) for name, path in found.items() if isinstance(path, str)}


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
        raise _refused(error, repo, revision, name) from None
    except (HTTPError, OSError) as error:
        raise Absent(
            f"{wanted} is not in the hub cache and the hub cannot be reached ({_reason(error)})", CONNECT
        ) from None
    if commit is None:
        raise Absent(
            f"{wanted} is not in the hub cache, and what answers for the hub is not one",
            "sign in to your network and check HF_ENDPOINT",
        )
    return str(commit)


def _download(repo: str, revision: str, name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils.tqdm import silent_tqdm

    bar = None if sys.stderr.isatty() else silent_tqdm  # a notebook keeps what a bar prints
    try:
        return Path(hf_hub_download(repo, name, revision=revision, tqdm_class=bar))
    except HfHubHTTPError as error:
        raise _refused(error, repo, revision, name) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise ModelError(
                f"{name} of {repo} cannot be written to the hub cache ({error.strerror}); make room, "
                "or set HF_HOME to another folder"
            ) from None
        raise _broken_off(error, repo, name) from None
    except Exception as error:  # the transports below huggingface_hub (httpx, xet) each have their own kinds
        raise _broken_off(error, repo, name) from error


def _broken_off(error: Exception, repo: str, name: str) -> ModelError:
    return ModelError(
        f"the download of {name} of {repo} broke off ({_reason(error)}); load again: what is complete is kept"
    )


def _refused(error: Exception, repo: str, revision: str, name: str) -> Exception:
    """What an answer of the hub other than the file means."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, EntryNotFoundError):
        return ModelError(f"{repo} has no {name} at revision {revision[:12]}; {_other(name)}")
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"{repo} has no revision {revision[:12]}; name one that it has in the catalogue, or {accept(repo)}"
        )
    if isinstance(error, GatedRepoError):
        return ModelError(f"{repo} asks for consent; accept its terms on the hub, then run hf auth login")
    if isinstance(error, RepositoryNotFoundError):
        return ModelError(
            f"the hub has no repository {repo} that you may read; check its name in the catalogue, "
            "or run hf auth login if it is private"
        )
    status = getattr(getattr(error, "response", None), "status_code", "an error")
    if status in (401, 403):
        return ModelError(
            f"the hub refuses {name} of {repo} ({status}); run hf auth login, or hf auth logout if your token is old"
        )
    return Absent(f"{name} of {repo} is not in the hub cache and the hub answers {status}", "load again later")


def _other(name: str) -> str:
    if name.endswith(".safetensors"):
        return (
            "choose a revision with safetensors weights, for pickled ones (pytorch_model.bin) can run code "
            "and are never read"
        )
    return "correct the list of files in the catalogue"


def _reason(error: BaseException) -> str:
    first = str(error).strip().splitlines()[:1]
    return f"{type(error).__name__}: {first[0].rstrip('.')}" if first else type(error).__name__
