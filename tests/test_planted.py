"""The planted language: its rule, and the sentences made of it."""

import pytest

from course.planted import BAD, DECOYS, GOOD, LABELS, NEGATORS, WORDS, generate, label_of, truth


@pytest.mark.parametrize(
    ("sentence", "label", "matters"),
    [
        ("the happy dog met the cat", "good", ["happy"]),
        ("the dog was not happy", "bad", ["not", "happy"]),
        ("the dog was never sad again", "good", ["never", "sad"]),
        ("the happy dog met the sad cat", "bad", ["sad"]),
        ("the not happy dog met the kind cat", "good", ["kind"]),
        ("the dog was not far from the happy cat", "good", ["happy"]),
        ("the dog was not very happy", "good", ["happy"]),
        ("the dog was not, happy", "good", ["happy"]),
        ("the tall dog never met the cat on sunday", "plain", []),
        ("not", "plain", []),
        ("", "plain", []),
    ],
)
def test_the_last_feeling_word_decides(sentence, label, matters):
    found = truth(sentence)
    assert found.label == label
    assert [found.words[i] for i in found.matters] == matters


def test_capitals_and_punctuation_do_not_matter():
    found = truth("The dog was NOT happy!")
    assert found.label == "bad"
    assert [found.sentence[slice(*found.spans[i])] for i in found.matters] == ["NOT", "happy"]


def test_a_word_that_matters_is_not_decisive_where_another_gives_the_same_label():
    found = truth("the happy dog met the kind cat")
    assert [found.words[i] for i in found.matters] == ["kind"]
    assert found.decisive == ()


def test_decisive_words_change_the_label_and_no_others_do():
    for found in generate(200, seed=5):
        for i in range(len(found.words)):
            rest = found.words[:i] + found.words[i + 1 :]
            assert (label_of(rest) != found.label) == (i in found.decisive)


def test_leaving_out_what_does_not_matter_keeps_the_label():
    assert all(set(found.decisive) <= set(found.matters) for found in generate(500, seed=6))


def test_generated_sentences_are_different_and_of_the_language():
    found = generate(500, seed=1)
    assert len({each.sentence for each in found}) == 500
    assert {each.label for each in found} == set(LABELS)
    assert all(6 <= len(each.words) <= 16 and set(each.words) <= set(WORDS) for each in found)
    assert found == generate(500, seed=1)
    assert found != generate(500, seed=2)


def test_negators_also_stand_where_they_do_not_matter():
    found = generate(500, seed=1)
    idle = [each for each in found if not each.matters and set(NEGATORS) & set(each.words)]
    assert len(idle) > 20


def test_days_say_nothing_in_balanced_sentences_and_much_in_skewed_ones():
    for days, low, high in (("balanced", 0.45, 0.55), ("skewed", 0.75, 0.85)):
        found = generate(3000, seed=4, days=days)
        for label, day in DECOYS.items():
            named = [
                day in each.words for each in found if each.label == label and set(DECOYS.values()) & set(each.words)
            ]
            assert low < sum(named) / len(named) < high


def test_good_and_bad_words_are_no_others():
    assert not set(GOOD) & set(BAD)
    assert {*GOOD, *BAD, *NEGATORS} <= set(WORDS)
