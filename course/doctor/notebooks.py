"""Jupyter: something to open notebooks in, and a kernel of this Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course.doctor.findings import Finding, failed, noted, passed
from course.doctor.packages import installed

KERNEL = "python3"
OWN_KERNEL = "python -m ipykernel install --sys-prefix"
_PATIENCE = 60


def jupyter(*, full: bool = False) -> Iterator[Finding]:
    """What opens notebooks, the kernel that they run in, and what they do not need; ``full`` starts the kernel."""
    editors = [f"{name} {version}" for name in ("jupyterlab", "notebook") if (version := installed(name))]
    if editors:
        yield passed("Jupyter", ", ".join(editors))
    else:
        yield noted("Jupyter", "neither JupyterLab nor Notebook is installed in this environment",
                    "python -m pip install jupyterlab, or open the notebooks in VS Code")  # fmt: skip
    wrong = _kernel_problem()
    if wrong is None and full:
        wrong = _start_problem()
    yield wrong or passed("kernel", f"{KERNEL} is of this Python" + (", starts and imports the course" if full else ""))
    yield passed("extensions", "none needed, nor widgets; until a notebook is trusted, its pictures are still ones")


def _kernel_problem() -> Finding | None:
    if installed("ipykernel") is None:
        return failed("kernel", "ipykernel is not installed", "python -m pip install ipykernel")
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError as error:
        return failed("kernel", f"jupyter_client cannot be imported ({error})", "python -m pip install jupyter_client")
    try:
        command = KernelSpecManager().get_kernel_spec(KERNEL).argv[0]
    except NoSuchKernel:
        return failed("kernel", f"there is no kernel {KERNEL}", OWN_KERNEL)
    # "python" alone is replaced by the Python that starts it; a path is another environment's if its folder is.
    where = Path(command).parent
    if where != Path() and where.absolute() != Path(sys.executable).absolute().parent:
        return failed("kernel", f"{KERNEL} is {command}, and not this Python", OWN_KERNEL)
    return None


def _start_problem() -> Finding | None:
    from jupyter_client.manager import start_new_kernel

    said: list[str] = []

    def listen(message: Any) -> None:
        said.append(message["content"].get("text", ""))

    advice = f"{OWN_KERNEL}, and see what python -m ipykernel_launcher says"
    try:
        manager, client = start_new_kernel(_PATIENCE, KERNEL, stderr=subprocess.DEVNULL)
    except Exception as error:
        return failed("kernel", f"{KERNEL} does not start ({_told(error)})", advice)
    try:
        reply = client.execute_interactive("import course; print('here')", timeout=_PATIENCE, output_hook=listen)
    except Exception as error:
        return failed("kernel", f"{KERNEL} does not answer ({_told(error)})", advice)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok" or "here" not in "".join(said):
        why = f"{reply['content'].get('ename', '')} {reply['content'].get('evalue', '')}".strip()
        return failed("kernel", f"the course cannot be imported in {KERNEL} ({why})", OWN_KERNEL)
    return None


def _told(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().split("\n")[0]
