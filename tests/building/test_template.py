"""Templates: forks are like new processes, and what a module says while it is imported is never lost."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from course.building.forks import ForkError, NoisyError, fork, fork_template, template

SHOW = "import os, sys; print({}); sys.stdout.flush()"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder that new processes import from, apart from a template's own."""
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])))
    return tmp_path


def run(path: Path, place: Path, code: str, *, env=None) -> tuple[int, str]:
    """Exit status and output of ``python -m asked`` from a template."""
    (place / "asked.py").write_text(code, encoding="utf-8")
    with (place / "said.txt").open("w+") as said:
        forked = fork(path, ["asked", "one"], env=env or dict(os.environ), cwd=place, output=[said.fileno()] * 2)
        status = forked.wait(60)
        said.seek(0)
        return status, said.read()


def test_a_fork_is_what_a_new_process_would_be(place):
    code = "import os, sys\nprint(sys.argv[1:], os.getcwd(), __name__, sys.path, sys.stdin.read(), os.environ['HOME'])"
    (place / "asked.py").write_text(code, encoding="utf-8")
    expected = subprocess.run(
        [sys.executable, "-m", "asked", "one"], cwd=place, input="", capture_output=True, text=True, check=True
    ).stdout
    with template(place / "own", "t", ["json"]) as path:
        assert run(path, place, code) == (0, expected)


@pytest.mark.parametrize(
    ("code", "status"),
    [("import sys; sys.exit(7)", 7), ("import os; os._exit(3)", 3), ("import os; os.abort()", -6), ("1 / 0", 1)],
)
def test_the_exit_status_is_the_real_one(place, code, status):
    with template(place / "own", "t", ["json"]) as path:
        assert run(path, place, code)[0] == status


def test_what_one_fork_does_to_a_module_does_not_reach_another(place):
    (place / "shared.py").write_text("value = [1]", encoding="utf-8")
    with template(place / "own", "t", ["shared"]) as path:
        code = "import shared; shared.value.append(2); print(shared.value)"
        assert [run(path, place, code)[1] for _ in range(2)] == ["[1, 2]\n"] * 2


@pytest.mark.parametrize(
    "noise", ["print('hello')", "import os; os.write(2, b'hello')", "import warnings; warnings.warn('hello')"]
)
def test_a_module_that_says_something_says_it_in_each_fork(place, noise):
    (place / "loud.py").write_text(noise, encoding="utf-8")
    with template(place / "own", "t", ["json", "loud", "csv"]) as path:
        show = "import sys; print('csv' in sys.modules, 'loud' in sys.modules); import loud"
        status, said = run(path, place, show)
    assert status == 0 and said.count("hello") >= 1 and "True False" in said


def test_a_module_that_starts_threads_is_a_reason_not_to_fork(place):
    (place / "busy.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    )
    with template(place / "own", "t", ["busy"]) as path, pytest.raises(ForkError, match="has started 1 threads"):
        run(path, place, "")


def test_a_module_that_fails_to_import_fails_in_the_fork(place):
    (place / "broken.py").write_text("1 / 0", encoding="utf-8")
    with template(place / "own", "t", ["broken", "no.such.module", "json"]) as path:
        assert "ZeroDivisionError" in run(path, place, "import broken")[1]


def test_variables_that_modules_set_are_there_and_others_are_refused(place):
    (place / "setting.py").write_text("import os; os.environ['MADE_HERE'] = 'yes'", encoding="utf-8")
    with template(place / "own", "t", ["setting"]) as path:
        assert run(path, place, "import os; print(os.environ['MADE_HERE'])") == (0, "yes\n")
        with pytest.raises(ForkError, match="OTHER changed after the build began"):
            run(path, place, "", env=os.environ | {"OTHER": "1"})


def test_a_refusal_is_told_however_soon_it_comes(place, monkeypatch):
    send = socket.send_fds

    def send_and_wait(connection, *arguments):
        sent, gone = send(connection, *arguments), select.poll()
        gone.register(connection, select.POLLHUP)
        gone.poll(30_000)
        return sent

    monkeypatch.setattr(socket, "send_fds", send_and_wait)
    with template(place / "own", "t", ["json"]) as path, pytest.raises(ForkError, match="OTHER changed"):
        fork(path, ["asked"], env=os.environ | {"OTHER": "1"}, cwd=place)


def test_a_fork_whose_asker_lets_go_is_killed(place):
    (place / "asked.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    with template(place / "own", "t", ["json"]) as path:
        forked = fork(path, ["asked"], env=dict(os.environ), cwd=place)
        process = psutil.Process(forked.pid)
        forked.close()
        process.wait(10)


def test_orphans_of_a_fork_end_with_it(place):
    code = "import subprocess; print(subprocess.Popen(['sleep', '602'], process_group=0).pid)"
    with template(place / "own", "t", ["json"]) as path:
        _, said = run(path, place, code)
        until = time.monotonic() + 10
        while psutil.pid_exists(int(said)) and time.monotonic() < until:
            time.sleep(0.05)
        assert not psutil.pid_exists(int(said))


def test_many_ask_at_once(place):
    (place / "asked.py").write_text("import sys; sys.exit(int(sys.argv[1]))", encoding="utf-8")
    ended = {}
    with template(place / "own", "t", ["json"]) as path:

        def ask(number: int) -> None:
            ended[number] = fork(path, ["asked", str(number)], env=dict(os.environ), cwd=place).wait(60)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ended == {number: number for number in range(20)}


def test_a_template_that_died_is_named(place):
    with template(place / "own", "t", ["json"]) as path:
        run(path, place, "")
        (process,) = psutil.Process().children()
        process.kill()
        process.wait()
        with pytest.raises(ForkError, match="cannot be reached"):
            fork(path, ["asked"], env=dict(os.environ), cwd=place)


def listed(names: str) -> str:
    return f"import sys; print([name in sys.modules for name in {names!r}.split()])"


def test_a_template_of_a_template_has_imported_more_and_leaves_the_first_as_it_is(place, monkeypatch):
    (place / "setting.py").write_text("import os; os.environ['MADE_HERE'] = 'yes'", encoding="utf-8")
    (place / "more.py").write_text("import os; made = os.environ['MADE_HERE']", encoding="utf-8")
    with template(place / "own", "t", ["setting"]) as path:
        second = fork_template(path, place / "second.socket", ["more"], env=dict(os.environ))
        process = psutil.Process(second.pid)
        code = f"import more; print(more.made); {listed('setting more')}"
        assert run(place / "second.socket", place, code) == (0, "yes\n[True, True]\n")
        assert run(path, place, listed("setting more")) == (0, "[True, False]\n")
        assert run(place / "second.socket", place, "import os; os.abort()")[0] == -6
        second.close()
        process.wait(10)
        with pytest.raises(ForkError, match="cannot be reached"):
            run(place / "second.socket", place, "")


def test_a_second_template_is_none_where_a_module_says_something(place):
    (place / "loud.py").write_text("print('hello')", encoding="utf-8")
    with template(place / "own", "t", ["json"]) as path, pytest.raises(NoisyError, match="loud"):
        fork_template(path, place / "second.socket", ["csv", "loud.part"], env=dict(os.environ))
    assert not (place / "second.socket").exists()


def test_all_that_a_second_template_forked_ends_with_the_first(place):
    (place / "asked.py").write_text("import time; time.sleep(603)", encoding="utf-8")
    with template(place / "own", "t", ["json"]) as path:
        second = fork_template(path, place / "second.socket", ["csv"], env=dict(os.environ))
        forked = fork(place / "second.socket", ["asked"], env=dict(os.environ), cwd=place)
        processes = [psutil.Process(one.pid) for one in (second, forked)]
    assert not psutil.wait_procs(processes, timeout=10)[1]


def test_what_is_taken_from_a_module_imports_nothing_that_the_module_does_not(place):
    (place / "pack").mkdir()
    (place / "pack" / "__init__.py").write_text("", encoding="utf-8")
    (place / "pack" / "inner.py").write_text("", encoding="utf-8")
    with template(place / "own", "t", ["pack:inner.value"]) as path:
        assert run(path, place, listed("pack pack.inner")) == (0, "[True, False]\n")
    (place / "own").mkdir()
    with template(place / "own", "u", ["pack.inner:value"]) as path:
        assert run(path, place, listed("pack pack.inner")) == (0, "[True, True]\n")
