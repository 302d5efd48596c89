"""What makes two machines unlike, and how it is said."""

from __future__ import annotations

import re
import tomllib
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path

import pytest

from course.building import likeness as module
from course.building.digests import Digests
from course.building.likeness import likeness, unlike
from course.building.store import Store


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return likeness(Digests(Store(tmp_path_factory.mktemp("store"))))


def test_a_machine_is_like_itself_and_more_may_be_installed_there(ours):
    theirs = deepcopy(ours)
    theirs["package"] |= {"left-pad": "1.0", "ruff": "0.1"}
    assert unlike(ours, ours) == unlike(theirs, ours) == ""


def test_what_differs_is_named_with_both_versions(ours):
    theirs = deepcopy(ours)
    theirs["machine"]["Python"] = "3.99.0"
    theirs["package"]["huggingface-hub"] = "0.1"
    del theirs["package"]["peft"]
    del theirs["file"]["course/tokens.py"]
    theirs["file"]["course/extra.py"] = theirs["file"]["course/neuron.py"] = "0"
    assert unlike(theirs, ours) == (
        f"Python is 3.99.0 there and {ours['machine']['Python']} here, huggingface-hub is 0.1 there and "
        f"{version('huggingface-hub')} here, peft is not installed there, 3 more differences"
    )
    del theirs["machine"], theirs["package"]
    assert "Python is not installed there" in unlike(theirs, ours)
    theirs |= {"machine": ours["machine"], "package": ours["package"]}
    assert unlike(theirs, ours) == (
        "course/extra.py is not the same, course/neuron.py is not the same, course/tokens.py is not the same"
    )


def test_what_an_older_course_says_of_itself_is_unlike(ours):
    assert unlike({}, ours)


def test_packages_that_come_with_others_count_and_weights_and_styles_are_files(ours):
    needed = set(module._needed())
    assert {"torch", "transformers", "numpy", "tokenizers", "captum", "peft", "ipykernel", "nbclient"} <= needed
    assert "ruff" not in needed and ours["package"]["torch"] == version("torch")
    kinds = {Path(name).suffix for name in ours["file"]}
    assert {".py", ".toml", ".safetensors", ".css", ".js"} <= kinds
    assert not [name for name in ours["file"] if "__pycache__" in name]


def test_the_packages_are_those_of_the_project_file():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    assert {re.match(r"[\w-]+", line)[0] for line in lines} == set(module._DEPENDED_ON)
