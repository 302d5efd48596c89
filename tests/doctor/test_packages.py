"""Packages that are missing, of a wrong version, or of another than the tested one."""

from __future__ import annotations

from importlib import metadata

import pytest

from course.doctor import packages as home
from course.doctor.packages import packages


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A course that needs torch and peft, and pytest to be built; change ``versions`` to break it."""
    versions = {"torch": "2.13.0+cpu", "peft": "0.21.2", "jupytext": "1.19"}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(
        metadata, "requires", lambda _name: ["torch>=2.13", "peft<0.22,>=0.21.2", 'jupytext>=1.19; extra == "build"']
    )
    monkeypatch.setattr(home, "PINS", tmp_path / "constraints.txt")
    home.PINS.write_text("# pins\ntorch==2.13.0\npeft==0.21.2\n")
    return versions


def lines():
    return {found.name: found for found in packages()}


def test_all_is_well(machine):
    assert [(found.name, found.status) for found in packages()] == [("packages", "passed"), ("versions", "passed")]
    assert lines()["packages"].says == "2 as the course needs them"


def test_a_missing_package_is_named_with_its_command(machine):
    del machine["torch"]
    found = lines()
    assert found["torch"].status == "failed" and found["torch"].says == "is missing"
    assert found["torch"].advice == "python -m pip install 'torch>=2.13'"
    assert "packages" not in found


def test_a_version_out_of_range_is_named(machine):
    machine["peft"] = "0.30"
    found = lines()["peft"]
    assert found.status == "failed" and "is 0.30" in found.says and "<0.22" in found.advice


def test_a_package_that_is_broken_so_far_that_it_has_no_version_is_missing(machine):
    machine["torch"] = None
    assert lines()["torch"].says == "is missing"


def test_another_version_than_the_tested_one_is_noted(machine):
    machine["torch"] = "2.14.1"
    found = lines()
    assert found["packages"].status == "passed" and found["versions"].status == "noted"
    assert found["versions"].says == "torch 2.14.1 (tested: 2.13.0)"


def test_without_pins_nothing_is_said_of_tested_versions(machine):
    home.PINS.unlink()
    assert list(lines()) == ["packages"]


def test_what_only_the_build_needs_is_noted(machine):
    del machine["jupytext"]
    assert lines()["building"].status == "noted" and "jupytext" in lines()["building"].says


def test_a_course_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(home, "DISTRIBUTION", "no-such-course")
    (found,) = packages()
    assert found.status == "failed" and "no-such-course is not installed" in found.says
