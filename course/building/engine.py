"""papermill's engine, held to limits."""

from __future__ import annotations

import time
from contextlib import suppress
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger

from course.building.progress import Progress

ENGINE = "attention-course"


class _Kernel(AsyncKernelClient):  # type: ignore[misc]
    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Until the kernel has answered, on both channels.

        jupyter_client's own then waits a fifth of a second for what else may come, which nbclient passes over anyway.
        """
        until = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < until and await self.is_alive():
            self.kernel_info()
            with suppress(Empty):
                reply = await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=0.2)
                self._handle_kernel_info_reply(reply)
                return
        raise RuntimeError("the kernel does not answer")


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    progress: Progress

    def create_kernel_manager(self) -> Any:
        manager = super().create_kernel_manager()
        manager.client_factory = _Kernel
        return manager

    def papermill_execute_cells(self) -> None:
        self.progress.provisioner = self.km.provisioner
        super().papermill_execute_cells()

    def process_message(self, msg: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        self.progress.received(msg)
        return super().process_message(msg, *args, **kwargs)


class _Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine, with limits and in a working directory that is the kernel's alone.

    papermill's ``cwd`` would change the directory of the whole build, and so of notebooks in other threads.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, progress: Progress, folder: str, start_timeout: int = 60, **_kwargs: Any
    ) -> NotebookNode:
        progress.notebook = nb_man.nb
        client = _Client(
            nb_man, kernel_name=kernel_name, startup_timeout=start_timeout, log=logger,
            resources={"metadata": {"path": folder}}, timeout_func=progress.seconds_for, shutdown_kernel="immediate",
            on_cell_execute=progress.begins, on_cell_executed=progress.ended,
        )  # fmt: skip
        client.progress = progress
        return client.execute()


papermill_engines.register(ENGINE, _Engine)
