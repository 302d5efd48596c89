"""Importing nbformat and jupytext does not import what nobody uses, and both work without."""

from __future__ import annotations

import subprocess
import sys


def test_what_nobody_uses_is_spared_and_validation_works():
    code = (
        "import course.building.spared, jupytext, nbformat, sys\n"
        "nbformat.validate(jupytext.reads('# %%\\n1 + 1\\n', fmt='py:percent'))\n"
        "assert not {'lark', 'arrow', 'jupyter_server.base.handlers', 'tornado.web'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
