"""What a kernel may take, and a watch over its memory and its end."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

import psutil

CELL_SECONDS = 600
"""A cell may run so long, unless its lesson's header says cell_seconds."""
LESSON_SECONDS = 1800
"""All cells of a notebook together, unless the header says lesson_seconds."""
STARTING_SECONDS = 120
"""A kernel, or a template that it waits for, may take so long to start."""
OUTPUT_BYTES = 20_000_000
"""A cell may put out so much: a browser that opens the notebook has to hold all of it."""
MEMORY_BYTES = min(8 << 30, psutil.virtual_memory().total * 6 // 10)
"""A kernel and what it started may hold so much: 8 GiB, or three fifths of a smaller machine."""
TYPICAL_BYTES = 3 << 29
"""What a kernel is taken to hold before any has run: 1.5 GiB."""

_EVERY = 0.05
_LOOK_FOR_CHILDREN_EVERY = 0.5  # it reads all of /proc


def side_by_side(peak: int) -> int:
    """How many kernels may run at a time, each holding up to ``peak`` bytes: one a core, as far as memory goes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available // peak)))


def in_gibibytes(number: float) -> str:
    """``8589934592`` as "8.0 GiB"."""
    return f"{number / (1 << 30):.1f} GiB"


def ending(code: int) -> str:
    """How a process ended, to follow "the kernel"; ``code`` as subprocess gives it, negative for a signal."""
    if code >= 0:
        return f"ended in this cell with exit code {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        hint = ": by hand, or by the system as memory ran out" if name == "SIGKILL" else ""
        return f"died in this cell of {name}{hint}"
    return f"died in this cell of signal {-code}"


class Watch(threading.Thread):
    """Watches a process and all it starts: kills them above ``limit`` bytes; `close` kills what it left behind.

    ``peak`` is the most memory that was seen; ``reason`` says why the watch killed, if it did. Resident memory is
    summed, so that a page which two of the processes share counts twice.
    """

    def __init__(self, pid: int, limit: int) -> None:
        super().__init__(name=f"watch over {pid}", daemon=True)
        self.limit = limit
        self.peak = 0
        self.reason: str | None = None
        self._closed = threading.Event()
        self._found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            self._found.append(psutil.Process(pid))

    def run(self) -> None:
        """Look every twentieth of a second."""
        looked = 0.0
        while not self._closed.wait(_EVERY):
            if time.monotonic() - looked > _LOOK_FOR_CHILDREN_EVERY:
                looked = time.monotonic()
                self._find_children()
            held = sum(map(_held, self._found))
            self.peak = max(self.peak, held)
            if held > self.limit:
                self.stop(f"this cell took the kernel above {in_gibibytes(self.limit)} of memory, the limit")

    def stop(self, reason: str) -> None:
        """Kill the process and all it started; the first reason stays."""
        self.reason = self.reason or reason
        self._find_children()
        self._kill()

    def close(self) -> None:
        """End the watch; the process has ended, and what it started must not outlive it."""
        self._closed.set()
        if self.is_alive() and self is not threading.current_thread():
            self.join()
        self._kill()

    def _find_children(self) -> None:
        known = set(self._found)
        for process in tuple(self._found):
            with suppress(psutil.Error):
                new = [child for child in process.children(recursive=True) if child not in known]
                self._found += new
                known.update(new)

    def _kill(self) -> None:
        for process in tuple(self._found):
            with suppress(psutil.Error):  # psutil itself refuses another process that got the same number
                process.kill()


def _held(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0
