from __future__ import annotations

import io
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import huggingface_hub.constants
import pytest
import safetensors.torch
import torch
from transformers import BertForPreTraining

from course.models import ModelError, load, read_catalogue
from course.models.converted import converted
from course.models.export import export
from course.models.files import here
from course.models.lock import lock_path, locked
from course.models.pull import pull
from course.models.shared import write_manifest
from course.models.verify import verify
from tests.models.conftest import digests
from tests.models.test_pickles import Trap

REPO, REVISION = "school/tiny", "a1" * 20


@pytest.fixture
def entry(hub_entry):
    return read_catalogue(hub_entry())["tiny"].hub


def test_what_is_pulled_loads_without_the_hub(hub, files, entry, hub_entry) -> None:
    hub.publish(files)
    pull(entry)
    hub.status = 503
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2


def test_a_second_pull_asks_nothing(hub, files, entry) -> None:
    hub.publish(files)
    pull(entry)
    hub.asked.clear()
    pull(entry)
    assert hub.asked == []


def test_what_is_pulled_is_locked(hub, files, sha256, entry) -> None:
    hub.publish(files)
    pull(entry)
    assert (locked(REPO).revision, locked(REPO).sha256) == (REVISION, sha256)


def test_all_files_are_of_one_revision(hub, files, entry, monkeypatch) -> None:
    hub.publish(files)
    publish_on_the_way(hub, {**files, "config.json": b"{}"}, monkeypatch)
    assert pull(entry).paths["config.json"].read_bytes() == files["config.json"]
    assert {path.parent.name for path in pull(entry).paths.values()} == {REVISION}


def publish_on_the_way(hub, files, monkeypatch) -> None:
    """Let the repository move on as soon as its small files are here."""
    import course.models.pull

    find = course.models.pull.find

    def then_publish(*arguments):
        found = find(*arguments)
        hub.publish(files, revision="e5" * 20)
        return found

    monkeypatch.setattr(course.models.pull, "find", then_publish)


def test_weights_that_are_none_are_refused_and_not_locked(hub, files, entry) -> None:
    hub.publish({**files, "model.safetensors": b"no weights"})
    with pytest.raises(
        ModelError, match=r"^tiny \(hub\): model.safetensors holds no weights \(.+\); delete .* pull again"
    ):
        pull(entry)
    assert "model.safetensors" not in locked(REPO).sha256


def test_where_weights_are_pickled_the_small_files_are_still_here(hub, files, entry, hub_entry) -> None:
    weights = files.pop("model.safetensors")
    hub.publish({**files, "pytorch_model.bin": weights})
    with pytest.raises(ModelError, match=r"has no model.safetensors at revision a1a1a1a1a1a1, only pickled weights"):
        pull(entry)
    hub.status = 503
    assert load("tiny", profile="hub", stage="random", device="cpu", catalogue=hub_entry()).layers == 2


# With a conversion.


COMMAND = "python -m course models pull tiny --profile hub --convert"


def as_pickle(state: Mapping[str, torch.Tensor]) -> bytes:
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


@pytest.fixture
def state(files) -> dict[str, torch.Tensor]:
    return safetensors.torch.load(files["model.safetensors"])


@pytest.fixture
def pickled(hub, files, state) -> dict[str, bytes]:
    """Publish the tiny checkpoint with pickled weights only; gives its files."""
    content = {name: files[name] for name in files if name != "model.safetensors"}
    content["pytorch_model.bin"] = as_pickle(state)
    hub.publish(content)
    return content


def test_converted_weights_load_without_the_hub(hub, pickled, state, entry, hub_entry, monkeypatch) -> None:
    pull(entry, convert=True)
    hub.status = 503
    hub.asked.clear()
    monkeypatch.setattr(torch, "load", None)  # no pickle is read any more
    module = load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).module
    assert module.state_dict().keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    load("tiny", profile="hub", device="cpu", catalogue=hub_entry())
    assert hub.asked == []


def test_without_the_option_load_and_pull_name_the_command(hub, pickled, entry, hub_entry) -> None:
    sentence = (
        "tiny (hub): school/tiny has no model.safetensors at revision a1a1a1a1a1a1, only pickled weights "
        "(pytorch_model.bin), which can run code and are never loaded; "
        f"run {COMMAND} to have safetensors made of them once"
    )
    with pytest.raises(ModelError) as refused:
        load("tiny", profile="hub", catalogue=hub_entry())
    assert str(refused.value) == sentence
    with pytest.raises(ModelError) as refused:
        pull(entry)
    fix = f', or delete "school/tiny" from the lock file {lock_path()} to accept what is there now'
    assert str(refused.value) == sentence + fix
    assert not any(request.startswith("GET") and "pytorch_model.bin" in request for request in hub.asked)
    assert not converted(REPO, REVISION).exists()


def test_what_is_converted_is_locked_with_what_it_was_made_of(pickled, entry) -> None:
    made = pull(entry, convert=True).paths["model.safetensors"]
    assert made == converted(REPO, REVISION)
    expected = digests({**pickled, "model.safetensors": made.read_bytes()})
    assert (locked(REPO).revision, locked(REPO).sha256) == (REVISION, expected)


def test_a_second_conversion_does_nothing(hub, pickled, entry) -> None:
    made = pull(entry, convert=True).paths["model.safetensors"]
    before = made.stat().st_mtime_ns, made.stat().st_ino
    hub.asked.clear()
    pull(entry, convert=True)
    assert hub.asked == [] and (made.stat().st_mtime_ns, made.stat().st_ino) == before


def test_safetensors_are_taken_where_there_are_any(hub, files, pickled, entry) -> None:
    hub.publish({**files, "pytorch_model.bin": b"a pickle"})
    assert pull(entry, convert=True).paths["model.safetensors"].read_bytes() == files["model.safetensors"]
    assert not any("pytorch_model.bin" in request for request in hub.asked)
    assert not converted(REPO, REVISION).exists() and "pytorch_model.bin" not in locked(REPO).sha256


def test_safetensors_that_come_later_are_taken_once_accepted(hub, files, pickled, entry, hub_entry) -> None:
    pull(entry, convert=True)
    hub.publish(files, revision="e5" * 20)
    assert pull(entry).paths["model.safetensors"] == converted(REPO, REVISION)  # the lock holds
    lock_path().unlink()
    assert "e5" * 20 in str(pull(entry, convert=True).paths["model.safetensors"])
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2


def test_a_flipped_byte_in_converted_weights_is_refused(pickled, entry, hub_entry) -> None:
    made = pull(entry, convert=True).paths["model.safetensors"]
    whole = made.read_bytes()
    made.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError) as refused:
        load("tiny", profile="hub", device="cpu", catalogue=hub_entry())
    start, fix = str(refused.value).split("; ")
    assert start.startswith("tiny (hub): model.safetensors of school/tiny is altered (sha256 ")
    assert fix.startswith(f"delete {made} and run {COMMAND}, or delete ")
    (finding,) = verify(entry)
    assert len(finding.damage) == 1 and "model.safetensors" not in finding.sound
    made.unlink()
    pull(entry, convert=True)
    assert made.read_bytes() == whole  # the same bytes as the first time, so they still fit the lock


def test_a_pickle_that_has_changed_under_the_lock_is_refused(hub, pickled, entry, hub_cache) -> None:
    made = pull(entry, convert=True).paths["model.safetensors"]
    made.unlink()
    shutil.rmtree(hub_cache)
    hub.publish({**pickled, "pytorch_model.bin": as_pickle({"weight": torch.ones(2)})})
    with pytest.raises(ModelError, match=rf"^tiny \(hub\): pytorch_model.bin .* altered .* and run {COMMAND}, or del"):
        pull(entry, convert=True)
    assert not made.exists()


def test_a_pickle_that_is_refused_leaves_nothing(hub, pickled, entry, tmp_path: Path) -> None:
    ran = tmp_path / "it ran"
    hub.publish({**pickled, "pytorch_model.bin": as_pickle({"weight": Trap(ran)})})
    with pytest.raises(ModelError) as refused:
        pull(entry, convert=True)
    assert str(refused.value).startswith("tiny (hub): pytorch_model.bin of school/tiny holds something else than tens")
    assert not ran.exists() and not converted(REPO, REVISION).parent.exists()
    assert "pytorch_model.bin" not in locked(REPO).sha256


def test_a_pickle_of_another_model_does_not_load(hub, pickled, entry, hub_entry) -> None:
    hub.publish({**pickled, "pytorch_model.bin": as_pickle({"weight": torch.ones(2)})})
    pull(entry, convert=True)
    with pytest.raises(ModelError, match=r"^tiny \(hub\): the checkpoint lacks \d+ of the parameters of BertModel"):
        load("tiny", profile="hub", device="cpu", catalogue=hub_entry())


def test_a_download_of_a_pickle_goes_on_where_it_stopped(hub, pickled, entry, monkeypatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.breaks_off.add("pytorch_model.bin")
    with pytest.raises(ModelError, match=r"^tiny \(hub\): the download of pytorch_model.bin of school/tiny broke off"):
        pull(entry, convert=True)
    hub.breaks_off.clear()
    hub.ranges.clear()
    pull(entry, convert=True)
    assert len(hub.ranges) == 1 and hub.ranges[0] != "bytes=0-"


def test_tied_weights_of_a_pickle(hub, pickled, tiny_config, entry, hub_entry) -> None:
    module = BertForPreTraining(tiny_config)
    tied = module.state_dict()
    assert len({tensor.data_ptr() for tensor in tied.values()}) < len(tied)
    hub.publish({**pickled, "pytorch_model.bin": as_pickle(tied)})
    kept = safetensors.torch.load_file(pull(entry, convert=True).paths["model.safetensors"])
    assert kept.keys() == tied.keys() and all(torch.equal(kept[name], tensor) for name, tensor in tied.items())
    loaded = load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).module.state_dict()
    torch.testing.assert_close(loaded, module.bert.state_dict(), rtol=0, atol=0)


def test_converted_weights_serve_again_when_the_lock_was_deleted(hub, pickled, entry, hub_entry) -> None:
    pull(entry, convert=True)
    held = locked(REPO)
    lock_path().unlink()
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2
    assert locked(REPO).revision == held.revision
    assert locked(REPO).sha256["model.safetensors"] == held.sha256["model.safetensors"]


def test_an_export_takes_converted_weights_along(hub, pickled, entry, hub_entry, tmp_path, monkeypatch) -> None:
    made = pull(entry, convert=True).paths["model.safetensors"]
    export(entry, here(entry), tmp_path / "class")
    monkeypatch.setenv("COURSE_MODELS", str(tmp_path / "class"))
    made.unlink()
    hub.status = 503
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2
    assert (tmp_path / "class" / "tiny" / "hub" / "model.safetensors").is_file()
    assert not list((tmp_path / "class").rglob("*.bin"))


def test_a_conversion_beside_a_shared_folder_without_weights(hub, pickled, entry, tmp_path, monkeypatch) -> None:
    """The small files come from the folder, so nothing says yet which revision is meant."""
    write_manifest(tmp_path, {"tiny/hub": digests({name: pickled[name] for name in entry.without_weights})})
    (tmp_path / "tiny" / "hub").mkdir(parents=True)
    for name in entry.without_weights:
        (tmp_path / "tiny" / "hub" / name).write_bytes(pickled[name])
    monkeypatch.setenv("COURSE_MODELS", str(tmp_path))
    assert pull(entry, convert=True).paths["model.safetensors"] == converted(REPO, REVISION)
    hub.asked.clear()
    pull(entry, convert=True)
    assert hub.asked == []
