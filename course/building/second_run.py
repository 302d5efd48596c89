"""A pytest plugin for the second run: nbval, with a kernel that dies and output without end noticed at once.

nbval 0.11 waits for a reply of a dead kernel until the cell's time is over, and reads no output until there is one.
jupyter_client listens for a fifth of a second to a kernel that is ready; nbval then asks what it has to know itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from nbval.kernel import RunningKernel

from course.building.kernels import give_up
from course.building.limits import OUTPUT_BYTES, ending
from course.building.progress import size

_wait_for_message: Callable[..., dict[str, Any]] = RunningKernel.get_message
_lives: Callable[..., bool] = RunningKernel.is_alive
_listens: Callable[..., None] = BlockingKernelClient.wait_for_ready
_EVERY = 0.2


def _get_message(kernel: RunningKernel, stream: str, timeout: float | None = None) -> dict[str, Any]:
    """In place of nbval's: raises RuntimeError where the kernel is dead, as nbval does between cells."""
    until = time.monotonic() + (float("inf") if timeout is None else timeout)
    while True:
        unread = _read_output(kernel)
        if stream == "iopub" and unread:
            return unread.popleft()
        try:
            message = _wait_for_message(kernel, stream, max(0.0, min(_EVERY, until - time.monotonic())))
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError(_end(kernel)) from None
            if time.monotonic() >= until:
                raise
        else:
            if stream == "iopub":
                _count(kernel, message)
            return message


def _read_output(kernel: RunningKernel) -> deque[dict[str, Any]]:
    """What the kernel has put out and nbval has not asked for, up to the limit."""
    if not hasattr(kernel, "unread"):
        kernel.unread, kernel.put_out = deque(), 0
    while kernel.put_out <= OUTPUT_BYTES:
        try:
            message = _wait_for_message(kernel, "iopub", 0)
        except Empty:
            break
        _count(kernel, message)
        kernel.unread.append(message)
    return kernel.unread  # type: ignore[no-any-return]


def _count(kernel: RunningKernel, message: dict[str, Any]) -> None:
    kernel.put_out = 0 if message["msg_type"] == "execute_input" else kernel.put_out + size(message["content"])
    if kernel.put_out > OUTPUT_BYTES:
        kernel.km.provisioner.watch.stop(f"this cell puts out more than {OUTPUT_BYTES // 1_000_000} MB, the limit")


def _is_alive(kernel: RunningKernel) -> bool:
    """In place of nbval's, which asks between cells, too: a kernel that was lost with its template is told."""
    alive = _lives(kernel)
    if not alive and getattr(kernel.km.provisioner.launched, "lost", False):
        give_up("the template of the kernels died")
    return alive


def _wait_for_ready(client: BlockingKernelClient, timeout: float | None = None) -> None:
    """In place of jupyter_client's: until the kernel has answered."""
    until = time.monotonic() + (float("inf") if timeout is None else timeout)
    while time.monotonic() < until and client.is_alive():
        client.kernel_info()
        with suppress(Empty):
            client._handle_kernel_info_reply(client.get_shell_msg(timeout=1))
            return
    raise RuntimeError("the kernel does not answer")


def _end(kernel: RunningKernel) -> str:
    provisioner = kernel.km.provisioner
    return provisioner.watch.reason or f"the kernel {ending(provisioner.launched.poll())}"


def pytest_configure() -> None:
    """Called by pytest, once nbval is loaded."""
    RunningKernel.get_message, RunningKernel.is_alive = _get_message, _is_alive
    BlockingKernelClient.wait_for_ready = _wait_for_ready


def pytest_unconfigure() -> None:
    """Called by pytest at the end."""
    RunningKernel.get_message, RunningKernel.is_alive = _wait_for_message, _lives
    BlockingKernelClient.wait_for_ready = _listens
