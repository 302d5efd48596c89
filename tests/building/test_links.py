"""A link that leads nowhere is named by file and line, with the one that was meant."""

from __future__ import annotations

import pytest

from course.building.glossary import read_glossary
from course.building.lesson import read_lesson
from course.building.links import glossary_links, link_problems

GLOSSARY = "# Glossary\n\nWords.\n\n## count\nTo say how many. (01)\n"


@pytest.fixture
def linked(small_course):
    """The small course with a glossary of one word, to which its lesson links in the line that is returned."""

    def link(target: str, *others: str) -> tuple[int, list[str]]:
        (small_course.root / "lessons" / "glossary.md").write_text(GLOSSARY, encoding="utf-8")
        links = " ".join(f"[it]({other})" for other in ("glossary.md#count", *others))
        line = small_course.change("# A lesson with", f"# See {links}\n# and [that]({target}).\n# A lesson with") + 1
        lesson = read_lesson(small_course.lesson, small_course.root)
        return line, [str(problem) for problem in link_problems([lesson], read_glossary(small_course.root))]

    return link


@pytest.mark.parametrize(
    "target",
    ["glossary.md#count", "glossary.md", "01_counting.ipynb", "01_counting.ipynb#Exercise-1.1", "#Exercise-1.1",
     "#Counting", "https://arxiv.org/abs/1706.03762", "mailto:a@example.org"],
)  # fmt: skip
def test_links_that_lead_somewhere(linked, target):
    assert linked(target)[1] == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("glossary.md#cuont", "glossary.md has no heading for it (did you mean count?)"),
        ("#Exercise-1.9", "01_counting.ipynb has no heading for it (did you mean Exercise-1.1?)"),
        ("02_nothing.ipynb", "links lead to glossary.md, to a lesson (02_name.ipynb) or to https://"),
        ("01_countin.ipynb", "(did you mean 01_counting.ipynb?): links lead to"),
        ("01_counting.html", "(did you mean 01_counting.ipynb?): links lead to"),
    ],
)
def test_links_that_lead_nowhere(linked, target, message):
    line, (found,) = linked(target)
    assert found.startswith(f"lessons/01_counting.py:{line}: {target} leads nowhere") and message in found


def test_links_in_code_are_no_links(small_course):
    small_course.change("words = ", 'nothing = "[x](nowhere.md)"\nwords = ')
    assert link_problems([read_lesson(small_course.lesson, small_course.root)], None) == []


def test_lessons_that_were_not_read_are_taken_to_be_there(small_course):
    small_course.change("# A lesson with", "# See [that](02_other.ipynb) and [this](glossary.md#x). A lesson with")
    lesson = read_lesson(small_course.lesson, small_course.root)
    assert glossary_links(lesson) == ["x"]
    (found,) = link_problems([lesson], None, all_read=False)
    assert "glossary.md#x leads nowhere" in str(found)
