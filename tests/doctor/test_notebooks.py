"""Jupyter without an editor, without a kernel, and with one that is another Python's or does not start."""

from __future__ import annotations

import json
import sys

import pytest

from course.doctor import notebooks
from course.doctor.notebooks import jupyter


@pytest.fixture
def kernelspec(monkeypatch, tmp_path):
    """Make the kernel python3 run this command."""

    def kernelspec(*command):
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        spec = {"argv": command, "display_name": "a kernel", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    return kernelspec


def lines(**options):
    return {found.name: found for found in jupyter(**options)}


def test_all_is_well_and_nothing_more_is_needed():
    found = lines()
    assert list(found) == ["Jupyter", "kernel", "extensions"]
    assert found["kernel"].status == found["extensions"].status == "passed"


def test_nothing_to_open_notebooks_in_is_noted(monkeypatch):
    real = notebooks.installed
    monkeypatch.setattr(notebooks, "installed", lambda name: None if name in ("jupyterlab", "notebook") else real(name))
    found = lines()["Jupyter"]
    assert found.status == "noted" and "pip install jupyterlab" in found.advice


def test_no_ipykernel_is_said(monkeypatch):
    monkeypatch.setattr(notebooks, "installed", lambda name: None if name == "ipykernel" else "1.0")
    assert lines()["kernel"].says == "ipykernel is not installed"


def test_no_kernel_is_said(monkeypatch):
    monkeypatch.setattr(notebooks, "KERNEL", "no-such-kernel")
    found = lines()["kernel"]
    assert found.status == "failed" and "no kernel no-such-kernel" in found.says


def test_a_kernel_of_another_python_is_said(kernelspec):
    kernelspec("/elsewhere/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}")
    found = lines()["kernel"]
    assert found.status == "failed" and "/elsewhere/bin/python" in found.says and "--sys-prefix" in found.advice


@pytest.mark.parametrize("name", ["python", sys.executable])
def test_a_kernel_of_this_python_is_well(kernelspec, name):
    kernelspec(name, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    assert lines()["kernel"].status == "passed"


def test_a_kernel_that_does_not_start_is_said(kernelspec):
    kernelspec(sys.executable, "-c", "raise SystemExit(3)", "{connection_file}")
    found = lines(full=True)["kernel"]
    assert found.status == "failed" and "does not start" in found.says


def test_a_kernel_without_the_course_is_said(kernelspec):
    hide = "import sys; sys.modules['course'] = None; from ipykernel.kernelapp import launch_new_instance as go; go()"
    kernelspec(sys.executable, "-c", hide, "-f", "{connection_file}")
    found = lines(full=True)["kernel"]
    assert found.status == "failed" and "course cannot be imported" in found.says


@pytest.mark.slow
def test_the_real_kernel_starts():
    assert "starts and imports the course" in lines(full=True)["kernel"].says
