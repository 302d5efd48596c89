"""A page shows all that a lesson has: what it could not show is named by file and line, and the build goes on."""

from __future__ import annotations

import pytest

from course.building.assemble import build
from course.building.cli import main
from course.building.glossary import read_glossary
from course.building.lesson import read_lesson
from course.building.shown import prose_problems

PROSE = "# A lesson with the formula"
FETCHED = "would have to be fetched"


def told(course) -> list[str]:
    lesson = read_lesson(course.lesson, course.root)
    return [str(problem) for problem in prose_problems([lesson], read_glossary(course.root))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"$\frac{$", "the formula \\frac{ cannot be read as LaTeX (no available tokens)"),
        (r"$x^$", "the formula x^ cannot be read as LaTeX (missing super script or subscript)"),
        (r"$$\sqrt$$", "the formula \\sqrt cannot be read as LaTeX"),
        (r"$\nosuchthing{x}$", "\\nosuchthing is not known in formulas (\\nosuchthing{x})"),
        ("![a cat](cat.png)", f"cat.png {FETCHED}"),
        ("![a cat](attachment:cat.png)", f"attachment:cat.png {FETCHED}"),
        ("![a cat](https://example.org/cat.png)", f"https://example.org/cat.png {FETCHED}"),
        ("![eine Katze](größe.png)", FETCHED),
        ('<img src="cat.png" alt="a cat">', f"cat.png {FETCHED}"),
        ('<iframe src="https://example.org/"></iframe>', f"https://example.org/ {FETCHED}"),
    ],
)
def test_what_prose_cannot_show_is_named_by_its_line(small_course, text, message):
    line = small_course.change(PROSE, f"# Before.\n# And {text}.\n{PROSE}") + 1
    (found,) = told(small_course)
    assert found.startswith(f"lessons/01_counting.py:{line}: ") and message in found


@pytest.mark.parametrize(
    "text",
    [
        r"$\operatorname{softmax}(x)$", "$5 and more", r"`$\frac{$`", "![a](data:image/png;base64,AAAA)",
        "[a](https://example.org)", '<img src="data:image/png;base64,AAAA" alt="">', "`![a](cat.png)`",
    ],
)  # fmt: skip
def test_what_prose_can_show(small_course, text):
    small_course.change(PROSE, f"# And {text}.\n{PROSE}")
    assert told(small_course) == []


def test_the_line_is_that_of_the_formula_and_not_of_one_that_begins_like_it(small_course):
    line = small_course.change(PROSE, f"# First $x^2$,\n# then $x^$.\n#\n# \\begin{{align}}\n# x^\n{PROSE}") + 1
    assert [text.split(" ")[0] for text in told(small_course)] == [f"lessons/01_counting.py:{line}:"]


def test_formulas_of_the_glossary_are_read_too(small_course):
    words = small_course.root / "lessons" / "glossary.md"
    words.write_text("# Glossary\n\nWords.\n\n## count\nTo say $x^$ many. (01)\n", encoding="utf-8")
    assert told(small_course)[0].startswith("lessons/glossary.md:5: the formula x^ cannot be read")


def test_check_tells_it_without_running_anything(small_course, capsys):
    small_course.change(PROSE, f"# $x^$\n{PROSE}")
    assert main(["check"], root=small_course.root) == 1
    assert "the formula x^ cannot be read as LaTeX" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (PROSE, f"# See $x^$.\n{PROSE}", "the formula x^ cannot be read"),
        ("title: Counting", 'title: "Counting $x^$"', "the formula x^ cannot be read"),
        (
            'claim("three words"',
            'from IPython.display import HTML\n\ndisplay(HTML(\'<img alt="x" src="cat.png">\'))\nclaim("three words"',
            f"cat.png {FETCHED}",
        ),
        (
            'claim("three words"',
            'from IPython.display import Markdown\n\ndisplay(Markdown("![x](cat.png)"))\nclaim("three words"',
            f"cat.png {FETCHED}",
        ),
    ],
    ids=["prose", "title", "html", "markdown"],
)
def test_a_build_fails_with_the_line_and_publishes_nothing(small_course, before, after, message):
    small_course.change(before, after)
    report = build(small_course.root, say=lambda _line: None)
    (problem,) = report.lessons[0].steps["page"]
    line = 1 if "title" in before else small_course.line("$x^$" if "$" in message or "x^" in message else "cat.png")
    assert (problem.file, problem.line) == ("lessons/01_counting.py", line) and message in problem.message
    assert not report.passed and not (small_course.root / "build" / "site" / "01_counting.html").exists()
    small_course.change(after, before)
    assert build(small_course.root, say=lambda _line: None).passed
