"""Waiting for something in a page whose policy forbids eval."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 20


def until(frame: Any, condition: str, argument: Any = None) -> None:
    """Wait until a condition, a JavaScript function or expression, holds in a frame.

    Playwright's own ``wait_for_function`` asks again by eval inside the page (1.65), which the views' content security
    policy refuses: it works only where the condition holds at once.
    """
    end = time.monotonic() + SECONDS
    while not frame.evaluate(condition, argument):
        assert time.monotonic() < end, f"not within {SECONDS} s: {condition}"
        time.sleep(0.05)
