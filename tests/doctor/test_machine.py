"""What is said of Python, memory, disk, folders and variables, each broken once."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course.doctor import machine


def one(findings):
    (found,) = findings
    return found


@pytest.mark.parametrize(("version", "status"), [((3, 10, 4), "failed"), ((3, 11, 0), "passed"), ((4, 0, 0), "passed")])
def test_an_old_python_is_said(monkeypatch, version, status):
    monkeypatch.setattr(sys, "version_info", version)
    found = one(machine.python())
    assert found.status == status and ".".join(map(str, version)) in found.says


def test_a_python_of_32_bits_is_said(monkeypatch):
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    found = one(machine.python())
    assert found.status == "failed" and "32 bits" in found.says and "64 bits" in found.advice


@pytest.mark.parametrize(
    ("free", "status"), [(None, "noted"), (0.3e9, "failed"), (1.0e9, "noted"), (8e9, "passed")], ids=str
)
def test_memory(monkeypatch, free, status):
    monkeypatch.setattr(machine, "free_memory", lambda: free)
    assert one(machine.memory()).status == status


def test_a_container_limits_memory_and_cores(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    unlimited = machine.free_memory()
    assert unlimited is None or unlimited > 1
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert machine.free_memory() == 600 and machine.usable_cores() == 1
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert machine.free_memory() != 600 and machine.usable_cores() >= 1


@pytest.mark.parametrize(("free", "status"), [(5e6, "failed"), (5e8, "noted"), (5e9, "passed")])
def test_disk(monkeypatch, free, status):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert one(machine.disk()).status == status


def test_a_folder_of_ones_own_can_be_written_to_and_nothing_stays_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert one(machine.folder()).status == "passed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_said(monkeypatch):
    monkeypatch.chdir("/proc")
    found = one(machine.folder())
    assert found.status == "failed" and "cannot be written to" in found.says and "folder of your own" in found.advice


@pytest.mark.parametrize("name", ["torch.py", "numpy/__init__.py"])
def test_a_file_that_hides_a_library_is_said(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    found = one(machine.folder())
    assert found.status == "failed" and found.says.startswith(name.partition("/")[0].removesuffix(".py"))


def test_the_network_is_not_needed_and_offline_is_said(monkeypatch):
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "COURSE_MODELS"):
        monkeypatch.delenv(name, raising=False)
    assert one(machine.network()).says == "not needed for the shipped models"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = one(machine.network())
    assert found.status == "passed" and "HF_HUB_OFFLINE is set" in found.says


def test_a_wrong_shared_folder_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(os.environ, "COURSE_MODELS", str(tmp_path))
    found = one(machine.network())
    assert found.status == "failed" and "course-models.json" in found.says and "unset COURSE_MODELS" in found.advice
