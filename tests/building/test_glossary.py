"""The glossary: read, held to its order, and published where links lead."""

from __future__ import annotations

import re

import pytest

from course.building.assemble import build
from course.building.glossary import anchor, beside_notebooks, glossary_problems, publish_glossary, read_glossary
from course.building.site import glossary_page

TEXT = """\
# Glossary

The *words* of this course.

## BERT
An encoder. (01)

## gradient × input
A product, `a*b`
of two. (02)

## head
One of several. (01)
"""
LINKS = {"01_a": ["bert", "head"], "02_b": ["gradient--input", "head"]}


@pytest.fixture
def written(tmp_path):
    def write(text: str = TEXT):
        path = tmp_path / "lessons" / "glossary.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_glossary(tmp_path)

    return write


def problems(glossary, links=LINKS) -> list[str]:
    return [str(problem) for problem in glossary_problems(glossary, links)]


def test_a_sound_glossary_has_intro_words_lessons_and_lines(written):
    glossary = written()
    assert glossary.intro == "The *words* of this course."
    assert [(term.name, term.anchor, term.first, term.line) for term in glossary.terms] == [
        ("BERT", "bert", "01", 5), ("gradient × input", "gradient--input", "02", 8), ("head", "head", "01", 12)
    ]  # fmt: skip
    assert glossary.terms[1].text == "A product, `a*b`\nof two." and problems(glossary) == []


def test_a_course_without_a_glossary(tmp_path):
    assert read_glossary(tmp_path) is None


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("## BERT", "## zeal", 8, "'gradient × input' comes before 'zeal': entries go by the alphabet"),
        ("## head", "## Bert", 5, "'BERT' is there twice: make one entry of the two"),
        ("An encoder. (01)", "(01)", 5, "'BERT' has no text"),
        ("An encoder. (01)", "An encoder. (02)", 5, "'BERT' ends in (02), but lesson 01 uses it first"),
        ("An encoder. (01)", "An encoder.", 5, "'BERT' ends in (), but lesson 01 uses it first"),
        ("## head", "## layer", 12, "no lesson links to 'layer': link it, or leave it out"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(written, before, after, line, message):
    assert any(found.startswith(f"lessons/glossary.md:{line}: {message}")
               for found in problems(written(TEXT.replace(before, after))))  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [("noise floor", "noise-floor"), ("key, query, value", "key-query-value"), ("Jensen–Shannon", "jensenshannon")],
)
def test_anchors_are_those_of_github(heading, wanted):
    assert anchor(heading) == wanted


def test_the_page_has_every_word_under_its_anchor_and_needs_no_network(written):
    page = glossary_page(written(), {"01": "01_a"})
    assert re.findall(r'<dt id="(.*?)">(.*?)</dt>', page) == [
        ("bert", "BERT"), ("gradient--input", "gradient × input"), ("head", "head")
    ]  # fmt: skip
    assert '(<a href="01_a.html">lesson 01</a>)' in page and "(lesson 02)" in page
    assert "<code>a*b</code>" in page and "<em>words</em>" in page
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_beside_notebooks_every_word_brings_its_anchor(written):
    text = beside_notebooks(written(), {"01": "01_a"})
    assert '<a id="bert"></a>\n\n## BERT\n\nAn encoder. ([lesson 01](01_a.ipynb))\n' in text


def test_published_anew_when_it_changes_and_removed_when_it_goes(written, tmp_path):
    written()
    out = tmp_path / "build"
    places = [out / place for place in ("site/glossary.html", "student/glossary.md", "solutions/glossary.md",
                                        "site/notebooks/glossary.md")]  # fmt: skip
    publish_glossary(tmp_path, out, [])
    stamps = [place.stat().st_mtime_ns for place in places]
    publish_glossary(tmp_path, out, [])
    assert stamps == [place.stat().st_mtime_ns for place in places]
    written(TEXT.replace("One of several", "One of twelve"))
    publish_glossary(tmp_path, out, [])
    assert all("One of twelve" in place.read_text(encoding="utf-8") for place in places)
    (tmp_path / "lessons" / "glossary.md").unlink()
    publish_glossary(tmp_path, out, [])
    assert not any(place.exists() for place in places)


@pytest.mark.slow
def test_a_build_links_lesson_page_index_and_glossary(small_course):
    source = small_course.root / "lessons" / "glossary.md"
    source.write_text("# Glossary\n\nWords.\n\n## count\nTo say how many. (01)\n", encoding="utf-8")
    small_course.change("# A lesson with", "# To [count](glossary.md#count), and [below](#Exercise-1.1). A lesson with")
    assert build(small_course.root, say=lambda _line: None).passed
    out = small_course.root / "build"
    page = (out / "site" / "01_counting.html").read_text(encoding="utf-8")
    assert '<a href="glossary.html#count">count</a>' in page and '<a href="glossary.html">Glossary</a>' in page
    assert '<a href="#Exercise-1.1">' in page and 'id="Exercise-1.1"' in page
    assert '<a href="glossary.html">' in (out / "site" / "index.html").read_text(encoding="utf-8")
    assert "01_counting.html" in (out / "site" / "glossary.html").read_text(encoding="utf-8")
    assert "glossary.md#count" in (out / "student" / "01_counting.ipynb").read_text(encoding="utf-8")
    assert (out / "student" / "glossary.md").is_file() and (out / "solutions" / "glossary.md").is_file()


@pytest.mark.slow
def test_a_changed_glossary_is_published_anew_and_no_lesson_is_built_again(small_course, monkeypatch):
    source = small_course.root / "lessons" / "glossary.md"
    source.write_text("# Glossary\n\n## count\nTo say how many. (01)\n", encoding="utf-8")
    assert build(small_course.root, say=lambda _line: None).passed
    out = small_course.root / "build"
    page = (out / "site" / "01_counting.html").stat().st_mtime_ns
    source.write_text("# Glossary\n\n## count\nTo say how much. (01)\n", encoding="utf-8")
    monkeypatch.setattr("course.building.making.Making.make", None)  # whatever makes a lesson again fails
    assert build(small_course.root, say=lambda _line: None).passed
    assert "how much" in (out / "site" / "glossary.html").read_text(encoding="utf-8")
    assert "how much" in (out / "student" / "glossary.md").read_text(encoding="utf-8")
    assert page == (out / "site" / "01_counting.html").stat().st_mtime_ns
    monkeypatch.setattr("course.building.site.glossary_page", None)  # as it is: nothing to write
    assert build(small_course.root, say=lambda _line: None).passed
    (out / "site" / "glossary.html").unlink()
    monkeypatch.undo()
    assert build(small_course.root, say=lambda _line: None).passed and (out / "site" / "glossary.html").is_file()
    source.unlink()
    assert build(small_course.root, say=lambda _line: None).passed
    assert not list(out.glob("*/glossary.*")) and "glossary.html" not in (out / "site" / "index.html").read_text()
