"""Kernels for the build: talking over IPC sockets, in an environment of their own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

KERNEL = "attention-course"
PROVISIONER = "attention-course-ipc"


class IpcProvisioner(LocalProvisioner):  # type: ignore[misc]
    """Starts an ordinary local kernel, on IPC sockets instead of TCP ports.

    Kernels that start at the same time over TCP can be given the same port (papermill#511); sockets in a
    private folder cannot clash. Where there is no IPC (Windows), TCP stays.
    """

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the transport before jupyter_client writes the connection file."""
        if sys.platform != "win32" and self.parent is not None:
            self.parent.transport = "ipc"
            self.parent.ip = str(Path(tempfile.mkdtemp(dir=os.environ[_SOCKETS], prefix="k")) / "s")
        return dict(await super().pre_launch(**kwargs))


_SOCKETS = "ATTENTION_COURSE_SOCKETS"


@contextmanager
def kernel_environment(*, offline: bool) -> Iterator[dict[str, str]]:
    """The environment variables under which the build's kernels run; all their files go when this closes.

    The kernelspec stands in a private folder on JUPYTER_PATH, so papermill and nbval find it by name. A
    user's own IPython start-up files and matplotlib style stay out of it; ``offline`` keeps the hub out, too.
    """
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        base = Path(folder)
        spec = base / "jupyter" / "kernels" / KERNEL
        for path in (spec, base / "ipython", base / "matplotlib", base / "s", base / "runtime"):
            path.mkdir(parents=True)
        description = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Attention course",
            "language": "python",
            "metadata": {"kernel_provisioner": {"provisioner_name": PROVISIONER}},
        }
        (spec / "kernel.json").write_text(json.dumps(description), encoding="utf-8")
        settings = {
            "JUPYTER_PATH": str(base / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
            "JUPYTER_PLATFORM_DIRS": "1",
            "IPYTHONDIR": str(base / "ipython"),
            "MPLCONFIGDIR": str(base / "matplotlib"),
            "PYTHONHASHSEED": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            _SOCKETS: str(base / "s"),
        }
        if offline:
            settings["HF_HUB_OFFLINE"] = "1"
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield settings
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
