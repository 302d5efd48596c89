"""The plays with other names."""

import random
import re

import pytest

from course.training import cast
from course.training.cast import Cast

TEXT = (
    "ROMEO:\nWhat says the king of Romeo?\n\nKING EDWARD:\nEdward says no, by Romeo's green sleeve.\n\n"
    "GREEN:\nI am Green; nurse, where is Juliet's man?\n\nJULIET:\nMoreover, ROMEO is here.\n\n"
)


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(cast, "SHARE", 1.0)


def test_names_are_words_in_capitals_that_are_no_common_words():
    assert Cast(TEXT).names == ["EDWARD", "JULIET", "ROMEO"]


def test_a_name_is_exchanged_wherever_it_stands(always):
    found = Cast(TEXT).exchanged(TEXT, random.Random(0))
    first = re.match(r"[A-Z]+", found).group()
    assert first not in ("ROMEO", "EDWARD", "JULIET")
    assert found.startswith(f"{first}:\nWhat says the king of {first.capitalize()}?\n\nKING ")
    assert f"by {first.capitalize()}'s green sleeve" in found and f"Moreover, {first} is here." in found


def test_all_but_names_stays_as_it_is(always):
    found = Cast(TEXT).exchanged(TEXT, random.Random(0))
    blank = re.compile(r"\b[A-Z]\w*")
    assert blank.sub("", found) == blank.sub("", TEXT)
    assert "GREEN:\nI am Green; nurse" in found


def test_names_differ_from_stretch_to_stretch(always, monkeypatch):
    monkeypatch.setattr(cast, "STRETCH", len(TEXT))
    found = Cast(TEXT).exchanged(TEXT * 6, random.Random(0))
    names = re.findall(r"What says the king of (\w+)", found)
    assert len(names) == 6 and len(set(names)) > 3


def test_about_as_many_names_are_exchanged_as_said(monkeypatch):
    monkeypatch.setattr(cast, "STRETCH", 1)
    found = Cast(TEXT).exchanged(TEXT * 300, random.Random(0))
    kept = len(re.findall(r"^ROMEO:", found, re.MULTILINE)) / 300
    assert kept == pytest.approx(1 - cast.SHARE, abs=0.1)


def test_the_same_seed_gives_the_same_names():
    one, other = (Cast(TEXT).exchanged(TEXT, random.Random(4)) for _ in range(2))
    assert one == other


def test_a_text_without_names_stays_as_it_is():
    assert Cast("no speech here").exchanged("no speech here", random.Random(0)) == "no speech here"
