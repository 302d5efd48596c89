"""The JavaScript that draws: vendored d3, and bertviz's own scripts from the installed package."""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path

from course.views.view import ViewError

LIBRARIES = ("vendor/d3.min.js", "bertviz_start.js")
"""What bertviz's scripts need before them, in this order."""

_BERTVIZ = "bertviz>=1.4.1,<1.5"


def own_file(name: str) -> str:
    """The text of a file of this package, such as ``frame.js`` or ``vendor/d3.min.js``."""
    return resources.files("course.views").joinpath(*name.split("/")).read_text(encoding="utf-8")


def bertviz_script(name: str) -> str:
    """The source of ``head_view``, ``model_view`` or ``neuron_view`` as published in bertviz (read, not imported).

    Raises ViewError where bertviz is missing, incomplete, or of another version than the views were made for.
    """
    try:
        distribution = metadata.distribution("bertviz")
    except metadata.PackageNotFoundError:
        raise ViewError(f"bertviz draws this picture and is not installed: pip install '{_BERTVIZ}'") from None
    if not _is_known(distribution.version):
        raise ViewError(
            f"bertviz {distribution.version} is installed, and this picture needs 1.4.1 or a later 1.4: "
            f"pip install '{_BERTVIZ}'"
        )
    try:
        source = Path(str(distribution.locate_file(f"bertviz/{name}.js"))).read_text(encoding="utf-8")
    except OSError:
        source = ""
    data = "bertviz_params" if name == "neuron_view" else "PYTHON_PARAMS"
    if data not in source or "requirejs(" not in source:
        raise ViewError(
            f"the file {name}.js of bertviz {distribution.version} is missing or damaged: "
            f"pip install --force-reinstall --no-deps '{_BERTVIZ}'"
        )
    return source


def _is_known(version: str) -> bool:
    major, minor, patch, *_ = [*version.split("."), "0", "0"]
    return (major, minor) == ("1", "4") and patch.isdigit() and int(patch) >= 1
