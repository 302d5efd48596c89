from __future__ import annotations

import re
from pathlib import Path

import pytest

import course.models
from course.models import ModelError, load, read_catalogue
from course.models.entries import WeightsMirror
from course.models.errors import Absent
from course.models.folders import in_weights, restore

OWN = Path(course.models.__file__).parent / "weights" / "sentiment"


def test_files_are_found_in_their_folder(own) -> None:
    mirror = WeightsMirror(own.judge)
    assert in_weights(mirror, ["config.json"]) == {"config.json": own.judge / "config.json"}


def test_a_folder_that_is_not_there_is_absent(tmp_path: Path) -> None:
    with pytest.raises(Absent) as absent:
        in_weights(WeightsMirror(tmp_path / "none"), ["config.json"])
    assert absent.value.what == f"the folder {tmp_path / 'none'} is not there"


def test_a_file_missing_in_the_folder_names_itself_and_the_fix(own) -> None:
    (own.judge / "config.json").unlink()
    sentence = f"the folder {own.judge} lacks config.json; run its recipe again, or correct the catalogue beside it"
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        in_weights(WeightsMirror(own.judge), ["config.json"])


def test_the_weights_of_the_course_come_back_with_the_package() -> None:
    checkout, reinstall = restore(WeightsMirror(OWN)).split(", or ")
    assert checkout == "run git checkout -- course/models/weights/sentiment in a clone of the course"
    assert reinstall == "reinstall attention-course-kit"


def test_the_name_of_the_package_is_that_of_the_project() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'name = "{course.models.folders.COURSE}"' in project


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "config.json", "MODEL_CARD.md"])
def test_a_flipped_byte_in_any_file_is_refused(own, name: str) -> None:
    file = own.judge / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        load("judge", device="cpu", catalogue=own.path)
    sentence = str(refused.value)
    assert sentence.startswith(f"judge (shipped): {name} of the folder {own.judge} is altered (sha256 ")
    assert sentence.endswith(" found); run its recipe again, or correct the catalogue beside it")


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_file_missing_in_the_base_is_refused(own, name: str) -> None:
    (own.weights / "base" / name).unlink()
    with pytest.raises(ModelError, match=rf"^base \(shipped\): the folder .* lacks {name}; [^;]+$"):
        load("judge", device="cpu", catalogue=own.path)


def test_a_whole_model_in_a_folder(own) -> None:
    model = load("base", device="cpu", catalogue=own.path)
    assert (model.role, model.parameters, model.limits.longest) == ("base", 1560, 16)


def test_a_relative_catalogue_finds_its_weights(own, monkeypatch) -> None:
    monkeypatch.chdir(own.path.parent)
    assert read_catalogue("catalogue.toml")["judge"].shipped.mirrors == (WeightsMirror(own.judge),)
