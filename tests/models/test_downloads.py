from __future__ import annotations

import hashlib
import time
from pathlib import Path

import huggingface_hub.constants
import pytest

from course.models import ModelError
from course.models.downloads import download

REPO, REVISION = "school/tiny", "a1" * 20
WEIGHTS = "model.safetensors"


@pytest.fixture
def broken(hub, files, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A download that broke off in the middle; gives the content of the file."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # huggingface_hub then tries again at once
    monkeypatch.setattr(
        huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000
    )  # of real ones, it keeps 10 MB at a time
    hub.publish(files)
    hub.breaks_off.add(WEIGHTS)
    with pytest.raises(ModelError, match=r"broke off \(.+\); try again: what has arrived is kept$"):
        download(REPO, REVISION, WEIGHTS)
    hub.breaks_off.clear()
    hub.asked.clear()
    hub.ranges.clear()
    return files[WEIGHTS]


def unfinished(hub_cache: Path) -> list[Path]:
    return [path for path in hub_cache.rglob("unfinished/*") if path.suffix != ".lock"]


def test_a_broken_download_goes_on_where_it_stopped(hub, hub_cache: Path, broken: bytes) -> None:
    (part,) = unfinished(hub_cache)
    assert part.read_bytes() == broken[:5000]
    path = download(REPO, REVISION, WEIGHTS)
    assert path.read_bytes() == broken
    assert hub.ranges == ["bytes=5000-"]
    assert not unfinished(hub_cache)
    assert path.resolve().name == hashlib.sha256(broken).hexdigest()


def test_what_is_complete_is_not_asked_for_again(hub, broken: bytes) -> None:
    download(REPO, REVISION, WEIGHTS)
    hub.asked.clear()
    download(REPO, REVISION, WEIGHTS)
    assert not any(request.startswith("GET") for request in hub.asked)


def test_a_damaged_part_is_thrown_away(hub, hub_cache: Path, broken: bytes) -> None:
    (part,) = unfinished(hub_cache)
    part.write_bytes(b"x" * len(part.read_bytes()))
    with pytest.raises(
        ModelError, match=r"broke off \(OSError: what arrived is not the file that the hub names\); try"
    ):
        download(REPO, REVISION, WEIGHTS)
    assert not unfinished(hub_cache)
    assert download(REPO, REVISION, WEIGHTS).read_bytes() == broken


def test_a_part_that_is_too_long_is_thrown_away(hub, hub_cache: Path, broken: bytes) -> None:
    (part,) = unfinished(hub_cache)
    part.write_bytes(broken + b"more")
    with pytest.raises(ModelError, match="what arrived is not the file"):
        download(REPO, REVISION, WEIGHTS)
    assert download(REPO, REVISION, WEIGHTS).read_bytes() == broken


def test_a_small_file_comes_in_one_piece(hub, hub_cache: Path, files) -> None:
    hub.publish(files)
    hub.small.add("config.json")
    assert download(REPO, REVISION, "config.json").read_bytes() == files["config.json"]
    assert not list(hub_cache.rglob("unfinished"))


def test_a_terminal_shows_a_bar_that_begins_where_it_stopped(hub, broken: bytes, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    download(REPO, REVISION, WEIGHTS)
    shown = capsys.readouterr().err
    assert "model.safetensors: " in shown and "100%" in shown
    assert shown.lstrip("\r").startswith("model.safetensors:  50%")
