from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from course.models import ModelError, load, read_catalogue
from course.models.entries import SharedMirror
from course.models.export import export
from course.models.files import here, mirrors
from course.models.lock import lock_path
from course.models.shared import MANIFEST, read_manifest, shared_folder

REPO, REVISION = "school/tiny", "a1" * 20


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Where a class shares its models."""
    return tmp_path / "shared"


@pytest.fixture
def exported(shared: Path, own, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with the judge and its base, and the original weights gone."""
    judge = read_catalogue(own.path)["judge"].shipped
    for entry in judge.family:
        export(entry, here(entry), shared)
    shutil.rmtree(own.weights)
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    return shared


def test_an_export_is_laid_out_by_role_and_profile(exported: Path) -> None:
    assert {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()} == {
        MANIFEST,
        *(f"judge/shipped/{name}" for name in ("adapter_config.json", "adapter_model.safetensors", "config.json")),
        "judge/shipped/MODEL_CARD.md",
        *(f"base/shipped/{name}" for name in ("config.json", "model.safetensors", "tokenizer.json")),
        "base/shipped/tokenizer_config.json",
    }
    assert list(read_manifest(exported)) == ["base/shipped", "judge/shipped"]


def test_a_model_loads_from_the_shared_folder(exported: Path, own) -> None:
    for stage in ("trained", "pretrained", "random"):
        assert load("judge", stage=stage, device="cpu", catalogue=own.path).stage == stage


def test_the_shared_folder_comes_first(own, shared: Path, monkeypatch) -> None:
    entry = read_catalogue(own.path)["base"].shipped
    export(entry, here(entry), shared)
    assert mirrors(entry) == entry.mirrors
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    assert mirrors(entry) == (SharedMirror(shared), *entry.mirrors)
    assert here(entry).paths["config.json"] == shared / "base" / "shipped" / "config.json"


def test_a_role_that_it_lacks_is_found_elsewhere(own, shared: Path, monkeypatch) -> None:
    entry = read_catalogue(own.path)["base"].shipped
    export(entry, here(entry), shared)
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    assert load("judge", device="cpu", catalogue=own.path).role == "judge"


def test_another_version_is_found_elsewhere(own, shared: Path, monkeypatch) -> None:
    entry = read_catalogue(own.path)["judge"].shipped
    export(entry, here(entry), shared)
    (own.judge / "MODEL_CARD.md").write_text("# A new card")
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    newer = read_catalogue(own.write())["judge"].shipped
    assert here(newer).paths["MODEL_CARD.md"] == own.judge / "MODEL_CARD.md"


def test_a_flipped_byte_in_the_shared_folder_is_refused(exported: Path, own) -> None:
    file = exported / "judge" / "shipped" / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        load("judge", catalogue=own.path)
    sentence = str(refused.value)
    assert sentence.startswith(
        f"judge (shipped): adapter_model.safetensors of the folder {exported} is altered (sha256 "
    )
    assert sentence.endswith("; export it again, or unset COURSE_MODELS")


def test_a_file_missing_in_the_shared_folder_names_itself(exported: Path, own) -> None:
    (exported / "base" / "shipped" / "tokenizer.json").unlink()
    with pytest.raises(ModelError) as refused:
        load("judge", catalogue=own.path)
    assert str(refused.value) == (
        f"base (shipped): the folder {exported} (COURSE_MODELS) lacks base/shipped/tokenizer.json; "
        "export it again, or unset COURSE_MODELS"
    )


def test_when_nothing_has_it_the_shared_folder_is_named_too(exported: Path, own, hub_cache, hub_entry) -> None:
    with pytest.raises(ModelError) as nowhere:
        load("tiny", profile="hub", catalogue=hub_entry())
    what, fix = str(nowhere.value).split("; ")
    assert what.startswith(f"tiny (hub): the folder {exported} (COURSE_MODELS) has no tiny/hub/config.json, and ")
    assert fix == 'export it again, or connect to the network once and load again, or use profile="shipped"'


@pytest.mark.parametrize(
    ("make", "state"),
    [(lambda folder: None, "is not there"), (lambda folder: folder.mkdir(), f"has no {MANIFEST}")],
)
def test_a_folder_that_is_no_export_says_so(shared: Path, monkeypatch, make, state: str) -> None:
    make(shared)
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    with pytest.raises(ModelError) as refused:
        load("minilm", device="cpu")
    assert str(refused.value) == (
        f"COURSE_MODELS names {shared}, which {state}; name a folder that python -m course models export wrote, "
        "or unset COURSE_MODELS"
    )


def test_without_the_variable_there_is_no_shared_folder(monkeypatch) -> None:
    monkeypatch.delenv("COURSE_MODELS", raising=False)
    assert shared_folder() is None
    monkeypatch.setenv("COURSE_MODELS", "")
    assert shared_folder() is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"\xff", b'{"format": "2", "files": {}}', b'{"format": "1", "files": {"a/b": {"c": "d"}}}'],
)
def test_a_damaged_manifest_is_one_sentence(exported: Path, own, damage: bytes) -> None:
    (exported / MANIFEST).write_bytes(damage)
    with pytest.raises(ModelError) as refused:
        load("judge", catalogue=own.path)
    sentence = str(refused.value)
    assert f"{exported / MANIFEST} cannot be read (" in sentence and sentence.count(";") == 1


# Files that the catalogue does not establish.


@pytest.fixture
def from_the_hub(in_cache, files, hub_entry, shared: Path, hub_cache: Path, monkeypatch) -> Path:
    """The tiny hub entry exported on another machine; here there is neither cache nor lock."""
    in_cache(files)
    entry = read_catalogue(hub_entry())["tiny"].hub
    export(entry, here(entry), shared)
    shutil.rmtree(hub_cache.parent)
    monkeypatch.setenv("COURSE_MODELS", str(shared))
    return shared


def test_what_is_not_established_is_checked_against_the_manifest(from_the_hub: Path, hub_entry) -> None:
    assert load("tiny", profile="hub", device="cpu", catalogue=hub_entry()).layers == 2
    assert not lock_path().exists()
    (from_the_hub / "tiny" / "hub" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"^tiny \(hub\): config.json of the folder .* is altered .*; export it again"):
        load("tiny", profile="hub", catalogue=hub_entry())


def test_what_this_machine_has_locked_goes_before_the_manifest(
    from_the_hub: Path, in_cache, files, hub_entry, monkeypatch
) -> None:
    manifest = json.loads((from_the_hub / MANIFEST).read_text())
    monkeypatch.delenv("COURSE_MODELS")
    snapshot = in_cache({**files, "tokenizer_config.json": b"{}"})
    load("tiny", profile="hub", device="cpu", catalogue=hub_entry())
    monkeypatch.setenv("COURSE_MODELS", str(from_the_hub))
    assert manifest["files"]["tiny/hub"]["tokenizer_config.json"]
    entry = read_catalogue(hub_entry())["tiny"].hub
    assert here(entry).paths["tokenizer_config.json"] == snapshot / "tokenizer_config.json"
