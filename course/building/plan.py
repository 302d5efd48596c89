"""The plan of a build: which steps of a lesson still hold, and which must be taken again, and why.

A step is described by what it asks (hashes with a label each), by its surroundings, and by what it needed when it was
taken (`needs`). Its result holds if all three are as they were. Prose is in no execution's question: a run asks about
the cells that are executed. No date of a file is in any of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.building.digests import Digests, digest, sources
from course.building.lesson import LIMITS, Source
from course.building.needs import PACKAGE, Names, Reads, first_change
from course.building.store import Record, Store
from course.building.surroundings import Surroundings, difference, surroundings

if TYPE_CHECKING:
    from course.building.notebooks import Draft  # nbformat takes a second to import

SHIPPED = "shipped"
"""The profile that lessons name themselves."""
RUNS = ("student", "solution", "wrong answers")
STEPS = (*RUNS, "second run", "pages")
WHOLE = "whole"
"""Not a step, but all of them together: what is asked first."""

_KEPT = 4
"""How many results of a step are kept, so that going back to an earlier text runs nothing."""
_HERE = PACKAGE / "building"
_MENTIONED = re.compile(r"course\.building(?:\.| import )(\w+)")
_BY_VALUE = {"lesson", "exercises", "objectives", "percent", "problems"}
"""Modules that only make what a step is given, which is in its question by its value."""

Asks = Mapping[str, str]


def folder_of(root: Path, profile: str) -> Path:
    """Where a build of the lessons below ``root`` stands; those of other profiles beside it, each with its store."""
    return root / "build" if profile == SHIPPED else root / "build" / profile


def parameters_of(profile: str) -> dict[str, str]:
    """What is injected into a notebook: nothing where the lesson's own values stand."""
    return {} if profile == SHIPPED else {"PROFILE": profile}


class Plan:
    """What the store knows of the lessons below a root, for one profile."""

    def __init__(self, root: Path, out: Path, profile: str) -> None:
        self.root, self.out, self.profile = root.absolute(), out, profile
        self.store = Store(out / ".store")
        self.digests = Digests(self.store)
        self._names = Names(self.root)
        self._records: dict[str, Record] = {}
        self._changes: dict[str, str | None] = {}
        self.reads: dict[str, Reads] = {}
        """What the lessons that were made with this plan read, also where they failed."""

    # --- questions -------------------------------------------------------------------------------------------------

    def whole(self, source: Source, names: list[str]) -> Asks:
        """What all steps of a lesson together depend on, known without reading the lesson as a script."""
        solution = b"" if source.solution is None else source.solution
        return {
            f"lessons/{source.name}.py": digest(source.lesson),
            f"solutions/{source.name}.py": digest(solution, str(source.solution is None)),
            "the list of lessons": digest(*names),
            "the build's own code": self.own_code,
        }

    def run(self, step: str, draft: Draft, parameters: Mapping[str, str]) -> Asks:
        """What a run depends on: the code that it executes, and how."""
        what = {"student": "the code", "solution": "the code or an answer"}.get(step, "the code or a wrong answer")
        return {
            what: digest(draft.code()),
            "a limit in the header": _limits(draft),
            "the parameters": digest(json.dumps(dict(parameters), sort_keys=True)),
            "how the build runs notebooks": self.code_of("execute", "workplace", "notebooks"),
        }

    def second_run(self, draft: Draft, outputs: bytes) -> Asks:
        """What the comparison with a second run depends on."""
        return {
            "the solution's code": digest(draft.code()),
            "a limit in the header": _limits(draft),
            "what the solution shows": digest(outputs),
            "how the build compares runs": self.code_of("compare", "workplace", "notebooks"),
        }

    def pages(self, source: Source, runs: Mapping[str, bytes]) -> Asks:
        """What the proofs, the search for leaks and the body of the page depend on."""
        return {
            "the text": digest(source.lesson, source.solution or b""),
            **{f"what the {step} run shows": digest(outputs) for step, outputs in runs.items()},
            "how the build makes pages": self.page_code,
        }

    @cached_property
    def page_code(self) -> str:
        """The code and style that pages are made with."""
        style = self.digests.first(str(_HERE / "page.css"))
        return digest(self.code_of("outcomes", "leaks", "shown", "site", "notebooks"), style or "")

    @cached_property
    def own_code(self) -> str:
        """All of the build's code, and what it asks the catalogue of models."""
        found = [*sources(_HERE, "*.py", "*.css"), *sources(PACKAGE / "models", "*.py", "*.toml"),
                 PACKAGE / "exercises.py"]  # fmt: skip
        return digest(*(f"{path.name} {self.digests.first(str(path))}" for path in found))

    def code_of(self, *modules: str) -> str:
        """The hash of modules of the build and of all modules of the build that they mention, and so on."""
        found: dict[str, str] = {"exercises": self.digests.first(str(PACKAGE / "exercises.py")) or ""}
        waiting = list(modules)
        while waiting:
            name = waiting.pop()
            path = _HERE / f"{name}.py"
            if name not in found and name not in _BY_VALUE and path.is_file():
                found[name] = self.digests.first(str(path)) or ""
                waiting += _MENTIONED.findall(path.read_text(encoding="utf-8"))
        return digest(*(f"{name} {found[name]}" for name in sorted(found)))

    def look_around(self) -> None:
        """Take the surroundings as they are now, for later the build sets variables of its own, and its own code."""
        self._surroundings, self.own_code  # noqa: B018

    def moved(self, earlier: Plan) -> str | None:
        """What has changed around the build since another plan looked around, in a few words; None if nothing has."""
        if self.own_code != earlier.own_code:
            return "the build's own code changed"
        return difference(earlier._surroundings, self._surroundings) if self._where != earlier._where else None

    # --- answers ---------------------------------------------------------------------------------------------------

    def find(self, lesson: str, step: str, asks: Asks) -> tuple[dict[str, Any] | None, str]:
        """What a step gave when all was as it is now, or None and the reason why it must be taken again."""
        variants = self._record(lesson).get(step, [])
        reasons = []
        for variant in variants:
            reason = self._change(variant, asks)
            if reason is None:
                return dict(variant["gives"]), ""
            reasons.append(reason)
        return None, reasons[0] if reasons else "it was not taken before"

    def recall(self, lesson: str, step: str, asks: Asks) -> dict[str, Any] | None:
        """What a step once gave when the same was asked, whatever has become of the surroundings since."""
        variants = self._record(lesson).get(step, [])
        return next((dict(variant["gives"]) for variant in variants if variant["asks"] == dict(asks)), None)

    def keep(self, lesson: str, step: str, asks: Asks, gives: Mapping[str, Any], reads: Reads) -> None:
        """Keep what a step gave; not if there is a doubt about what it read."""
        if reads.doubts:
            return
        record = self._record(lesson)
        needs = self.store.put(json.dumps(dict(reads.needs), sort_keys=True).encode())
        where = self.store.put(self._surroundings_text)
        variant = {"asks": dict(asks), "where": where, "needs": needs, "gives": dict(gives)}
        others = [other for other in record.get(step, []) if other["asks"] != variant["asks"]]
        record[step] = [variant, *others][:_KEPT]
        self.store.keep(self._place(lesson), record)

    def needs(self, lesson: str, step: str, asks: Asks) -> Reads:
        """What a step that holds needed."""
        for variant in self._record(lesson).get(step, []):
            if self._change(variant, asks) is None:
                return Reads(json.loads(self.store.get(variant["needs"]) or b"{}"))
        return Reads(doubts=("it is not stored",))

    def changed(self, reads: Reads) -> bool:
        """Something that was read is not as it was, or that is not known."""
        return bool(reads.doubts or first_change(reads.needs, self._names, self.digests.first))

    def files(self, lesson: str) -> set[str]:
        """The paths of all files that steps of a lesson read, as far as they are known; of folders, with a slash."""
        names = set(self.reads[lesson].needs) if lesson in self.reads else set()
        for variant in self._record(lesson).get(WHOLE, []):
            names |= json.loads(self.store.get(variant["needs"]) or b"{}").keys()
        return {self._names.path(name) for name in names}

    def difference(self, elsewhere: Surroundings, reads: Reads) -> str | None:
        """The first thing here that is other than where something was done; None where it would have been the same."""
        if elsewhere != self._surroundings:
            return difference(elsewhere, self._surroundings)
        return first_change(reads.needs, self._names, self.digests.first)

    def change_of_own_files(self, reads: Reads) -> str | None:
        """The same for files below the folder of the lessons only."""
        own = {name: digest for name, digest in reads.needs.items() if name.startswith("./")}
        return first_change(own, self._names, self.digests.first)

    def note(self, lesson: str, key: str, value: str) -> None:
        """Keep a small fact about a lesson, such as what its page was made from."""
        record = self._record(lesson)
        if record.get(key) != value:
            record[key] = value
            self.store.keep(self._place(lesson), record)

    def noted(self, lesson: str, key: str) -> str:
        """A fact that was kept; empty where there is none."""
        return str(self._record(lesson).get(key, ""))

    def stands(self, place: str, digest: str) -> bool:
        """A published file has this content."""
        return self.digests.first(str(self.out / place)) == digest

    def _change(self, variant: Record, asks: Asks) -> str | None:
        for label, value in asks.items():
            if variant["asks"].get(label) != value:
                return f"{label} changed"
        if variant["where"] != self._where:
            then = self.store.get(variant["where"])
            return difference(json.loads(then), self._surroundings) if then else "its surroundings changed"
        return self._need_change(variant["needs"])

    def _need_change(self, needs: str) -> str | None:
        if needs not in self._changes:  # many lessons need the same
            data = self.store.get(needs)
            change = first_change(json.loads(data), self._names, self.digests.first) if data else "its record was lost"
            self._changes[needs] = change
        return self._changes[needs]

    @cached_property
    def _surroundings(self) -> Surroundings:
        return surroundings(self.digests)

    @cached_property
    def _where(self) -> str:
        return hashlib.sha256(self._surroundings_text).hexdigest()

    @cached_property
    def _surroundings_text(self) -> bytes:
        return json.dumps(self._surroundings, sort_keys=True).encode()

    def _record(self, lesson: str) -> Record:
        if lesson not in self._records:
            self._records[lesson] = self.store.record(self._place(lesson))
        return self._records[lesson]

    def _place(self, lesson: str) -> str:
        return f"{self.profile}/{lesson}"


def _limits(draft: Draft) -> str:
    """What passed within longer limits may not pass within these."""
    return digest(*(f"{name} {getattr(draft.lesson.header, name)}" for name in LIMITS))
