"""Objectives: what a lesson promises, and the exercises that practise it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from course.building.percent import Script
from course.building.problems import Problem

_PRACTISED = re.compile(r"(?P<text>.*?)\s*\((?P<keys>\d+\.\d+(?:,\s*\d+\.\d+)*)\)\s*", re.DOTALL)


def practised(objective: str) -> tuple[str, tuple[str, ...]]:
    """What an objective says, and the keys of the exercises at its end.

    >>> practised("count tokens (1.1, 1.2)")
    ('count tokens', ('1.1', '1.2'))
    """
    found = _PRACTISED.fullmatch(objective)
    return (found["text"], tuple(re.split(r",\s*", found["keys"]))) if found else (objective, ())


def for_students(objective: str) -> str:
    """An objective as the lesson's first cell shows it: with a word before the keys."""
    text, keys = practised(objective)
    return f"{text} (exercise{'s' * (len(keys) > 1)} {', '.join(keys)})" if keys else text


def objective_problems(script: Script, exercises: Collection[str]) -> Iterator[Problem]:
    """Objectives that no exercise practises, in a lesson that has exercises, or that name one that is not there."""
    objectives = (script.header or {}).get("objectives")
    if not isinstance(objectives, list) or not all(isinstance(one, str) for one in objectives):
        return  # the header's own check says so
    for objective, line in zip(objectives, script.lines["objectives"], strict=True):
        text, keys = practised(objective)
        if exercises and not keys:
            some = ", ".join(list(exercises)[:2])
            yield Problem(
                script.file, line,
                f"no exercise practises {text!r}: end it with those that do, such as ({some}), or do not promise it",
            )  # fmt: skip
        for key in keys:
            if key not in exercises:
                known = ", ".join(exercises) or "none"
                yield Problem(script.file, line, f"{text!r} names exercise {key}, but there is {known}")
