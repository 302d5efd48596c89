"""Options that every test may need."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, metavar="DIR", help="folder of data sets, to repeat published scores")


def pytest_configure() -> None:
    os.environ.pop("COURSE_MODELS", None)  # a class's shared folder must not decide what the tests load
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with Ctrl-C ignored


@pytest.fixture(scope="session")
def data(request: pytest.FixtureRequest) -> Path:
    """The folder given as --data."""
    folder: Path | None = request.config.getoption("--data")
    if folder is None:
        pytest.skip("repeats a published score: needs --data=DIR")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _no_garbage_of_others():
    """What earlier files left to the collector would warn in the middle of a test that allows no warning."""
    gc.collect()
