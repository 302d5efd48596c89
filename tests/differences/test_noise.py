"""The noise floor: what exceeds it, how often by accident, and which floors are none."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import torch

import course
from course.differences.changes import Change
from course.differences.comparing import DiffError
from course.differences.noise import noise_floor
from tests.differences.test_changes import TEXTS, differences


def made(values: torch.Tensor, inputs: int | None = None) -> Change:
    """A change with these values, pairs x texts x layers x heads."""
    texts = values.shape[1] if inputs is None else inputs
    return Change(values.double(), tuple((str(i),) for i in range(texts)), "total_variation", "made up")


def drawn(generator: torch.Generator, pairs: int, texts: int, mean: float | torch.Tensor) -> torch.Tensor:
    return mean + 0.05 * torch.rand(pairs, texts, 3, 4, generator=generator)


def test_excess_is_the_smallest_change_less_the_largest_floor():
    change = made(torch.tensor([0.5, 0.3]).view(2, 1, 1, 1).expand(2, 10, 1, 1))
    floor = made(torch.tensor([0.1, 0.2, 0.15]).view(3, 1, 1, 1).expand(3, 10, 1, 1))
    found = noise_floor(change, floor)
    assert found.excess.item() == pytest.approx(0.1) and found.low.item() == pytest.approx(0.1)
    assert [bound.item() for bound in found.spread] == pytest.approx([0.1, 0.2])
    assert found.exceeds.item() and found.chance == pytest.approx(1 / 10)


def test_only_heads_that_moved_exceed_and_come_most_first():
    generator = torch.Generator().manual_seed(0)
    shift = torch.zeros(3, 4)
    shift[1, 2], shift[0, 3] = 0.1, 0.2
    found = noise_floor(made(drawn(generator, 1, 40, 0.1 + shift)), made(drawn(generator, 2, 40, 0.1)))
    assert [(head.layer, head.head) for head in found.heads()] == [(0, 3), (1, 2)] and int(found.exceeds.sum()) == 2
    assert "2 of 12 heads exceed the floor at 95% for all heads together, most layer 0 head 3 (0.3" in repr(found)
    assert "1 pairs against 2; were they alike, chance alone would put about 4 of the 12 heads on top" in repr(found)


def test_texts_alone_make_some_head_exceed_in_at_most_one_of_twenty_samples():
    generator = torch.Generator().manual_seed(1)
    false = sum(
        bool(noise_floor(
            made(drawn(generator, 1, 40, 0.1)), made(drawn(generator, 1, 40, 0.1)), resamples=300
        ).exceeds.any())
        for _ in range(300)
    )  # fmt: skip
    assert 1 <= false <= 0.09 * 300  # 5 % of 300 is 15, and four standard errors are 15 more


def test_an_excess_that_all_texts_share_is_seen_although_texts_vary_much():
    generator = torch.Generator().manual_seed(2)
    texts = torch.rand(1, 30, 1, 1, generator=generator)  # what a text does to all models alike
    noise = 0.01 * torch.rand(2, 30, 2, 2, generator=generator)
    found = noise_floor(made(texts + noise[:1] + 0.05), made(texts + noise[1:]))
    assert found.exceeds.all() and (found.change.interval()[0] < found.floor.interval()[1]).all()


def test_nothing_exceeds_itself():
    change = made(drawn(torch.Generator().manual_seed(0), 1, 20, 0.1))
    found = noise_floor(change, change)
    assert not found.exceeds.any() and found.heads() == [] and "0 of 12 heads" in repr(found)
    assert torch.isfinite(found.low).all()


def test_differences_are_taken_as_they_are():
    found = noise_floor(differences(1), [differences(2), differences(3)], by="jensen_shannon")
    assert found.change.by == found.floor.by == "jensen_shannon" and found.floor.pairs == 2
    again = noise_floor(differences(1), [differences(2), differences(3)], by="jensen_shannon")
    assert torch.equal(found.low, again.low)


def test_what_cannot_be_compared_is_refused():
    change = made(torch.rand(1, 10, 3, 4))
    for floor, message in (
        (made(torch.rand(1, 10, 3, 5)), "of one architecture"),
        (made(torch.rand(1, 11, 3, 4)), "the same texts in the same order"),
        (replace(change, by="jensen_shannon"), "take one measure for both"),
        (made(torch.zeros(1, 10, 3, 4)), "the floor is 0 everywhere"),
    ):
        with pytest.raises(DiffError, match=message):
            noise_floor(change, floor)
    with pytest.raises(DiffError, match="9 texts are too few"):
        noise_floor(differences(1, texts=TEXTS[:9]), differences(2, texts=TEXTS[:9]))
    with pytest.raises(DiffError, match="level must be between 0 and 1"):
        noise_floor(change, change, level=1)
    with pytest.raises(DiffError, match="resamples must be at least 100"):
        noise_floor(change, change, resamples=1)


def test_table_has_a_row_a_head():
    if not importlib.util.find_spec("pandas"):
        with pytest.raises(DiffError, match="pip install pandas"):
            noise_floor(differences(1), differences(2)).to_frame()
        return
    frame = noise_floor(differences(1), differences(2)).to_frame()
    assert len(frame) == 6 and list(frame)[:4] == ["layer", "head", "change", "floor"]
    assert frame["exceeds"].dtype == bool


def test_two_heads_on_one_pretrained_body_are_no_floor():
    texts = [pair.first for pair in course.sentence_pairs()[:10]]
    trained, start, other = (
        course.load("sentiment", stage=stage, seed=seed, device="cpu")
        for stage, seed in (("trained", 0), ("pretrained", 0), ("pretrained", 1))
    )
    ends, starts, others = ([course.attend(model, text) for text in texts] for model in (trained, start, other))
    change = [course.diff(one, two) for one, two in zip(starts, ends, strict=True)]
    with pytest.raises(DiffError, match="these models attend alike"):
        noise_floor(change, [course.diff(one, two) for one, two in zip(starts, others, strict=True)])
