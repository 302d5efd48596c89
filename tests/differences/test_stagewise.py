"""Three stages: the steps between them, the way round, and the floors between seeds."""

from __future__ import annotations

import doctest
import importlib

import pytest
import torch

from course.differences import stagewise
from course.differences.comparing import DiffError
from course.differences.stagewise import three_way
from tests.differences.test_changes import TEXTS
from tests.views.synthetic import attention


def stage(seed: int, texts=TEXTS, layers: int = 2):
    return [attention(layers, 3, text, seed=1000 * seed + i, model=f"seed {seed}") for i, text in enumerate(texts)]


def test_steps_are_the_total_variations_between_the_stages():
    random, start, end = stage(1), stage(2), stage(3)
    found = three_way(random, start, end)
    for change, before, after in (
        (found.pretraining, random, start), (found.fine_tuning, start, end), (found.whole, random, end),
    ):  # fmt: skip
        one = (after[4].weights - before[4].weights).abs().sum(-1).mean(-1) / 2
        assert torch.allclose(change.values[0, 4], one.double(), atol=1e-6)
    assert found.between_random is None and found.between_trained is None
    assert repr(found).count("\n") == 3 and "pretrained → trained" in repr(found)


def test_the_way_over_pretraining_is_no_shorter():
    found = three_way([stage(1), stage(4)], stage(2), [stage(3), stage(5)])
    assert (found.detour >= -1e-6).all()
    back = three_way(stage(1), stage(2), stage(1))
    assert torch.allclose(back.detour, 2 * back.fine_tuning.mean) and not back.whole.values.any()
    nothing = three_way(stage(1), stage(2), stage(2))
    assert torch.allclose(nothing.detour, torch.zeros(2, 3, dtype=torch.double), atol=1e-7)


def test_seeds_give_a_floor_and_every_pair_of_them_counts():
    found = three_way([stage(1), stage(4), stage(6)], stage(2), [stage(3), stage(5)])
    assert (found.pretraining.pairs, found.fine_tuning.pairs, found.whole.pairs) == (3, 2, 6)
    assert (found.between_random.pairs, found.between_trained.pairs) == (3, 1)
    assert found.pretraining_floor().floor is found.between_random
    assert found.fine_tuning_floor().change is found.fine_tuning
    assert "between random seeds" in repr(found) and "between trained seeds" in repr(found)


def test_one_seed_has_no_floor():
    found = three_way(stage(1), stage(2), stage(3))
    for floor, name in ((found.pretraining_floor, "random"), (found.fine_tuning_floor, "trained")):
        with pytest.raises(DiffError, match=f"at least two seeds of stage '{name}'"):
            floor()


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(DiffError, match="12 texts of one stage and 11 of another"):
        three_way(stage(1), stage(2), stage(3)[:-1])
    with pytest.raises(DiffError, match="the tokens differ"):
        three_way(stage(1), stage(2), stage(3)[::-1])
    with pytest.raises(DiffError, match="pretrained must be a list"):
        three_way(stage(1), stage(2)[0], stage(3))
    with pytest.raises(DiffError, match="random must be a list"):
        three_way([], stage(2), stage(3))
    with pytest.raises(DiffError, match="give one list for pretrained"):
        three_way(stage(1), [stage(2), stage(4)], stage(3))
    with pytest.raises(DiffError, match="a head can only be compared"):
        three_way(stage(1), stage(2), stage(3, layers=3))


def test_table_has_an_interval_for_every_step():
    found = three_way(stage(1), stage(2), stage(3))
    if importlib.util.find_spec("pandas"):
        frame = found.to_frame()
        assert (frame["pretraining_low"] <= frame["pretraining"]).all() and len(frame) == 6
    else:
        with pytest.raises(DiffError, match="pip install pandas"):
            found.to_frame()


def test_example_in_the_docstring_runs():
    results = doctest.testmod(stagewise)
    assert results.attempted and not results.failed
