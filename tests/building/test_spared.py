"""Importing what makes notebooks and pages does not import what nobody uses, and it works without."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_what_nobody_uses_is_spared_and_validation_works():
    code = (
        "import course.building.spared, jupytext, nbformat, sys\n"
        "nbformat.validate(jupytext.reads('# %%\\n1 + 1\\n', fmt='py:percent'))\n"
        "assert not {'lark', 'arrow', 'jupyter_server.base.handlers', 'tornado.web'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


PAGE = """
import sys

import course.building.spared
from concurrent.futures import ThreadPoolExecutor
from nbformat.v4 import new_markdown_cell, new_notebook

from course.building.site import lesson_body

assert not {{'lxml', 'tornado.web', 'soupsieve.css_parser', 'markdown_it.main'}} & set(sys.modules)


def body(_number):
    image = new_markdown_cell('<img {} src="data:image/png;base64,AAAA">', id="image")
    return lesson_body(new_notebook(cells=[image]))[0]


with ThreadPoolExecutor(4) as pool:
    print(*set(pool.map(body, range(4))))
print('soupsieve.css_parser' in sys.modules)
"""


@pytest.mark.parametrize(
    ("given", "needed"), [('alt="A"', False), ("", True)], ids=["with its text", "without, in threads"]
)
def test_pages_are_made_and_nothing_is_said(given, needed):
    code = PAGE.format(given)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert ('alt="A"' if given else 'alt="No description has been provided for this image"') in done.stdout
    assert done.stdout.count("<img") == 1 and done.stdout.endswith(f"{needed}\n")
