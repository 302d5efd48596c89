"""Kernels for the build: forked from a template where that is safe, on IPC sockets, in an environment of their own."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Integer

from course.building.forks import Fork, ForkError, NoisyError, descriptor, fork, fork_template, template
from course.building.importing import package_of
from course.building.limits import MEMORY_BYTES, Watch
from course.building.recording import VARIABLE

KERNEL = "attention-course"
PROVISIONER = "attention-course-ipc"
_FOLDER = "ATTENTION_COURSE_KERNELS"
CHECKS = "checks"
_KERNELS = "kernels"
_TEMPLATE = "ATTENTION_COURSE_TEMPLATE"
_EVERY_KERNEL = (
    "course.building.recording", "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.datapub",
    "ipykernel.debugger", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger",
    "IPython.core.oinspect", "IPython.extensions.storemagic", "sqlite3", "tornado.platform.asyncio", "psutil",
)  # fmt: skip
_MANY = 12
"""Of so many templates, one or the other is for imports that its lesson no longer has."""
_EVERY_CHECK = (
    "course.building.spared", "pytest", "nbval.plugin", "jupyter_client.manager", "course.building.second_run",
    "IPython.paths", "pdb", "unittest", "xml.etree.ElementTree",
)  # fmt: skip


class ClosedError(BaseException):
    """The environment closed before a kernel was started in it; no Exception, or jupyter_client would print it."""


class IpcProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts local kernels on IPC sockets instead of TCP ports, and forks them from the build's template.

    Kernels that start at the same time over TCP can be given the same port (papermill#511); sockets in a
    private folder cannot clash. Where there is no IPC (Windows, long names of folders), TCP stays. Where there is
    no template, or it does not answer, an ordinary kernel is started.
    """

    memory = Integer(MEMORY_BYTES, help="bytes that the kernel and what it starts may hold").tag(config=True)
    watch: Watch | None = None
    launched: Any = None
    _private: Path | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the transport before jupyter_client writes the connection file. Raises ClosedError."""
        with still_open():
            if self._private is None:
                self._private = Path(tempfile.mkdtemp(dir=private_folder(), prefix="k"))
                (self._private / "tmp").mkdir()
            if sys.platform != "win32" and self.parent is not None and _fits(self._private / "s-1"):
                self.parent.transport = "ipc"
                self.parent.ip = str(self._private / "s")
            given = dict(await super().pre_launch(**kwargs))
        # ipykernel 7 leaves what C code prints uncaught under pytest, which runs nbval.
        given["env"] = {name: value for name, value in given["env"].items() if not name.startswith("PYTEST_")}
        given["env"].update(_variables.get())
        given["env"]["TMPDIR"] = str(self._private / "tmp")  # a kernel that is killed cannot tidy up
        return given

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel, or start an ordinary one. Raises ClosedError."""
        output = [descriptor(kwargs.get(name), number) for number, name in enumerate(("stdout", "stderr"), start=1)]
        forked = try_to_fork(
            kwargs["env"].get(_TEMPLATE, _KERNELS), cmd[2:], env=kwargs["env"], cwd=Path(kwargs.get("cwd") or "."),
            output=output,
        )  # fmt: skip
        if forked is None:
            with still_open():
                await super().launch_kernel(cmd, **kwargs)
        else:
            self.process = forked
            self.pid = self.pgid = forked.pid
            self.cwd = kwargs.get("cwd", Path.cwd())
        self.launched = self.process
        self.watch = Watch(self.launched.pid, self.memory)
        self.watch.start()
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the end of the kernel, which jupyter_client's own would notice up to a tenth of a second later."""
        while await self.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()  # type: ignore[no-any-return]

    async def cleanup(self, restart: bool = False) -> None:
        """Leave no process and no file of the kernel."""
        if self.watch is not None:
            self.watch.close()
        if isinstance(self.launched, Fork):
            self.launched.kill()
            self.launched.close()
        if self._private is not None and not restart:
            shutil.rmtree(self._private, ignore_errors=True)
        await super().cleanup(restart=restart)


@contextmanager
def kernel_environment(
    *,
    offline: bool,
    warm: Sequence[str] = (),
    memory: int = MEMORY_BYTES,
    say: Callable[[str], None] = lambda _line: None,
) -> Iterator[dict[str, str]]:
    """The environment variables under which the build's kernels run; all their files go when this closes.

    The kernelspec stands in a private folder on JUPYTER_PATH, so papermill and nbval find it by name. A
    user's own IPython start-up files and matplotlib style stay out of it; ``offline`` keeps the hub out, too.
    ``warm`` names what templates import, so that kernels are forked from them; without it each starts by itself.
    All that is executed must import it; what only some notebooks import is for `ready`.
    ``say`` is told if they had to, though. One environment at a time in a process, as it changes ``os.environ``;
    any number of threads and processes may start kernels in it.
    """
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        base = Path(folder)
        spec = base / "jupyter" / "kernels" / KERNEL
        for path in (spec, base / "ipython", base / "matplotlib", base / "runtime"):
            path.mkdir(parents=True)
        history = "--HistoryManager.hist_file=:memory:"  # as nbclient does, and nbval does not
        quiet = "--Application.log_level=50"  # it would tell of the interrupt that jupyter_client sends before the end
        provisioner = {"provisioner_name": PROVISIONER, "config": {"memory": memory}}
        description = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", history, quiet],
            "display_name": "Attention course",
            "language": "python",
            "metadata": {"kernel_provisioner": provisioner},
        }
        (spec / "kernel.json").write_text(json.dumps(description), encoding="utf-8")
        settings = {
            "JUPYTER_PATH": str(base / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "IPYTHONDIR": str(base / "ipython"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(base / "matplotlib"),
            "PYTHONHASHSEED": "0",
            # The same numbers on every machine, and kernels side by side that do not wait for each other's threads.
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",  # numpy's BLAS would start threads as it is imported, before the fork
            "HF_HUB_DISABLE_TELEMETRY": "1",
            _FOLDER: str(base),
        }
        if offline:
            settings["HF_HUB_OFFLINE"] = "1"
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            if warm and not _fits(base / f"{_KERNELS}-{'0' * 16}.{'0' * 7}"):
                give_up("the name of the temporary folder is too long for a socket (set TMPDIR to another)")
            elif warm and sys.platform == "linux":
                stack.enter_context(template(base, _KERNELS, [*_EVERY_KERNEL, *warm]))
                stack.enter_context(template(base, CHECKS, _EVERY_CHECK))
            elif warm:
                give_up("forking a process is not safe on this system")
            yield settings
            for reason in fallbacks():
                say(f"Kernels were started one by one, which is slower: {reason}.")
        finally:
            while _templates:
                _templates.pop().close()
            with _starting:
                for name, value in before.items():
                    os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


_starting = Lock()


@contextmanager
def still_open() -> Iterator[None]:
    """While this is open, so is the environment: what a stopped thread starts later would be left. Or ClosedError."""
    with _starting:
        if private_folder() is None:
            raise ClosedError
        yield


_variables: ContextVar[Mapping[str, str]] = ContextVar("variables", default=MappingProxyType({}))


@contextmanager
def variables(**given: str) -> Iterator[None]:
    """Give these environment variables to the kernels that this thread starts in here, besides all others."""
    token = _variables.set({**_variables.get(), **given})
    try:
        yield
    finally:
        _variables.reset(token)


def own_variables() -> dict[str, str]:
    """The variables for kernels that this thread starts."""
    return {**os.environ, **_variables.get()}


@contextmanager
def ready(names: Sequence[str]) -> Iterator[None]:
    """Have kernels that start in here find these modules imported, and no others, as far as forking is possible.

    ``names`` are those of `imports.needed`. Another template is forked from the common one, for the rest of them;
    where it fails, kernels are forked from the common one.
    """
    with variables(**{_TEMPLATE: _template_for(names)}):
        yield


def _template_for(names: Sequence[str]) -> str:
    """The name of a template that has imported these names and no others; "" where none has."""
    folder = private_folder()
    if folder is None or not (folder / f"{_KERNELS}.txt").exists() or fallbacks():
        return ""
    there = (folder / f"{_KERNELS}.txt").read_text(encoding="utf-8").splitlines()[len(_EVERY_KERNEL) :]
    if not set(there) <= set(names):
        return ""
    missing = [name for name in names if name not in there]
    name = f"{_KERNELS}-{hashlib.sha256(' '.join(missing).encode()).hexdigest()[:16]}" if missing else _KERNELS
    path = folder / f"{name}.socket"
    with _asking:
        while missing and not path.exists():
            try:
                env = own_variables() | {VARIABLE: str(path.with_suffix(".record"))}
                _templates.append(fork_template(folder / f"{_KERNELS}.socket", path, missing, env=env))
            except NoisyError as noisy:
                missing = [name for name in missing if package_of(name) != str(noisy)]
            except ForkError:
                return _KERNELS
    return name if missing else _KERNELS


_asking = Lock()
_templates: list[Fork] = []
"""Those that this process asked for; each ends when it lets go of them."""


def records() -> list[Path] | None:
    """What the templates of the open environment noted of their reads; None where one has ended, or there are many."""
    if len(_templates) > _MANY or any(template.poll() is not None for template in _templates) or fallbacks():
        return None
    return sorted((private_folder() or Path()).glob("*.record"))


def private_folder() -> Path | None:
    """Where files of the open environment may lie; all are removed with it. None outside of one."""
    folder = os.environ.get(_FOLDER)
    return Path(folder) if folder else None


def fallbacks() -> list[str]:
    """Why the open environment starts ordinary kernels, each reason once; empty where it forks them."""
    folder = private_folder()
    path = folder and folder / "fallbacks.txt"
    return list(dict.fromkeys(path.read_text(encoding="utf-8").splitlines())) if path and path.exists() else []


def give_up(reason: str) -> None:
    """Ask no template any more, in all processes of this build; nothing where the environment has closed."""
    if folder := private_folder():
        with (folder / "fallbacks.txt").open("a", encoding="utf-8") as file:
            file.write(reason + "\n")


def try_to_fork(name: str, argv: list[str], *, env: dict[str, str], cwd: Path, output: Sequence[int]) -> Fork | None:
    """A fork of a template of the open environment, or None where there is none that works."""
    folder = private_folder()
    if folder is None or not (folder / f"{name}.socket").exists() or fallbacks():
        return None
    try:
        return fork(folder / f"{name}.socket", argv, env=env, cwd=cwd.resolve(), output=output)
    except ForkError as error:
        if name.startswith(f"{_KERNELS}-"):
            return try_to_fork(_KERNELS, argv, env=env, cwd=cwd, output=output)
        give_up(str(error))
        return None


def _fits(socket: Path) -> bool:
    """Whether a socket can have this path: Linux has room for 107 bytes, macOS for 103."""
    return len(os.fsencode(socket)) <= 103
