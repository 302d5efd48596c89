from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from course.models import ModelError, read_catalogue
from course.models.converted import command, converted, write

REPO, REVISION = "school/tiny", "a1" * 20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(hub_cache: Path) -> Path:
    return converted(REPO, REVISION)


def test_converted_weights_lie_beside_the_hub_cache(hub_cache: Path, place: Path) -> None:
    folder = hub_cache.parent / "attention-course-converted" / "models--school--tiny"
    assert place == folder / REVISION / "model.safetensors"


def test_the_command_names_role_and_profile() -> None:
    assert command(read_catalogue()["sentiment"].hub) == (
        "run python -m course models pull sentiment --profile hub --convert"
    )


def test_what_is_written_is_read_back(place: Path) -> None:
    tensors = {"b": torch.randn(2, 3), "a": torch.arange(3), "c": torch.randn(4).half()}
    write(tensors, place)
    read = load_file(place)
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def test_the_same_tensors_give_the_same_bytes(place: Path) -> None:
    tensors = {f"layer {i}": torch.randn(5) for i in range(50)}
    write(tensors, place)
    first = place.read_bytes()
    write(dict(reversed(tensors.items())), place)
    assert place.read_bytes() == first


def test_others_may_read_it_as_any_new_file(place: Path) -> None:
    write({"a": torch.ones(2)}, place)
    (place.parent / "plain").touch()
    assert place.stat().st_mode == (place.parent / "plain").stat().st_mode


def test_a_write_that_is_killed_leaves_what_was_there(place: Path) -> None:
    code = f"""if True:
        import os, signal, sys, torch
        from pathlib import Path
        from course.models.converted import write
        Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write({{"a": torch.zeros(1000)}}, Path({str(place)!r}))
    """
    for before in (None, {"a": torch.ones(2)}):
        if before:
            write(before, place)
        assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == -9
        assert place.with_name("unfinished").exists()
        assert place.exists() == bool(before)
    assert torch.equal(load_file(place)["a"], torch.ones(2))
    write({"a": torch.zeros(3)}, place)
    assert {path.name for path in place.parent.iterdir()} == {"model.safetensors", ".guard"}


def test_an_interrupted_write_leaves_nothing(place: Path, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write({"a": torch.ones(2)}, place)
    assert [path.name for path in place.parent.iterdir()] == [".guard"]


def test_a_folder_that_cannot_be_written_says_so(hub_cache: Path, place: Path) -> None:
    hub_cache.parent.parent.mkdir(parents=True, exist_ok=True)
    hub_cache.parent.write_text("a file where the folder should be")
    with pytest.raises(ModelError) as refused:
        write({"a": torch.ones(2)}, place)
    assert str(refused.value) == (
        f"{place} cannot be written (Not a directory); make room, or set HF_HOME to another folder"
    )


def test_a_full_disk_says_so(place: Path, monkeypatch) -> None:
    from safetensors import SafetensorError

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(ModelError, match=r"cannot be written \(.*No space left on device .*\); make room, or set HF_H"):
        write({"a": torch.ones(2)}, place)
