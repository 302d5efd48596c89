"""``build.py --watch`` as a process of its own, with what it says."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import psutil

ROOT = Path(__file__).parents[2]
SECONDS = 120


class Watched:
    """A watch of the course below ``root``: on a tape, or of a copy of the whole kit, which has its own build.py."""

    def __init__(self, root: Path, temporary: Path, *arguments: str, tape: Path | None = None) -> None:
        self.root, self.lines, self._read = root, [], 0
        command = ["-m", "tests.building.tape", str(tape), str(root)] if tape else [str(root / "build.py")]
        home = ROOT if tape else root
        self.process = subprocess.Popen(
            [sys.executable, *command, "--watch", *arguments], cwd=home, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(home)},
        )  # fmt: skip
        Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, pattern: str) -> str:
        """The next line that matches, of those that were not asked for yet."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            while self._read < len(self.lines):
                self._read += 1
                if re.search(pattern, self.lines[self._read - 1]):
                    return self.lines[self._read - 1]
            assert self.process.poll() is None, self.lines
            time.sleep(0.02)
        raise AssertionError(f"no line {pattern!r} within {SECONDS} s: {self.lines}")

    def waits(self) -> None:
        """Come back when it waits for the next save."""
        self.until(r"^\d+ lessons passed, \d+ failed\.$")

    def unheard(self) -> list[str]:
        """The lines that were not asked for."""
        return self.lines[self._read :]

    def ran(self) -> dict[str, set[str]]:
        """Which steps the last build took, by lesson."""
        report = json.loads((self.root / "build" / "report.json").read_text(encoding="utf-8"))
        return {lesson["name"]: set(lesson["ran"]) for lesson in report["lessons"]}

    def page(self, name: str) -> str:
        return (self.root / "build" / "site" / f"{name}.html").read_text(encoding="utf-8")

    def shows(self, name: str, text: str) -> None:
        """Come back when the page of a lesson has this text."""
        end = time.monotonic() + SECONDS
        while not ((self.root / "build" / "site" / f"{name}.html").is_file() and text in self.page(name)):
            assert time.monotonic() < end and self.process.poll() is None, self.lines
            time.sleep(0.05)

    def served(self, name: str) -> tuple[str, str]:
        """What the page of a lesson says of its checks, and the page, as a browser gets it."""
        port = next(line for line in self.lines if line.startswith("Pages: ")).split(":")[3].split("/")[0]
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
        connection.request("GET", f"/{name}.html")
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        return answer.headers["Course-Checks"], page

    def processes(self) -> list[psutil.Process]:
        """All that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)
