"""The machine: its Python, memory, disk, processor, folders and environment variables."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course.doctor.findings import Finding, failed, noted, passed

OLDEST = (3, 11)
LEAST_MEMORY, ENOUGH_MEMORY = 0.6e9, 1.5e9
"""Bytes: a kernel with a lesson reaches 0.5 to 0.9 GB, and something else has to open the notebook."""
LEAST_DISK, ENOUGH_DISK = 100e6, 1e9
_CGROUP = Path("/sys/fs/cgroup")


def python() -> Iterator[Finding]:
    """The version, and whether it is one of 64 bits."""
    version = ".".join(map(str, sys.version_info[:3]))
    bits = 64 if sys.maxsize > 2**32 else 32
    wanted = ".".join(map(str, OLDEST))
    if tuple(sys.version_info[:2]) < OLDEST:
        yield failed("Python", f"{version}, and the course needs {wanted} or newer",
                     f"install Python {wanted} or newer, and make a new environment with it")  # fmt: skip
    elif bits == 32:
        yield failed("Python", f"{version} of 32 bits, for which there is no torch", "install Python of 64 bits")
    else:
        yield passed("Python", f"{version}, {bits} bits, {sys.executable}")


def memory() -> Iterator[Finding]:
    """What programs could still take: of the machine, or of the container if that is less."""
    free = free_memory()
    if free is None:
        yield noted("memory", "how much is free cannot be seen", f"see that {ENOUGH_MEMORY / 1e9:.1f} GB are")
    elif free < LEAST_MEMORY:
        yield failed("memory", f"{free / 1e9:.1f} GB free, and a lesson needs up to 0.9",
                     "close other programs and other notebooks' kernels")  # fmt: skip
    elif free < ENOUGH_MEMORY:
        yield noted("memory", f"{free / 1e9:.1f} GB free, and a lesson needs up to 0.9",
                    "open one lesson at a time, and shut its kernel down after it")  # fmt: skip
    else:
        yield passed("memory", f"{free / 1e9:.1f} GB free")


def free_memory() -> float | None:
    """Bytes that are free; None where nothing tells."""
    found = []
    try:
        import psutil  # type: ignore[import-untyped]  # comes with peft

        found.append(float(psutil.virtual_memory().available))
    except Exception:
        pass
    try:
        limit, used = ((_CGROUP / name).read_text() for name in ("memory.max", "memory.current"))
        found.append(float(int(limit) - int(used)))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        pass
    return min(found, default=None)


def usable_cores() -> int:
    """How many cores this process may use at once."""
    counts = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        counts.append(max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return min(counts)


def disk() -> Iterator[Finding]:
    """Room for notebooks in the working folder, and for hub checkpoints at home."""
    here = shutil.disk_usage(Path.cwd()).free
    if here < LEAST_DISK:
        yield failed("disk", f"{here / 1e6:.0f} MB free in the working folder", "make room, or work on another disk")
    elif here < ENOUGH_DISK:
        yield noted("disk", f"{here / 1e6:.0f} MB free in the working folder", "make room before notebooks grow")
    else:
        yield passed("disk", f"{here / 1e9:.1f} GB free")


def folder() -> Iterator[Finding]:
    """Whether notebooks can be saved in the working folder, and nothing there hides a library."""
    try:
        here = Path.cwd()
        with tempfile.TemporaryFile(dir=here) as file:
            file.write(b"course")
    except OSError as error:
        why = error.strerror or type(error).__name__
        yield failed("folder", f"the working folder cannot be written to ({why})", "change to a folder of your own")
        return
    libraries = ("torch", "transformers", "numpy", "matplotlib", "captum", "scipy", "sklearn", "IPython")
    for name in libraries:
        if (here / f"{name}.py").exists() or (here / name / "__init__.py").exists():
            yield failed("folder", f"{name} in the working folder hides the library of that name",
                         f"give {name} in {here} another name")  # fmt: skip
            return
    yield passed("folder", f"{here} can be written to")


def network() -> Iterator[Finding]:
    """Not needed; what the variables that steer it say."""
    from course.models.errors import ModelError
    from course.models.shared import VARIABLE, shared_folder

    try:
        shared = shared_folder()
    except ModelError as error:
        says, _, advice = str(error).rpartition("; ")
        yield failed("network", says, advice)
        return
    # The same spellings as huggingface_hub's, which is not imported here.
    offline = [
        name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
        if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}
    ]  # fmt: skip
    told = [f"{name} is set: hub models only if they are here already" for name in offline[:1]]
    told += [f"{VARIABLE} names {shared.folder}"] if shared else []
    yield passed("network", "; ".join(["not needed for the shipped models", *told]))
