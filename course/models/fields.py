"""Readers of single fields: each takes a value and where it stands, and gives it back checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from course.models.errors import ModelError

Reader = Callable[[Any, str], Any]


def fields(
    value: Any, where: str, required: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None
) -> dict[str, Any]:
    """The fields of a table, each through its reader; ModelError names a missing, unknown or wrong one."""
    given = table(value, where)
    readers = {**required, **(optional or {})}
    for name in given:
        if name not in readers:
            close = get_close_matches(name, readers, n=1)
            raise ModelError(f"{where}.{name} is no field; use {close[0] if close else ' or '.join(readers)}")
    for name in required:
        if name not in given:
            raise ModelError(f"{where}.{name} is missing; add it")
    return {name: readers[name](inner, f"{where}.{name}") for name, inner in given.items()}


def table(value: Any, where: str) -> dict[str, Any]:
    """A TOML table."""
    if not isinstance(value, dict):
        raise wrong(where, "a table", value)
    return value


def wrong(where: str, needed: str, found: Any) -> ModelError:
    """The error for a value that is not what its field needs."""
    return ModelError(f"{where} must be {needed}, not {found!r}")


def text(value: Any, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise wrong(where, "a text", value)
    return value


def texts(value: Any, where: str) -> tuple[str, ...]:
    """A list of texts."""
    return each(value, where, text)


def each(value: Any, where: str, reader: Reader) -> tuple[Any, ...]:
    """A list, each item through the same reader."""
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return tuple(reader(item, f"{where}[{i}]") for i, item in enumerate(value))


def matching(pattern: str, needed: str) -> Reader:
    """A reader of texts that match a pattern as a whole."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise wrong(where, needed, value)
        return value

    return read


revision = matching(r"[0-9a-f]{40}", "40 hex digits")
digest = matching(r"[0-9a-f]{64}", "64 hex digits")


def size(value: Any, where: str) -> int:
    """A number of bytes."""
    if type(value) is not int or value <= 0:
        raise wrong(where, "a number of bytes", value)
    return value


def number(value: Any, where: str) -> float:
    """A finite number, whole or not."""
    if type(value) not in (int, float) or not math.isfinite(value):
        raise wrong(where, "a number", value)
    return float(value)


def interval(value: Any, where: str) -> tuple[float, float]:
    """The two ends of an interval."""
    ends = each(value, where, number)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise wrong(where, "the two ends of an interval, lower first", value)
    return ends[0], ends[1]
