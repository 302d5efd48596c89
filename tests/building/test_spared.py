"""Importing nbformat does not build a grammar that nobody uses."""

from __future__ import annotations

import subprocess
import sys


def test_the_grammar_is_spared_and_validation_works():
    code = (
        "import course.building.spared, nbformat, sys\n"
        "nbformat.validate(nbformat.v4.new_notebook())\n"
        "assert 'nbformat' in sys.modules and 'lark' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
