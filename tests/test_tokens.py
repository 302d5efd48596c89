"""The record: one entry per token, and words that are what a person typed."""

from __future__ import annotations

import pytest

import course
from course.tokens import Tokens, shown
from tests.test_attention import tokens


def test_invisible_and_direction_changing_characters_are_shown_as_escapes():
    assert shown("a\u202eb\x00\n") == "a\\u202eb\\x00\\n"
    assert shown("é 👩‍👩‍👧 שלום ❤\ufe0f") == "é 👩‍👩‍👧 שלום ❤\ufe0f"


def test_a_token_of_nothing_but_joiners_is_shown_as_escapes():
    assert shown("\ufe0f") == "\\ufe0f" and shown("\u200d") == "\\u200d"


def test_fields_of_unequal_length_are_refused():
    with pytest.raises(course.InputError, match="one entry per token"):
        Tokens(("a",), ("a", "b"), (False,), (0,), (None,), (0,), ("a",))
    with pytest.raises(course.InputError, match="cannot be empty"):
        Tokens((), (), (), (), (), (), ("a",))


def test_sub_words_join_and_special_tokens_stay_alone():
    read = tokens("[CLS]", "un", "##do", "it", "[SEP]", words=(None, 0, 0, 1, None))
    assert read.word_groups() == [(0,), (1, 2), (3,), (4,)]
    assert read.merged().texts == ("[CLS]", "undo", "it", "[SEP]") and read.merged().merged() == read.merged()


def test_a_word_is_shown_as_it_was_typed():
    read = Tokens(("un", "##do"), ("un", "##do"), (False,) * 2, (0,) * 2, ((1, 3), (3, 5)), (0, 0), (" UnDo it",))
    assert read.merged().texts == ("UnDo",) and read.merged().offsets == ((1, 5),)


def test_positions_segments_and_selection():
    read = Tokens(
        ("[CLS]", "a", "[SEP]", "b"), ("[CLS]", "a", "[SEP]", "b"), (True, False, True, False), (0, 0, 0, 1),
        (None, (0, 1), None, (0, 1)), (None, 0, None, 1), ("a", "b"),
    )  # fmt: skip
    assert read.is_pair and read.positions("[SEP]") == (2,) and read.special_positions == (0, 2)
    assert (read.in_segment(0), read.in_segment(1)) == ((1,), (3,))
    assert read.select([1, 3]).texts == ("a", "b") and repr(read) == "Tokens([CLS] a [SEP] b)"
