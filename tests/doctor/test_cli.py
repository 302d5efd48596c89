"""The command: light help, exit codes, JSON, terminals that know no ✓, and never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from course.doctor import examining
from course.doctor.cli import main
from course.doctor.findings import Diagnosis, failed, noted, passed
from course.doctor.trial import LIBRARIES

WELL = Diagnosis((passed("disk", "9 GB free"), noted("memory", "little")))
ILL = Diagnosis((*WELL.findings, failed("torch", "is missing", "install it")))


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from course.__main__ import main\n"
        "try: main(['doctor', '--help'])\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "print([m for m in ('torch', 'transformers', 'numpy', 'jupyter_client', 'packaging') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]") and "--full" in done.stdout and "--json" in done.stdout


@pytest.mark.parametrize(("found", "code"), [(WELL, 0), (ILL, 1)])
def test_the_exit_code_says_whether_it_is_ready(monkeypatch, capsys, found, code):
    asked = []
    monkeypatch.setattr(examining, "examine", lambda full: asked.append(full) or found)
    assert main([]) == code and capsys.readouterr().out == f"{found!r}\n"
    assert main(["--full", "--json"]) == code and asked == [False, True]
    assert json.loads(capsys.readouterr().out) == found.as_json()


def test_a_terminal_that_knows_no_check_mark_still_tells_well_from_ill(monkeypatch):
    monkeypatch.setattr(examining, "examine", lambda full: ILL)
    screen = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", screen)
    main([])
    screen.flush()
    lines = screen.buffer.getvalue().decode("cp1252").splitlines()
    assert [line[:3] for line in lines] == ["ok ", "-- ", "!! ", "   ", "!! "] and lines[3] == "    -> install it"


def test_a_machine_where_much_is_broken_gets_lines_and_no_traceback(tmp_path):
    for name in LIBRARIES:
        (tmp_path / f"{name}.py").write_text("raise OSError('broken')\n")
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        "COURSE_MODELS": str(tmp_path), "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    command = [sys.executable, "-m", "course", "doctor"]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=tmp_path, check=False)
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    assert done.returncode == 1 and err == ""
    for start in ("✗ torch ", "✗ numpy ", "✗ network ", "✗ folder ", "✗ this machine is not ready"):
        assert f"\n{start}" in out


@pytest.mark.slow
def test_this_machine_is_ready():
    done = subprocess.run([sys.executable, "-m", "course", "doctor", "--json"], capture_output=True, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 0 and done.stderr == b"" and found["ready"], found
    assert {"Python", "packages", "models", "imports", "model", "picture", "kernel"} <= {
        one["name"] for one in found["findings"]
    }
