"""``python -m course``."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.__main__ import COMMANDS, main

ROOT = Path(__file__).parents[2]


def test_every_command_can_be_called(capsys) -> None:
    for name, (_, about) in COMMANDS.items():
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert not stopped.value.code
        with pytest.raises(SystemExit):
            main(["--help"])
        assert about in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_a_wrong_call_is_told_on_stderr(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    shown = capsys.readouterr()
    assert (stopped.value.code, shown.out) == (2, "") and "COMMAND" in shown.err


def test_the_exit_code_is_that_of_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "course", "models", "pull", "none"], capture_output=True, cwd=ROOT)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1


def test_a_reader_that_stops_reading_is_no_error() -> None:
    code = f"{sys.executable} -m course models list | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", code], capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, b"")


def test_control_c_is_quiet() -> None:
    code = "import time, course.models.cli as c; c._list = lambda options: (print('on', flush=True), time.sleep(60))\n"
    code += "import sys, course.__main__ as m; sys.exit(m.main(['models', 'list']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout.readline() == b"on\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == b"" and process.returncode == 130
