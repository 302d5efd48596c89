"""Numbers of tokens on the characters that were typed: nothing lost, nothing made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.attributions.characters import clusters, spread, visible
from course.tokenising import tokenise
from course.tokens import InputError
from tests import tiny


def test_marks_joiners_and_flags_stay_with_their_character():
    text = "a\u0301é🇪🇸🇫🇷👩‍👩‍👧👍🏽❤\ufe0f"
    assert [text[slice(*place)] for place in clusters(text)] == [
        "a\u0301", "é", "🇪🇸", "🇫🇷", "👩‍👩‍👧", "👍🏽", "❤\ufe0f",
    ]  # fmt: skip
    assert clusters("") == []


def test_a_value_is_shared_evenly_and_white_space_has_none():
    tokens, _ = tokenise(tiny.bert(), "the  cat ")
    found, values = spread(tokens, [1.0, 3.0, 6.0, 2.0])
    assert "".join(text for text, special in zip(found.texts, found.special, strict=True) if not special) == "the  cat "
    assert found.texts[0] == "[CLS]" and found.texts[-1] == "[SEP]"
    assert values == pytest.approx([1, 1, 1, 1, 0, 0, 2, 2, 2, 0, 2])
    assert found.offsets[1] == (0, 1) and found.words[1] == found.words[3] == 0 and found.words[4] is None


def test_parts_of_one_character_are_added_up():
    tokens, _ = tokenise(tiny.roberta(), "the 🦜")
    parts = [i for i, text in enumerate(tokens.texts) if text.startswith("🦜")]
    assert len(parts) > 1
    found, values = spread(tokens, [float(i in parts) for i in range(len(tokens))])
    assert values[found.texts.index("🦜")] == len(parts) and sum(values) == len(parts)


def test_a_pair_keeps_both_texts_and_what_was_dropped_is_left_out():
    tokens, _ = tokenise(tiny.bert(), "the cat", "on the mat")
    found, _ = spread(tokens, [0.0] * len(tokens))
    typed = ["".join(t for t, s, special in zip(found.texts, found.segments, found.special, strict=True)
                     if s == segment and not special) for segment in (0, 1)]  # fmt: skip
    assert typed == ["the cat", "on the mat"]
    tokens, _ = tokenise(tiny.bert(), "cat " * 100, truncate=True)
    found, _ = spread(tokens, [0.0] * len(tokens))
    assert found.texts.count("c") == 62


@given(st.text(min_size=1, max_size=30), st.sampled_from(["bert", "roberta", "distilbert"]))
def test_sums_are_kept_for_any_text(text, name):
    try:
        tokens, _ = tokenise(getattr(tiny, name)(), text, truncate=True)
    except InputError:
        return
    values = [0.1 * (i + 1) * (-1) ** i for i in range(len(tokens))]
    found, shares = spread(tokens, values)
    assert sum(shares) == pytest.approx(sum(values), abs=1e-9)
    assert found.merged()  # the record is whole


def test_what_has_no_shape_is_named():
    assert visible("\ufe0f") == "U+FE0F" and visible("❤\ufe0f") == "❤\ufe0f" and visible("") == ""
