"""One file of the hub into its cache; a download that broke off goes on where it stopped."""

from __future__ import annotations

import errno
import re
import sys
from hashlib import file_digest
from pathlib import Path
from typing import Any

from course.models.errors import ModelError
from course.models.refusals import reason, refused


def download(repo: str, revision: str, name: str) -> Path:
    """Where the hub cache keeps the file, once it is there; a terminal shows a bar.

    Raises ModelError when the hub does not give the file, when the cache cannot be written, and when the
    download breaks off; what has arrived is kept, and the next try goes on from there.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils.tqdm import silent_tqdm

    bar = None if sys.stderr.isatty() else silent_tqdm  # a notebook keeps what a bar prints
    try:
        _fill(repo, revision, name, bar)
        return Path(hf_hub_download(repo, name, revision=revision, tqdm_class=bar))
    except HfHubHTTPError as error:
        raise refused(error, repo, revision, name) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise ModelError(
                f"{name} of {repo} cannot be written to the hub cache ({error.strerror}); make room, "
                "or set HF_HOME to another folder"
            ) from None
        raise _broken_off(error, repo, name) from None
    except Exception as error:  # the transports below huggingface_hub (httpx, xet) each have their own kinds
        raise _broken_off(error, repo, name) from error


def _fill(repo: str, revision: str, name: str, bar: Any) -> None:
    """Bring a large file into the cache, where hf_hub_download then finds it.

    hf_hub_download of huggingface_hub 2.4 throws away what a broken download brought and begins again. The
    hub names large files by their sha256; small ones have another name, and come in one piece.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import WeakFileLock, build_hf_headers

    url = hf_hub_url(repo, name, revision=revision)
    known = get_hf_file_metadata(url)
    if known.size is None or known.etag is None or not re.fullmatch(r"[0-9a-f]{64}", known.etag):
        return
    folder = Path(constants.HF_HUB_CACHE).expanduser() / repo_folder_name(repo_id=repo, repo_type="model")
    blob, part = folder / "blobs" / known.etag, folder / "unfinished" / known.etag
    for needed in (blob, part):
        needed.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(part.with_suffix(".lock")):
        if blob.exists():
            return
        with part.open("ab") as file:
            http_get(
                url, file, resume_size=min(file.tell(), known.size), headers=build_hf_headers(),
                expected_size=known.size, displayed_filename=name, tqdm_class=bar,
            )  # fmt: skip
        with part.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != known.etag:
            part.unlink()
            raise OSError("what arrived is not the file that the hub names")
        part.replace(blob)


def _broken_off(error: Exception, repo: str, name: str) -> ModelError:
    return ModelError(
        f"the download of {name} of {repo} broke off ({reason(error)}); try again: what has arrived is kept"
    )
