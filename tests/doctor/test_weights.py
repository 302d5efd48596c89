"""Model files that are damaged, or not here."""

from __future__ import annotations

import course.models.catalogue
import course.models.files
from course.doctor.weights import weights
from course.models.errors import ModelError


def test_the_shipped_models_are_whole():
    (found,) = weights()
    assert found.status == "passed" and "shipped models whole" in found.says


def test_a_damaged_and_an_absent_model_are_named(monkeypatch):
    real = course.models.files.here

    def here(entry):
        if entry.role == "qa":
            raise ModelError("qa (shipped): model.safetensors is altered; reinstall it")
        return None if entry.role == "digits" else real(entry)

    monkeypatch.setattr(course.models.files, "here", here)
    damaged, absent = weights()
    assert (damaged.name, damaged.status, damaged.advice) == ("qa", "failed", "reinstall it")
    assert (absent.name, absent.status) == ("digits", "failed") and "not here" in absent.says


def test_a_catalogue_that_cannot_be_read_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(course.models.catalogue, "OWN", tmp_path / "gone.toml")
    (found,) = weights()
    assert found.status == "failed" and "gone.toml" in found.says
