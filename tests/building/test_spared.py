"""Importing what makes notebooks and pages does not import what nobody uses, and it works without."""

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


def test_pages_are_made_without_and_nothing_is_said_of_it():
    code = (
        "import course.building.spared, sys\n"
        "from course.building.site import lesson_body\n"
        "from nbformat.v4 import new_markdown_cell, new_notebook\n"
        "image = '<img src=\"data:image/png;base64,AAAA\">'\n"
        "print(lesson_body(new_notebook(cells=[new_markdown_cell(image)]))[0])\n"
        "assert not {'lxml', 'tornado.web'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "" and 'alt="No description' in done.stdout, done.stderr
