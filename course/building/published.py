"""What stands under build/ and must not: removed with a lesson that failed, or that is gone."""

from __future__ import annotations

from pathlib import Path

from course.building.files import keep_only
from course.building.glossary import FILE, PAGE


def remove(name: str, out: Path) -> None:
    """Remove the notebooks and the page of a lesson."""
    for place in (
        f"student/{name}.ipynb",
        f"solutions/{name}.ipynb",
        f"site/notebooks/{name}.ipynb",
        f"site/{name}.html",
    ):
        (out / place).unlink(missing_ok=True)


def sweep_all_but(out: Path, names: set[str]) -> None:
    """Remove what earlier builds left of lessons that are gone."""
    notebooks = {f"{name}.ipynb" for name in names} | {FILE}
    for folder in ("student", "solutions", "site/notebooks"):
        keep_only(out / folder, notebooks)
    keep_only(out / "site", {f"{name}.html" for name in names} | {"index.html", PAGE})
    for path in (out / "failed").glob("*.ipynb"):
        if path.name.rpartition(" (")[0] not in names:
            path.unlink()
