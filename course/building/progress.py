"""What the cells of a running notebook took, and why they were stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from course.building.limits import OUTPUT_BYTES

_TEXTS = ("text", "data", "traceback", "evalue")


@dataclass
class Progress:
    """How far a notebook has come, filled in while it runs.

    ``seconds`` are of the cells that ended, by cell id; ``at`` is the cell that began last. ``left`` the kernel is
    by its own wish: `exit()` ends it only after the cell. ``stopped`` says why it was stopped, in a sentence on
    the cell ``stopped_at``.
    """

    cell_seconds: float
    lesson_seconds: float
    notebook: NotebookNode | None = None
    provisioner: Any = None
    at: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    left: str = ""
    stopped: str = ""
    stopped_at: str = ""
    _began: float = 0.0
    _put_out: int = 0

    def begins(self, cell: NotebookNode, cell_index: int) -> None:
        """nbclient is about to execute a cell."""
        self.at, self._began, self._put_out = cell.id, time.monotonic(), 0

    def ended(self, cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
        """nbclient has the reply to a cell."""
        self.seconds[cell.id] = time.monotonic() - self._began
        payload = (execute_reply or {}).get("content", {}).get("payload", [])
        if any(part.get("source") == "ask_exit" for part in payload):
            self.left = self.left or cell.id

    def seconds_for(self, cell: NotebookNode) -> float:
        """How long the next cell may run; nbclient takes 0 for no limit at all."""
        return max(0.001, min(self.cell_seconds, self.lesson_seconds - sum(self.seconds.values())))

    def overtime(self) -> str:
        """What to say of the cell that was stopped by `seconds_for`."""
        if time.monotonic() - self._began >= self.cell_seconds:
            return f"this cell ran longer than {self.cell_seconds:g} s"
        return f"in this cell the lesson had run for {self.lesson_seconds:g} s, the limit for all cells together"

    def received(self, message: dict[str, Any]) -> None:
        """Count what a cell puts out, and stop the kernel where it is too much to keep."""
        content = message["content"]
        self._put_out += size(content)
        if self._put_out > OUTPUT_BYTES:
            content.update((key, type(content[key])()) for key in _TEXTS if key in content)
            self.stopped_at = self.at  # the kernel may begin another cell before it is gone
            self.stopped = f"this cell puts out more than {OUTPUT_BYTES // 1_000_000} MB, the limit"
            self.provisioner.watch.stop(self.stopped)


def size(content: dict[str, Any]) -> int:
    """How long the texts are that a kernel's message puts out."""
    texts = [content.get("text"), *content.get("data", {}).values(), *content.get("traceback", ())]
    return sum(len(text) for text in texts if isinstance(text, str))
