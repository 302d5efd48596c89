"""A pytest plugin for the second run: nbval, with a kernel that dies and output without end noticed at once.

nbval 0.11 waits for a reply of a dead kernel until the cell's time is over, and keeps all that a cell puts out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from nbval.kernel import RunningKernel

from course.building.kernels import give_up
from course.building.limits import OUTPUT_BYTES, ending

_wait_for_message: Callable[..., dict[str, Any]] = RunningKernel.get_message
_EVERY = 1.0


def _get_message(kernel: RunningKernel, stream: str, timeout: float | None = None) -> dict[str, Any]:
    """nbval's own, a second at a time; raises RuntimeError where the kernel is dead, as nbval does between cells."""
    until = time.monotonic() + (timeout or float("inf"))
    while True:
        try:
            message = _wait_for_message(kernel, stream, max(0.0, min(_EVERY, until - time.monotonic())))
            break
        except Empty:
            if not kernel.is_alive():
                provisioner = kernel.km.provisioner
                if getattr(provisioner.launched, "lost", False):
                    give_up("the template of the kernels died")
                said = provisioner.watch.reason or f"the kernel {ending(provisioner.launched.poll())}"
                raise RuntimeError(said) from None
            if time.monotonic() >= until:
                raise
    if message["msg_type"] == "execute_input":
        kernel.put_out = 0
    kernel.put_out = getattr(kernel, "put_out", 0) + len(str(message["content"]))
    if kernel.put_out > 2 * OUTPUT_BYTES:  # with names and escapes; what the first run put out is far below
        kernel.km.provisioner.watch.stop("this cell puts out more than in the first run, and more than the limit")
    return message


def pytest_configure() -> None:
    """Called by pytest, once nbval is loaded."""
    RunningKernel.get_message = _get_message


def pytest_unconfigure() -> None:
    """Called by pytest at the end."""
    RunningKernel.get_message = _wait_for_message
