"""examine(): look at the machine, piece by piece; no piece can end the examination."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from course.doctor import machine
from course.doctor.findings import Diagnosis, Finding, failed
from course.doctor.notebooks import jupyter
from course.doctor.packages import packages
from course.doctor.trial import trial, trial_here
from course.doctor.weights import weights

Check = Callable[[], Iterator[Finding]]


def examine(*, full: bool = False, here: bool = False) -> Diagnosis:
    """Whether this machine can run the course: Python, packages, models, a picture, memory, disk, Jupyter.

    Takes some seconds, most of them in a process of its own that imports torch, loads a model and draws. ``full``
    takes a minute: it also imports every library, loads every shipped model and starts a kernel. ``here`` loads and
    draws in this process instead, which takes a second where it has imported torch already; but what crashes Python
    then ends this process. Nothing is changed, nothing is asked of the network, and nothing is raised: what goes wrong
    is a finding. Raises ValueError for ``full`` and ``here`` together.
    """
    if full and here:
        raise ValueError("a full examination needs a process of its own: leave out here=True, or full=True")
    checks: list[tuple[str, Check]] = [
        ("Python", machine.python),
        ("packages", packages),
        ("models", weights),
        ("trial", trial_here if here else partial(trial, full=full)),
        ("memory", machine.memory),
        ("disk", machine.disk),
        ("folder", machine.folder),
        ("network", machine.network),
        ("Jupyter", partial(jupyter, full=full)),
    ]
    found: list[Finding] = []
    for name, check in checks:
        found += _safely(name, check)
        if name == "Python" and found[-1].status == "failed":
            break  # all else would fail for that reason
    return Diagnosis(tuple(found))


def _safely(name: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except Exception as error:
        why = f"{type(error).__name__}: {error}".strip().split("\n")[0]
        yield failed(name, f"could not be looked at ({why})", "make a new environment, and install the course into it")
