"""The glossary: words that lessons link into, as a page of the site and as a file beside the notebooks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from course.building.files import write_if_changed
from course.building.problems import Problem

SOURCE = "lessons/glossary.md"
PAGE = "glossary.html"
FILE = "glossary.md"
_FOLDERS = ("student", "solutions", "site/notebooks")
_TERM = re.compile(r"^## +(?P<name>.+?) *\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_FIRST = re.compile(r"\s*\((\d\d)\)\s*\Z")


@dataclass(frozen=True)
class Term:
    """One entry: its name, what it says (Markdown), the number of the lesson that uses it first, and its line."""

    name: str
    text: str
    first: str
    line: int

    @property
    def anchor(self) -> str:
        """What follows the # in a link to this entry."""
        return anchor(self.name)

    def markdown(self, lessons: Mapping[str, str]) -> str:
        """What it says, with a link to the lesson that uses it first, if ``lessons`` (names by number) has that."""
        first = f"lesson {self.first}"
        return f"{self.text} ({f'[{first}]({lessons[self.first]}.ipynb)' if self.first in lessons else first})"


@dataclass(frozen=True)
class Glossary:
    """The whole text: what stands above the first entry, without its title, and the entries."""

    intro: str
    terms: tuple[Term, ...]


def anchor(heading: str) -> str:
    """The anchor of a heading as GitHub and VS Code make it: lower case, hyphens for spaces, no other signs.

    >>> anchor("CLS and SEP"), anchor("Kendall's tau"), anchor("gradient × input")
    ('cls-and-sep', 'kendalls-tau', 'gradient--input')
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def glossary_text(root: Path) -> str | None:
    """The source of the glossary below ``root``, None where there is none."""
    path = root / SOURCE
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def read_glossary(root: Path) -> Glossary | None:
    """The glossary below ``root``, None where there is none; what is wrong in it is told by `glossary_problems`."""
    text = glossary_text(root)
    if text is None:
        return None
    terms = []
    for found in _TERM.finditer(text):
        first = _FIRST.search(found["text"])
        line = text[: found.start()].count("\n") + 1
        terms.append(Term(found["name"], _FIRST.sub("", found["text"]).strip(), first[1] if first else "", line))
    intro = re.sub(r"\A# .*\n", "", text[: text.index("\n## ") + 1] if terms else text).strip()
    return Glossary(intro, tuple(terms))


def glossary_problems(glossary: Glossary, links: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    """What is wrong with the entries; ``links`` are the anchors that each lesson links to, by its name."""
    names = [term.name.lower() for term in glossary.terms]
    for before, term in enumerate(glossary.terms, start=-1):
        users = sorted(lesson[:2] for lesson, anchors in links.items() if term.anchor in anchors)
        if names.count(term.name.lower()) > 1 or [other.anchor for other in glossary.terms].count(term.anchor) > 1:
            yield Problem(SOURCE, term.line, f"{term.name!r} is there twice: make one entry of the two")
        elif before >= 0 and names[before] > term.name.lower():
            yield Problem(
                SOURCE, term.line, f"{term.name!r} comes before {names[before]!r}: entries go by the alphabet"
            )
        if not term.text or "\ufffd" in term.text:
            yield Problem(SOURCE, term.line, f"{term.name!r} has no text, or one that is not UTF-8")
        if not users:
            yield Problem(SOURCE, term.line, f"no lesson links to {term.name!r}: link it, or leave it out")
        elif term.first != users[0]:
            yield Problem(
                SOURCE, term.line, f"{term.name!r} ends in ({term.first}), but lesson {users[0]} uses it first"
            )


def publish_glossary(root: Path, out: Path, published: Collection[str]) -> dict[str, str]:
    """Write the glossary into the site and beside the notebooks, or remove it where the course has none.

    ``published`` are the names of the lessons whose pages stand: to them the entries link. Returns what stands in
    ``out`` now, contents by place.
    """
    glossary = read_glossary(root)
    if glossary is None:
        for place in (f"site/{PAGE}", *(f"{folder}/{FILE}" for folder in _FOLDERS)):
            (out / place).unlink(missing_ok=True)
        return {}
    from course.building.site import glossary_page

    lessons = {name[:2]: name for name in sorted(published)}
    beside = beside_notebooks(glossary, lessons)
    written = {f"site/{PAGE}": glossary_page(glossary, lessons), **{f"{one}/{FILE}": beside for one in _FOLDERS}}
    for place, content in written.items():
        write_if_changed(out / place, content)
    return written


def beside_notebooks(glossary: Glossary, lessons: Mapping[str, str]) -> str:
    """The glossary as the Markdown file that notebooks link into; ``lessons`` are names by number.

    JupyterLab keeps the capitals and signs of a heading in its anchor, so every entry brings its own.
    """
    parts = ["# Glossary", glossary.intro]
    for term in glossary.terms:
        parts += [f'<a id="{term.anchor}"></a>', f"## {term.name}", term.markdown(lessons)]
    return "\n\n".join(parts) + "\n"
