"""How long `course.load` takes for each shipped role, beside plain transformers reading the same weights.

Both sides run in turn in one process, after all imports; each time is the median of several. `course.load`
hashes every file, reads half precision or an adapter and merges it; the other side reads one float32 file
that `save_pretrained` wrote. Printed: seconds of both, and their ratio.

    python benchmarks/loading.py [--rounds 5] [ROLE ...]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers

import course
from course.models import files, read_catalogue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roles", nargs="*", help="roles (default: all that are shipped)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs (default: 5)")
    given = parser.parse_args()
    roles = given.roles or [name for name, role in read_catalogue().items() if role.shipped]
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    print(f"{'role':16} {'course.load':>12} {'from_pretrained':>16} {'ratio':>6}")
    for role in roles:
        model = course.load(role, device="cpu")  # once, for what is imported late
        with TemporaryDirectory() as folder:
            model.module.save_pretrained(folder)
            own, plain = compare(partial(fresh, role), partial(read, type(model.module), Path(folder)), given.rounds)
        print(f"{role:16} {own:10.3f} s {plain:14.3f} s {own / plain:6.2f}")


def compare(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median seconds of both, run in turn."""
    times = [(timed(one), timed(other)) for _ in range(rounds)]
    return statistics.median(first for first, _ in times), statistics.median(second for _, second in times)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fresh(role: str) -> None:
    files._sha256.cache_clear()  # a process that loads for the first time hashes every file
    course.load(role, device="cpu")


def read(kind: Any, folder: Path) -> None:
    kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)


if __name__ == "__main__":
    main()
