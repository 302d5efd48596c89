"""Word alignment: the right row, the right word, and the same rule as the recipe's score."""

from __future__ import annotations

import pytest
import torch

import course
from course import measures
from course.attention import AttentionError
from course.training.alignment import found_at, occurrences
from tests import tiny
from tests.training.test_alignment import looking


def test_the_row_before_a_word_finds_its_partner():
    # a do g </s>; <pad> ei n Hu nd: "ei" is predicted by row 0 and "Hu" by row 2
    links = list(measures.align(looking("a dog", "ein Hund", {0: 0, 2: 2}), heads=[0]))
    assert [(link.target, link.source, link.row, link.column, link.weight) for link in links] == [
        ("ein", "a", 0, 0, 1.0), ("Hund", "dog", 2, 2, 1.0),
    ]  # fmt: skip
    assert str(links[1]) == "Hund ← dog 1.00"


def test_reading_takes_the_row_of_the_words_first_token():
    links = measures.align(looking("a dog", "ein Hund", {1: 0, 3: 1}), heads=[0], reading=True).links
    assert [(link.source, link.row) for link in links] == [("a", 1), ("dog", 3)]


def test_heads_are_averaged_and_ties_go_to_the_first():
    cross = looking("a dog", "ein Hund", {0: 3})
    found = measures.align(cross)
    assert found.links[0].weight == pytest.approx((1 + 0.25) / 2) and found.heads == (0, 1) and found.layer == 0
    assert measures.align(cross, heads=[1]).links[0].column == 0


def test_a_word_that_looks_at_the_end_mark_has_no_partner():
    found = measures.align(looking("a dog", "ein Hund", {0: 3}), heads=[0])
    assert found.links[0].source is None and repr(found).splitlines()[0] == "ein ← – 1.00"


def test_the_public_rule_is_that_of_the_recipes_score():
    cross = looking("a young dog", "ein kleiner Hund", {0: 1, 6: 4})
    places = occurrences(cross)
    links = {link.row: link.column for link in measures.align(cross, layer=0)}
    assert places and found_at(cross, places, layer=0) == [links[place.row] in place.sources for place in places]


def test_what_cannot_be_aligned_is_refused():
    both = course.attend(tiny.bart(), "the cat", "vamos al")
    with pytest.raises(AttentionError, match=r"needs \.cross of a translator's attention"):
        measures.align(both.encoder)
    with pytest.raises(AttentionError, match="start token is not there"):
        measures.align(both.cross.without_special())
    with pytest.raises(AttentionError, match="heads is empty"):
        measures.align(both.cross, heads=[])
    with pytest.raises(AttentionError, match="layer must be a whole number from 0 to 1, not 2"):
        measures.align(both.cross, layer=2)


def test_the_shipped_translator_aligns_a_caption():
    model = course.load("translate-en-de", device="cpu")
    att = course.attend(
        model, "A man in a blue shirt is riding a bicycle .", "Ein Mann in einem blauen Hemd fährt Fahrrad ."
    )
    found = {link.target: link.source for link in measures.align(att.cross)}
    assert {"Mann": "man", "blauen": "blue", "Hemd": "shirt", "Fahrrad": "bicycle"}.items() <= found.items()
    assert "␣" not in found and torch.tensor([link.weight for link in measures.align(att.cross)]).max() <= 1
