from __future__ import annotations

from pathlib import Path

import pytest

from course.models import read_catalogue
from course.models.verify import verify


@pytest.fixture
def judge(own):
    return read_catalogue(own.path)["judge"].shipped


def test_sound_files_are_counted(judge, own) -> None:
    (finding,) = verify(judge)
    assert finding.place == str(own.judge)
    assert (set(finding.sound), finding.missing, finding.damage) == (set(judge.files), (), ())
    assert finding.size == sum(path.stat().st_size for path in own.judge.iterdir())


def test_every_damaged_file_has_its_sentence(judge, own) -> None:
    (own.judge / "config.json").write_text("{}")
    (own.judge / "MODEL_CARD.md").unlink()
    (finding,) = verify(judge)
    assert set(finding.sound) == {"adapter_config.json", "adapter_model.safetensors"}
    altered, lacking = sorted(finding.damage, key=lambda sentence: "lacks" in sentence)
    assert altered.startswith("config.json of the folder ") and "is altered" in altered
    assert lacking.startswith(f"the folder {own.judge} lacks MODEL_CARD.md; ")


def test_what_is_not_here_has_no_finding(hub, hub_entry, files) -> None:
    hub.publish(files)
    assert verify(read_catalogue(hub_entry())["tiny"].hub) == []
    assert hub.asked == []


def test_each_place_has_its_finding(package: Path, in_cache, files, shipped_entry) -> None:
    in_cache({**files, "config.json": b"{}"})
    package_finding, cache_finding = verify(read_catalogue(shipped_entry())["tiny"].shipped)
    assert package_finding.place == "the package tiny-files" and not package_finding.damage
    assert cache_finding.place == "the hub cache" and len(cache_finding.damage) == 1


def test_a_part_of_a_checkpoint_is_verified_too(in_cache, files, hub_entry, sha256) -> None:
    in_cache({"config.json": files["config.json"]})
    (finding,) = verify(read_catalogue(hub_entry(revision="a1" * 20, sha256=sha256))["tiny"].hub)
    assert finding.sound == ("config.json",)
    assert set(finding.missing) == {"model.safetensors", "tokenizer.json", "tokenizer_config.json"}
