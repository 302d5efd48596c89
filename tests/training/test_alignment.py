"""Where a translator looks: which occurrences of the lexicon count, and when attention is right."""

from __future__ import annotations

import pytest
import torch

from course.attention import Attention
from course.tokens import Tokens
from course.training.alignment import Occurrence, found_at, lexicon, occurrences


def tokens(text: str, *, start: bool = False) -> Tokens:
    """Two characters a token, so that words are cut; with an end mark, or with a start mark before."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    words: list[int] = []
    at = 0
    for number, word in enumerate(text.split(" ")):
        for cut in range(0, len(word), 2):
            pieces.append(word[cut : cut + 2])
            spans.append((at + cut, at + cut + len(pieces[-1])))
            words.append(number)
        at += len(word) + 1
    marks = ([None], []) if start else ([], [None])
    before, after = len(marks[0]), len(marks[1])
    labels = (*["<pad>"] * before, *pieces, *["</s>"] * after)
    return Tokens(
        texts=labels,
        pieces=labels,
        special=(*[True] * before, *[False] * len(pieces), *[True] * after),
        segments=(0,) * len(labels),
        offsets=(*marks[0], *spans, *marks[1]),
        words=(*marks[0], *words, *marks[1]),
        sources=(text,),
    )


def looking(source: str, target: str, places: dict[int, int]) -> Attention:
    """One layer of two heads: the first looks at ``places`` (row to column), the second nowhere in particular."""
    keys, queries = tokens(source), tokens(target, start=True)
    weights = torch.full((1, 2, len(queries), len(keys)), 1 / len(keys))
    for row, column in places.items():
        weights[0, 0, row] = torch.nn.functional.one_hot(torch.tensor(column), len(keys)).float()
    return Attention(weights, queries, keys, kind="cross", model="by hand")


def test_lexicon_has_at_least_a_hundred_words_of_each_language() -> None:
    assert len({english for english, _ in lexicon()}) >= 100
    assert len({german for _, german in lexicon()}) >= 100
    assert ("dog", "Hund") in lexicon()


def test_the_row_is_the_one_before_the_words_first_token() -> None:
    cross = looking("a dog", "ein Hund", {})
    # a do g </s>; <pad> ei n Hu nd: "Hu" is query 3, and query 2 predicts it
    assert occurrences(cross) == [Occurrence("dog", "Hund", sources=(1, 2), row=2)]


def test_the_capital_of_a_first_word_does_not_matter() -> None:
    assert [place.german for place in occurrences(looking("Two dogs", "Zwei Hunde", {}))] == ["zwei", "Hunde"]


def test_case_tells_a_boy_from_what_is_young() -> None:
    found = occurrences(looking("a young boy", "ein kleiner Junge", {}))
    assert [(place.english, place.german) for place in found] == [("boy", "Junge")]


@pytest.mark.parametrize(
    ("source", "target"), [("a dog and a dog", "ein Hund"), ("a dog", "Hund und Hund"), ("a cat", "ein Hund")]
)
def test_words_that_stand_twice_or_have_no_partner_do_not_count(source: str, target: str) -> None:
    assert occurrences(looking(source, target, {})) == []


def test_any_piece_of_the_word_is_right_and_nothing_else() -> None:
    for column, right in ((0, False), (1, True), (2, True), (3, False)):
        cross = looking("a dog", "ein Hund", {2: column})
        assert found_at(cross, occurrences(cross), layer=0) == [right]


def test_heads_can_be_asked_one_by_one() -> None:
    cross = looking("a dog", "ein Hund", {2: 2})
    places = occurrences(cross)
    assert found_at(cross, places, layer=0, heads=[0]) == [True]
    assert found_at(cross, places, layer=0, heads=[1]) == [False]  # all equal: the first column is taken
