"""What the hub's answers mean to a person who wanted a file of it."""

from __future__ import annotations

from course.models.converted import PICKLE, WEIGHTS
from course.models.errors import Absent, ModelError, Pickled
from course.models.lock import accept


def refused(error: Exception, repo: str, revision: str, name: str) -> Exception:
    """What an answer of the hub other than the file means."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, EntryNotFoundError):
        return _lacking(repo, revision, name)
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


def reason(error: BaseException) -> str:
    """The kind of an error and its first line, to stand inside a sentence."""
    first = str(error).strip().splitlines()[:1]
    return f"{type(error).__name__}: {first[0].rstrip('.')}" if first else type(error).__name__


def _lacking(repo: str, revision: str, name: str) -> ModelError:
    pickled_at = _revision_with(repo, revision, PICKLE) if name == WEIGHTS else None
    if pickled_at:
        return Pickled(
            f"{repo} has no {WEIGHTS} at revision {pickled_at[:12]}, only pickled weights ({PICKLE}), "
            "which can run code and are never loaded",
            repo,
            pickled_at,
        )
    what = f"{repo} has no {name} at revision {revision[:12]}"
    if name.endswith(".safetensors"):
        return ModelError(f"{what}; choose a revision with safetensors weights, for no others are loaded")
    return ModelError(f"{what}; correct the list of files in the catalogue")


def _revision_with(repo: str, revision: str, name: str) -> str | None:
    """The revision (40 hex digits) under which the hub has a file; None where it has none, or does not answer."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HTTPError

    try:
        commit = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision)).commit_hash
    except (HTTPError, OSError):
        return None
    return str(commit) if commit else None
