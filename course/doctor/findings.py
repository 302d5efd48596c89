"""Finding and Diagnosis: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SYMBOLS = {"passed": "✓", "noted": "○", "failed": "✗"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``status`` is "passed", "noted" (works, but worth knowing) or "failed" (lessons will not run). ``says`` is how it
    is, and ``advice`` one sentence on what to do; every finding that failed has one.
    """

    name: str
    status: str
    says: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.status not in SYMBOLS or (self.status == "failed" and not self.advice):
            raise ValueError(f"a finding is passed, noted, or failed with advice, not {self!r}")

    def __str__(self) -> str:
        return f"{SYMBOLS[self.status]} {self.name:<12} {self.says}" + (f"\n    → {self.advice}" if self.advice else "")


def passed(name: str, says: str) -> Finding:
    """All is well."""
    return Finding(name, "passed", says)


def noted(name: str, says: str, advice: str = "") -> Finding:
    """Works, but worth knowing."""
    return Finding(name, "noted", says, advice)


def failed(name: str, says: str, advice: str) -> Finding:
    """Lessons will not run before this is mended."""
    return Finding(name, "failed", says, advice)


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """All findings, in order; prints itself as one line each, with the verdict last."""

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Nothing failed."""
        return all(finding.status != "failed" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """One sentence that holds no fact of the machine as long as it is ready."""
        if self.ready:
            return "✓ this machine is ready for class"
        names = ", ".join(dict.fromkeys(one.name for one in self.findings if one.status == "failed"))
        return f"✗ this machine is not ready for class: mend {names}"

    def as_json(self) -> dict[str, Any]:
        """For programs: ready, and the findings with name, status, says and advice."""
        return {"ready": self.ready, "findings": [asdict(finding) for finding in self.findings]}

    def __repr__(self) -> str:
        return "\n".join([*map(str, self.findings), self.verdict])
