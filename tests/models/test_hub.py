from __future__ import annotations

import time
from pathlib import Path

import huggingface_hub.constants
import pytest

from course.models import ModelError
from course.models.converted import converted
from course.models.errors import Absent, Pickled
from course.models.hub import from_hub

REPO, REVISION = "school/tiny", "a1" * 20
NAMES = ("config.json", "model.safetensors")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let huggingface_hub try again at once."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def test_cached_files_are_taken_without_asking(hub, in_cache, files) -> None:
    snapshot = in_cache(files)
    revision, paths = from_hub(REPO, REVISION, NAMES)
    assert revision == REVISION
    assert paths == {name: snapshot / name for name in NAMES}
    assert hub.asked == []


def test_without_a_revision_the_cached_one_is_taken(in_cache, files) -> None:
    in_cache(files)
    assert from_hub(REPO, None, NAMES)[0] == REVISION


def test_without_a_revision_and_a_cache_the_present_one_is_taken(hub, files) -> None:
    hub.publish(files)
    revision, paths = from_hub(REPO, None, NAMES)
    assert revision == REVISION
    assert all(paths[name].read_bytes() == files[name] for name in NAMES)


def test_only_the_files_asked_for_are_downloaded(hub, in_cache, files) -> None:
    in_cache({"config.json": files["config.json"]})
    hub.publish({**files, "pytorch_model.bin": b"a pickle"})
    from_hub(REPO, REVISION, NAMES)
    assert {request.rsplit("/", 1)[1] for request in hub.asked} == {"model.safetensors"}


def test_offline_and_cached_needs_nothing(in_cache, files, monkeypatch) -> None:
    in_cache(files)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert set(from_hub(REPO, None, NAMES)[1]) == set(NAMES)


def test_offline_and_not_cached_is_absent(hub, files, monkeypatch) -> None:
    hub.publish(files)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(Absent) as absent:
        from_hub(REPO, REVISION, NAMES)
    assert absent.value.what == "config.json of school/tiny is not in the hub cache and HF_HUB_OFFLINE is set"
    assert absent.value.fix == "unset HF_HUB_OFFLINE, connect to the network once and load again"
    assert hub.asked == []


def test_a_hub_that_cannot_be_reached_is_absent_at_once(hub_cache) -> None:
    start = time.perf_counter()
    with pytest.raises(Absent, match=r"not in the hub cache and the hub cannot be reached \(ConnectError: .*refused"):
        from_hub(REPO, REVISION, NAMES)
    assert time.perf_counter() - start < 5


def test_a_hub_that_cannot_be_reached_does_no_harm_to_cached_files(in_cache, files) -> None:
    in_cache(files)
    assert set(from_hub(REPO, REVISION, NAMES)[1]) == set(NAMES)


def test_a_hub_in_trouble_is_absent(hub) -> None:
    hub.status = 503
    with pytest.raises(Absent, match=r"config.json of school/tiny is not in the hub cache and the hub answers 503"):
        from_hub(REPO, REVISION, NAMES)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_says_what_to_do(hub, status: int) -> None:
    hub.status = status
    with pytest.raises(ModelError, match=rf"^the hub refuses config.json of school/tiny \({status}\); run hf auth log"):
        from_hub(REPO, REVISION, NAMES)


def test_a_page_that_asks_to_sign_in_is_no_hub(hub) -> None:
    hub.status = 200
    with pytest.raises(Absent, match="and what answers for the hub is not one") as absent:
        from_hub(REPO, REVISION, NAMES)
    assert absent.value.fix == "sign in to your network and check HF_ENDPOINT"


def test_an_unknown_repository_names_itself(hub) -> None:
    with pytest.raises(ModelError, match=r"^the hub has no repository school/tiny that you may read; check its name"):
        from_hub(REPO, REVISION, NAMES)


def test_a_gated_repository_says_how_to_enter(hub, files) -> None:
    hub.publish(files)
    hub.gated.add(REPO)
    with pytest.raises(
        ModelError, match=r"^school/tiny asks for consent; accept its terms on the hub, then run hf auth"
    ):
        from_hub(REPO, REVISION, NAMES)


def test_an_unknown_revision_names_itself(hub, files) -> None:
    hub.publish(files)
    with pytest.raises(ModelError, match=r"^school/tiny has no revision e5e5e5e5e5e5; name one .* or delete"):
        from_hub(REPO, "e5" * 20, NAMES)


def test_a_file_missing_on_the_hub_names_itself(hub, files) -> None:
    hub.publish({"model.safetensors": files["model.safetensors"]})
    with pytest.raises(ModelError, match=r"^school/tiny has no config.json at revision a1a1a1a1a1a1; correct the list"):
        from_hub(REPO, REVISION, NAMES)


def test_a_repository_with_pickled_weights_only_is_refused(hub, files) -> None:
    hub.publish({"config.json": files["config.json"], "pytorch_model.bin": b"a pickle"})
    for names in (NAMES, NAMES[::-1]):
        with pytest.raises(Pickled) as refused:
            from_hub(REPO, None, names)
        assert str(refused.value) == (
            "school/tiny has no model.safetensors at revision a1a1a1a1a1a1, only pickled weights (pytorch_model.bin), "
            "which can run code and are never loaded"
        )
        assert (refused.value.repo, refused.value.revision) == (REPO, REVISION)
    assert not any(request.startswith("GET") and "pytorch_model.bin" in request for request in hub.asked)


def test_a_repository_without_weights_is_refused(hub, files) -> None:
    hub.publish({"config.json": files["config.json"]})
    with pytest.raises(ModelError) as refused:
        from_hub(REPO, REVISION, NAMES)
    assert str(refused.value) == (
        "school/tiny has no model.safetensors at revision a1a1a1a1a1a1; choose a revision with safetensors weights, "
        "for no others are loaded"
    )


def test_converted_weights_stand_in_for_those_that_the_cache_lacks(in_cache, files) -> None:
    in_cache({"config.json": files["config.json"]})
    made = converted(REPO, REVISION)
    made.parent.mkdir(parents=True)
    made.write_bytes(b"converted")
    assert from_hub(REPO, REVISION, NAMES)[1]["model.safetensors"] == made
    snapshot = in_cache({"model.safetensors": files["model.safetensors"]})
    assert from_hub(REPO, REVISION, NAMES)[1]["model.safetensors"] == snapshot / "model.safetensors"


def test_a_download_shows_no_bar_outside_a_terminal(hub, files, capfd, monkeypatch) -> None:
    monkeypatch.setenv("TQDM_POSITION", "-1")  # huggingface_hub then draws bars everywhere, as it does in a notebook
    hub.publish(files)
    from_hub(REPO, REVISION, NAMES)
    assert capfd.readouterr() == ("", "")


def test_a_download_that_breaks_off_leaves_no_half_file(hub, hub_cache: Path, files, no_waiting, log_lines) -> None:
    hub.publish(files)
    hub.breaks_off.add("model.safetensors")
    with pytest.raises(
        ModelError,
        match=r"^the download of model.safetensors of school/tiny broke off \(.+\); try again: what has arr",
    ):
        from_hub(REPO, REVISION, NAMES)
    kept = [path.read_bytes() for path in hub_cache.rglob("*") if path.parent.name == "blobs"]
    assert kept == [files["config.json"]]
    hub.breaks_off.clear()
    _, paths = from_hub(REPO, REVISION, NAMES)
    assert paths["model.safetensors"].read_bytes() == files["model.safetensors"]
    assert log_lines == []


def test_a_full_disk_says_so(hub, files, monkeypatch) -> None:
    hub.publish(files)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    with pytest.raises(
        ModelError,
        match=r"config.json of school/tiny cannot be written to the hub cache \(No space left on device\); make",
    ):
        from_hub(REPO, REVISION, NAMES)
