"""The provisioner and its environment: what a client can do to a kernel, and how all ends with the build."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager
from jupyter_core.utils import run_sync

from course.building.kernels import KERNEL, ClosedError, fallbacks, kernel_environment, private_folder

pytestmark = pytest.mark.slow


@pytest.fixture(params=[(), ("json",)], ids=["ordinary", "forked"])
def kernel(request):
    """A manager and client of a running kernel."""
    with kernel_environment(offline=True, warm=request.param), running() as pair:
        yield pair
        assert fallbacks() == []


@contextmanager
def running():
    manager = KernelManager(kernel_name=KERNEL)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def answer(client, code: str) -> str:
    """What the code prints, or the name of what it raises."""
    said = []
    client.execute_interactive(
        code, timeout=30, output_hook=lambda m: said.append(m["content"].get("text") or m["content"].get("ename"))
    )
    return "".join(filter(None, said)).strip()


@pytest.mark.parametrize("ready", [False, True], ids=["before its files", "before its process"])
def test_none_starts_once_the_environment_closes(ready, tmp_path, monkeypatch, caplog):
    """As a thread tries that is stopped too late; its files and its process would be left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    manager = KernelManager(kernel_name=KERNEL)
    with kernel_environment(offline=True):
        manager.kernel_spec  # noqa: B018 (it is read from the environment's files)
        if ready:
            command, options = run_sync(manager._async_pre_start_kernel)()
    running, files = set(psutil.Process().children()), set(tmp_path.iterdir())
    with pytest.raises(ClosedError):
        run_sync(manager._async_launch_kernel)(command, **options) if ready else manager.start_kernel()
    assert set(psutil.Process().children()) == running and set(tmp_path.iterdir()) == files and not caplog.records


def test_interrupt(kernel):
    manager, client = kernel
    message = client.execute("import time; print('begun', flush=True); time.sleep(300)")
    while client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=30)
    while reply["parent_header"]["msg_id"] != message:
        reply = client.get_shell_msg(timeout=30)
    assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_restart_gives_a_new_process_with_nothing_of_the_old(kernel):
    manager, client = kernel
    first = answer(client, "import os; kept = 1; print(os.getpid())")
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=60)
    assert answer(client, "print('kept' in globals())") == "False"
    assert answer(client, "import os; print(os.getpid())") != first and not psutil.pid_exists(int(first))


def test_kill_and_the_real_exit_status(kernel):
    manager, _ = kernel
    provisioner = manager.provisioner
    assert manager.is_alive()
    os.kill(provisioner.pid, signal.SIGTERM)
    assert provisioner.launched.wait(10) == -signal.SIGTERM and not manager.is_alive()


def test_a_kernel_has_its_own_session_directory_and_private_temporary_files(kernel):
    manager, client = kernel
    pid = manager.provisioner.pid
    assert os.getsid(pid) == os.getpgid(pid) == pid
    assert answer(client, "import os; print(os.getcwd())") == str(Path.cwd())
    assert answer(client, "import tempfile; print(tempfile.gettempdir())").startswith(str(private_folder()))
    assert answer(client, "import os; print([name for name in os.environ if 'PYTEST' in name])") == "[]"


def test_threads_work_and_give_the_same_numbers_as_in_a_new_process():
    code = (
        "import torch; torch.set_num_threads(2); a = torch.randn(400, 400, generator=torch.Generator().manual_seed(0));"
        "b = a.clone().requires_grad_();"
        "(b @ b).exp().log().sum().backward(); print(torch.get_num_threads(), b.grad.sum().item(),"
        "(a @ a).double().sum().item(), a.exp().sum().item())"
    )
    expected = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    with kernel_environment(offline=True, warm=("torch", "scipy.stats")):
        manager = KernelManager(kernel_name=KERNEL)
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=90)
        assert answer(client, code) == expected
        assert fallbacks() == []
        client.stop_channels()
        manager.shutdown_kernel(now=True)


BUILD = """
import sys, time
from jupyter_client.manager import KernelManager
from course.building.kernels import KERNEL, kernel_environment, private_folder
with kernel_environment(offline=True, warm=("json",)):
    manager = KernelManager(kernel_name=KERNEL)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    client.execute("import subprocess; subprocess.Popen(['sleep', '601'], start_new_session=True)")
    time.sleep(1)
    print(manager.provisioner.pid, private_folder(), flush=True)
    try:
        time.sleep(60)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
"""


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_all_ends_with_the_build_however_it_ends(way):
    build = subprocess.Popen([sys.executable, "-c", BUILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pid, folder = build.stdout.readline().split()
    templates = psutil.Process(build.pid).children()
    assert len(templates) == 2 and Path(folder).exists()
    build.send_signal(way)
    build.wait(20)
    gone, left = psutil.wait_procs([*templates], timeout=20)
    assert not left and not psutil.pid_exists(int(pid)) and len(gone) == 2
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "601"]]
    assert not Path(folder).exists()
    build.communicate()


def test_where_forking_is_unsafe_the_build_says_so(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    with kernel_environment(offline=True, warm=("json",), say=said.append):
        assert not psutil.Process().children()
    assert said == ["Kernels were started one by one, which is slower: forking a process is not safe on this system."]


def test_where_names_are_too_long_for_sockets_kernels_run_all_the_same(tmp_path, monkeypatch):
    said: list[str] = []
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with kernel_environment(offline=True, warm=("json",), say=said.append), running() as (manager, client):
        assert manager.transport == "tcp" and answer(client, "print(6 * 7)") == "42"
    assert said == [
        "Kernels were started one by one, which is slower: the name of the temporary folder is too long for a socket "
        "(set TMPDIR to another)."
    ]


def test_a_forked_kernel_starts_without_a_debugger():
    with kernel_environment(offline=True, warm=("json",)), running() as (_, client):
        assert answer(client, "import sys; print(sys.modules.get('debugpy'), 'pydevd' in sys.modules)") == "None False"
