from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from course.training.batches import by_length, inputs, padded, shuffled

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=80)


@given(lengths=LENGTHS, seed=st.integers(0, 100))
def test_every_example_is_in_one_batch_and_no_batch_is_too_large(lengths: list[int], seed: int) -> None:
    batches = by_length(lengths, 50, shuffled(seed, 0))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 50 for batch in batches)


@given(lengths=LENGTHS)
def test_the_order_follows_seed_and_epoch_alone(lengths: list[int]) -> None:
    assert by_length(lengths, 50, shuffled(1, 2)) == by_length(lengths, 50, shuffled(1, 2))


def test_epochs_differ() -> None:
    lengths = [5] * 64
    assert by_length(lengths, 40, shuffled(0, 0)) != by_length(lengths, 40, shuffled(0, 1))


def test_little_is_lost_to_padding() -> None:
    lengths = [1 + i % 40 for i in range(400)]
    batches = by_length(lengths, 200, shuffled(0, 0))
    computed = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert computed < 1.1 * sum(lengths)


def test_shorter_rows_are_filled_on_the_right() -> None:
    assert padded([[1, 2, 3], [4]], 9).tolist() == [[1, 2, 3], [4, 9, 9]]


def test_filler_is_masked() -> None:
    from tests.tiny import bert

    tokenizer = bert().tokenizer
    encodings = tokenizer(["the cat", "the cat sat on the mat"], ["the mat", "the cat"]).encodings
    found = inputs(encodings, [0, 1], 0)
    assert found["attention_mask"].sum(-1).tolist() == [len(e.ids) for e in encodings]
    expected = tokenizer(["the cat", "the cat sat on the mat"], ["the mat", "the cat"], padding=True)
    assert {name: tensor.tolist() for name, tensor in found.items()} == dict(expected)
