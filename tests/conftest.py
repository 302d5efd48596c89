"""Options that every test may need."""

from __future__ import annotations

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
