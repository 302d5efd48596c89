"""Pages: complete in themselves, with formulas, and with the way to the next lesson."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.building.lesson import read_lesson
from course.building.site import index_page, lesson_body, lesson_page


@pytest.fixture
def lesson(small_course):
    return read_lesson(small_course.lesson, small_course.root)


def page(lesson, *cells, lessons=None) -> str:
    body, unshown = lesson_body(new_notebook(cells=list(cells)))
    assert unshown == []
    return lesson_page(lesson, body, lessons or [lesson])


def test_a_page_asks_for_nothing_from_outside(lesson):
    html = page(lesson, new_markdown_cell("# A\n\n$x$"), new_code_cell("import course"))
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html) and "@import" not in html
    assert "<script" not in html and "<link" not in html


def test_formulas_become_mathml(lesson):
    html = page(lesson, new_markdown_cell("Inline $\\sqrt{d}$ and\n\n$$\\frac{a}{b}$$\n\nbut `$5` stays."))
    assert html.count("<math") == 2 and "<msqrt>" in html and 'display="block"' in html and "$5" in html


def test_an_environment_is_a_formula_by_itself(lesson):
    html = page(lesson, new_markdown_cell("So\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\nit is."))
    assert html.count("<math") == 1 and "begin{" not in html and "<mtable" in html


def test_code_is_coloured_in_light_and_dark(lesson):
    html = page(lesson, new_code_cell("import course"))
    assert '<span class="kn">import</span>' in html and "prefers-color-scheme: dark" in html


def test_printed_text_is_escaped(lesson):
    html = page(
        lesson, new_code_cell("x", outputs=[new_output("stream", text="<img src=x onerror=1> \x1b[31mred\x1b[0m")])
    )
    assert "<img src=x" not in html and "&lt;img src=x onerror=1&gt;" in html and "\x1b" not in html


def test_printed_parts_are_one_text_and_a_bar_is_its_last_state(lesson):
    parts = ["one", " line\n", "10 %\r", "100 %\n"]
    cell = new_code_cell("x", outputs=[new_output("stream", text=text) for text in parts])
    html = page(lesson, cell)
    assert html.count("<pre>one line\n100 %\n</pre>") == 1 and "10 %\r" not in html
    assert [output.text for output in cell.outputs] == parts


def test_neighbours_are_linked(lesson):
    from dataclasses import replace

    others = [replace(lesson, name=f"0{i}_x", header=replace(lesson.header, title=f"T<{i}>")) for i in range(3)]
    html = lesson_page(others[1], "", others)
    assert 'href="00_x.html">← T&lt;0&gt;</a>' in html and 'href="02_x.html">T&lt;2&gt; →</a>' in html
    assert "←" not in lesson_page(others[0], "", others)
    index = index_page(others)
    assert [index.count(f'href="0{i}_x.html"') for i in range(3)] == [1, 1, 1]
    assert index.count("notebooks/") == 3 and '<li value="2">' in index
