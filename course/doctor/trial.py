"""A trial of the course, in a process of its own: what crashes there is a finding here.

There `main` imports the libraries, loads a model, looks at its attention and draws a picture, and writes what it
finds as lines of JSON; here `trial` starts it and reads them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from course.doctor.findings import Finding, failed, noted, passed
from course.doctor.machine import usable_cores

LIBRARIES = ("numpy", "torch", "transformers", "matplotlib")
MORE_LIBRARIES = ("scipy", "sklearn", "captum", "peft")
"""Slow to import; tried in a full trial only."""
PATIENCE = 180.0
"""Seconds: a slow disk needs a minute for the first import of torch."""
_START = "import sys; from course.doctor.trial import main; sys.exit(main(sys.argv[1:]))"


def trial_here() -> Iterator[Finding]:
    """What a first lesson does, tried out in this process, which has imported the libraries."""
    for name, attempt in _attempts():
        yield _tried(name, attempt)


def trial(*, full: bool = False, patience: float = PATIENCE) -> Iterator[Finding]:
    """What a first lesson does, tried out; ``full`` tries all libraries and loads every shipped model."""
    home = str(Path(__file__).parents[2])
    search = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), home]))
    command = [sys.executable, "-c", _START, *(["--full"] if full else [])]
    environment = {**os.environ, "PYTHONPATH": search, "PYTHONWARNINGS": "ignore", "PYTHONIOENCODING": "utf-8"}
    late = False
    try:
        done = subprocess.run(command, capture_output=True, env=environment, timeout=patience, check=False)
        code, out, told = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        late, code, out, told = True, 0, error.stdout or b"", b""
    step, whole = "start", False
    for line in out.decode("utf-8", "replace").splitlines():
        said = json.loads(line)
        step, whole = said.get("step", step), said.get("step") == "end"
        if "status" in said:
            yield Finding(**said)
    if late:
        yield failed(step, f"not done after {patience:.0f} seconds",
                     "try again when the machine is idle")  # fmt: skip
    elif code or not whole:
        last = (told.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"])[-1]
        yield failed(step, f"Python {_died(code)} at this ({last})", _reinstall(step))


def _died(code: int) -> str:
    names = {int(one): one.name for one in signal.Signals}
    return f"died ({names.get(-code, f'signal {-code}')})" if code < 0 else f"stopped with exit code {code}"


def _reinstall(name: str) -> str:
    package = {"sklearn": "scikit-learn"}.get(name, name)
    if package in (*LIBRARIES, *MORE_LIBRARIES, "scikit-learn"):
        more = ", and the Visual C++ Redistributable of Microsoft" if sys.platform == "win32" else ""
        return f"python -m pip install --force-reinstall --no-deps {package}{more}"
    return "make a new environment, and install the course into it"


def main(arguments: list[str]) -> int:
    """The other side: try, and write a line for each step that begins and each thing that is found."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries that print while they are imported do not disturb the lines
    full = "--full" in arguments
    if _all_imported(channel, (*LIBRARIES, *(MORE_LIBRARIES if full else ()))):
        for name, attempt in (*_attempts(), *([("all models", _every_model)] if full else [])):
            _write(channel, {"step": name})
            _write(channel, asdict(_tried(name, attempt)))
    _write(channel, {"step": "end"})
    return 0


def _attempts() -> tuple[tuple[str, Callable[[], Finding]], ...]:
    attention: list[Any] = []
    return ("model", lambda: _model(attention)), ("picture", lambda: _picture(attention)), ("threads", _threads)


def _write(channel: IO[str], line: dict[str, Any]) -> None:
    channel.write(json.dumps(line) + "\n")
    channel.flush()


def _all_imported(channel: IO[str], names: tuple[str, ...]) -> bool:
    sound = True
    for name in names:
        _write(channel, {"step": name})
        try:
            import_module(name)
        except (Exception, SystemExit) as error:
            sound = False
            says = f"cannot be imported ({type(error).__name__}: {_first_line(error)})"
            _write(channel, asdict(failed(name, says, _reinstall(name))))
    if sound:
        _write(channel, asdict(passed("imports", f"{', '.join(names)} can be imported")))
    return sound


def _tried(name: str, attempt: Callable[[], Finding]) -> Finding:
    from course.models.errors import ModelError

    try:
        return attempt()
    except ModelError as error:
        says, _, fix = str(error).rpartition("; ")
        return failed(name, says or fix, fix)
    except Exception as error:
        return failed(name, f"{type(error).__name__}: {_first_line(error)}", _reinstall(name))


def _model(attention: list[Any]) -> Finding:
    import torch

    import course

    model = course.load("minilm")
    found = course.attend(model, "The cat sat on the mat")
    assert isinstance(found, course.Attention)
    check = found.identities(tolerance=1e-4)
    if not torch.isfinite(found.weights).all() or not check.hold:
        return failed("model", f"minilm computes a wrong attention on {model.device}", _reinstall("torch"))
    attention.append(found)
    return passed("model", f"minilm loads, on {model.device}; its attention is softmax(QKᵀ/√d)")


def _picture(attention: list[Any]) -> Finding:
    import io

    from PIL import Image

    import course

    if not attention:
        return noted("picture", "not tried, without a model")
    view = course.head_view(attention[0], layer=0, heads=[2])
    picture = Image.open(io.BytesIO(view.png())).convert("RGB")
    if picture.getcolors(2):  # there are no more than two
        return failed("picture", "the picture of a head is blank", _reinstall("matplotlib"))
    return passed("picture", f"a head is drawn, {picture.width} × {picture.height}")


def _threads() -> Finding:
    import torch

    threads, cores = torch.get_num_threads(), usable_cores()
    if threads > cores:
        return noted("threads", f"torch uses {threads} threads on {cores} cores",
                     f"set OMP_NUM_THREADS={cores} before Jupyter starts")  # fmt: skip
    return passed("threads", f"torch uses {threads} of {cores} cores")


def _every_model() -> Finding:
    import course
    from course.models.catalogue import read_catalogue

    roles = [role.name for role in read_catalogue().values() if role.shipped]
    for name in roles:
        course.load(name)
    return passed("all models", f"{', '.join(roles)} load")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]
