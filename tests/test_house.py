"""The rules of the house that a program can check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_lint_format_and_types(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_and_ci_run_the_same_two_commands():
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 ")] == commands


def test_every_dependency_is_pinned_and_has_its_reason():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project[project.index("dependencies = [") : project.index("[project.entry-points")]
    lines = [line.strip() for line in block.splitlines() if line.strip().startswith('"')]
    own = [line for line in lines if "attention-course-kit[" not in line]
    assert own and all("# " in line for line in own)
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    for line in own:
        name = re.match(r'"([A-Za-z0-9-]+)', line).group(1).lower()
        assert re.search(rf"^{name}==", pins, re.MULTILINE), f"{name} is not pinned in constraints.txt"


def test_no_module_asks_for_a_second_noun():
    for path in (ROOT / "course").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{path.relative_to(ROOT)} has {lines} lines"


RECORDS = {
    "attention", "attributions.attribution", "attributions.characters", "causal.generation", "causal.induction",
    "causal.lenses", "causal.neuron_factors", "differences.attention_diff", "faithfulness.deletion", "movements",
    "projections", "tokens", "vision.patches",
}  # fmt: skip


def test_lower_modules_do_not_import_upper_ones():
    """Models know only themselves, the build nothing of attention, and pictures know records and no models."""
    below = {"models": set(), "views": RECORDS, "building": {"exercises", "models"}}
    for folder, allowed in below.items():
        for path in (ROOT / "course" / folder).rglob("*.py"):
            found = re.findall(r"^\s*(?:from|import) course\.([\w.]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            above = {name for name in found if not {name, name.split(".")[0]} & (allowed | {folder})}
            assert not above, f"{path.relative_to(ROOT)} imports {above}"
