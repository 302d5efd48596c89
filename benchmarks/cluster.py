"""One Dask worker beside two, on the same synthetic lessons, over loopback.

Each lesson runs four times (student, solution, wrong answers, second run), and each run has a cell that takes
``--seconds``. By default it waits, which two workers on one machine do as well as on two; ``--compute`` has it compute,
and then the workers share this machine's cores. Every round builds everything from nothing, with one worker and then
with two; starting the workers is not counted, admitting them and what it takes them to start is.

Printed: seconds by the clock, medians over the rounds, and their ratio.

    python benchmarks/cluster.py [--lessons 40] [--rounds 1] [--seconds 0.5] [--compute]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import synthetic

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lessons", type=int, default=40, help="how many lessons (default: 40)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each side builds them (default: 1)")
    parser.add_argument("--seconds", type=float, default=0.5, help="what the long cell takes (default: 0.5)")
    parser.add_argument("--compute", action="store_true", help="have the long cell compute, not wait")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="b") as folder:
        root = Path(folder)
        computes = f"end = time.process_time() + {given.seconds}\nwhile time.process_time() < end:\n    pass"
        synthetic.write(root, given.lessons, computes if given.compute else f"time.sleep({given.seconds})")
        shutil.copy(ROOT / "build.py", root)
        took: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(given.rounds):
            for workers, seconds in took.items():
                with cluster(workers, root) as address:
                    began = time.perf_counter()
                    subprocess.run(
                        [sys.executable, root / "build.py", "--scheduler", address], check=True,
                        stdout=subprocess.DEVNULL,
                    )  # fmt: skip
                    seconds.append(time.perf_counter() - began)
                shutil.rmtree(root / "build")
    one, two = (statistics.median(seconds) for seconds in took.values())
    does = "computes" if given.compute else "waits"
    print(f"{given.lessons} lessons, four runs each; the long cell {does} for {given.seconds} s")
    print(f"one worker {one:.1f} s, two workers {two:.1f} s: {one / two:.2f}×")
    print(f"{os.cpu_count()} cores; load now {os.getloadavg()[0]:.1f}")


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """A scheduler with so many workers, each a process with one thread."""
    known = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    common = ["--host", "127.0.0.1", "--no-dashboard"]
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--port", "0", "--scheduler-file", str(known), *common]
    worker = [*dask, "worker", "--scheduler-file", str(known), "--nworkers", str(workers), "--nthreads", "1", *common]
    started = [subprocess.Popen(command, **quiet) for command in (scheduler, worker)]
    try:
        from distributed import Client

        with Client(scheduler_file=str(known), timeout=120) as client:
            client.wait_for_workers(workers, timeout=120)
            address = client.scheduler.address
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
        known.unlink(missing_ok=True)  # the scheduler removes it as it ends


if __name__ == "__main__":
    main()
