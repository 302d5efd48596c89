"""What every run depends on without reading it as a file: Python, packages, variables, fonts, what can be imported.

All installed packages count, used or not, each with its version and the hash of its RECORD: a library may look for
another one and behave differently where it is there. So installing anything runs everything again.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

from course.building.digests import Digests, digest
from course.building.needs import PACKAGE

Surroundings = dict[str, dict[str, str]]

_VARIABLES = (
    "ATEN_", "BLAS", "COURSE_", "CUDA", "GOTO_", "HF_", "HUGGINGFACE_", "KMP_", "LANG", "LC_", "MKL_", "MPL", "NUMEXPR",
    "OMP_", "OPENBLAS", "PYTHON", "PYTORCH", "SOURCE_DATE_EPOCH", "TOKENIZERS_", "TORCH", "TRANSFORMERS_", "TZ",
)  # fmt: skip

_SET_FOR_KERNELS = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")
_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
"""Where matplotlib finds fonts; it remembers them in a cache that the kernels of a build share."""


def surroundings(digests: Digests) -> Surroundings:
    """What is there, by kind and name."""
    return {
        "machine": {"Python": sys.version, "system": sys.platform, "processor": platform.machine()},
        "package": _packages(digests),
        "variable": {
            name: digest(value) for name, value in sorted(os.environ.items())
            if name.startswith(_VARIABLES) and name not in _SET_FOR_KERNELS
        },
        "font folder": {place: _fonts(place) for place in _FONTS},
        "import path": {path: _importable(path) for path in _outside()},
    }  # fmt: skip


def one_digest(found: Surroundings) -> str:
    """One hash for all of it."""
    return digest(json.dumps(found, sort_keys=True))


def difference(then: Surroundings, now: Surroundings) -> str:
    """The first difference, in a few words."""
    for kind in now:
        for name in sorted({*then.get(kind, {}), *now[kind]}):
            before, after = then.get(kind, {}).get(name), now[kind].get(name)
            if before is None:
                return f"the {kind} {name} is new"
            if after is None:
                return f"the {kind} {name} is gone"
            if before != after:
                return f"the {kind} {name} changed"
    return "its surroundings changed"


def _packages(digests: Digests) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in _import_path():
        for name in _names(place):
            if name.endswith((".dist-info", ".egg-info")) and name not in found:
                record = os.path.join(place, name, "RECORD")
                found[name.rpartition(".")[0]] = digests.first(record) or "without RECORD"
    return found


def _fonts(place: str) -> str:
    found = os.walk(os.path.expanduser(place))
    return digest(*sorted(os.path.join(folder, name) for folder, _, names in found for name in names))


def _import_path() -> list[str]:
    """Where a kernel imports from: this process's own path, less the folder of the script that it happens to run."""
    sites = [place for place, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))]
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    places = [str(PACKAGE.parent), *named, *sys.path[min(sites, default=0) :]]
    return list(dict.fromkeys(os.path.abspath(place) for place in places))


def _outside() -> list[str]:
    """The folders on the import path that belong to no installed package, such as the root of a clone."""
    inside = tuple(os.path.join(place, "") for place in (sys.prefix, sys.base_prefix))
    return sorted(place for place in _import_path() if not f"{place}{os.sep}".startswith(inside))


def _importable(place: str) -> str:
    """The modules and packages right below a folder: a new one may hide an installed one of the same name."""
    return " ".join(
        name for name in _names(place)
        if name.endswith((".py", ".so", ".pyd", ".pth")) or Path(place, name, "__init__.py").is_file()
    )  # fmt: skip


def _names(place: str) -> list[str]:
    try:
        return sorted(os.listdir(place))
    except OSError:
        return []
