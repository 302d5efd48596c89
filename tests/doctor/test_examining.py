"""No check can end the examination."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import course
from course.doctor import examine, examining, machine


def test_a_check_that_breaks_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError("psutil\nhas a bad day")
        yield

    for name in ("packages", "weights", "jupyter", "trial"):
        monkeypatch.setattr(examining, name, lambda **_options: iter(()))
    monkeypatch.setattr(machine, "memory", broken)
    found = examine()
    (line,) = [one for one in found.findings if one.status == "failed"]
    assert (line.name, line.says) == ("memory", "could not be looked at (RuntimeError: psutil)")
    assert [one.name for one in found.findings][-1] == "network"


def test_in_a_notebook_the_trial_is_made_by_the_notebook_itself(monkeypatch):
    monkeypatch.setattr("subprocess.run", lambda *_, **__: 1 / 0)
    names = {one.name: one.status for one in examine(here=True).findings}
    assert names["model"] == names["picture"] == "passed" and "imports" not in names
    with pytest.raises(ValueError, match="leave out here=True"):
        examine(full=True, here=True)


def test_after_an_old_python_nothing_else_is_asked(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    found = examine()
    assert [one.name for one in found.findings] == ["Python"] and not found.ready


def test_an_old_python_can_read_what_says_so():
    root = Path(course.__file__).parent
    for path in [root / "__init__.py", root / "__main__.py", *(root / "doctor").glob("*.py")]:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
