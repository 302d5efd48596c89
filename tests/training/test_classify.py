from __future__ import annotations

from pathlib import Path

import torch

from course.training.adapters import learnt
from course.training.classify import Examples, train_classifier
from course.training.loop import Schedule
from course.training.recipe import Run, Trained

TEXTS = tuple((f"a {word} film",) for word in ("good", "bad", "fine", "dull", "great", "poor", "nice", "weak"))
EXAMPLES = Examples(TEXTS, (1, 0) * 4)
A_MATRIX = "layer.2.attention.self.query.lora_{}.default.weight"


def trained(out: Path, members: int) -> Trained:
    run = Run(out, out, 0, torch.device("cpu"))
    schedule = Schedule(epochs=2, rate=1e-2)
    return train_classifier(
        run, lambda _: EXAMPLES, EXAMPLES, labels=("no", "yes"), rank=1, schedule=schedule, tokens=16, members=members
    )


def pick(state: dict[str, torch.Tensor], ending: str) -> torch.Tensor:
    return next(value for key, value in state.items() if key.endswith(ending))


def added(state: dict[str, torch.Tensor]) -> torch.Tensor:
    return pick(state, A_MATRIX.format("B")) @ pick(state, A_MATRIX.format("A"))


def test_members_start_alike_read_in_other_orders_and_leave_their_average(tmp_path: Path) -> None:
    result = trained(tmp_path, members=2)
    kept = [torch.load(tmp_path / f"member-{i}.checkpoint.pt", weights_only=True) for i in range(2)]
    best = [one["best"] for one in kept]
    state = learnt(result.module)
    assert pick(state, A_MATRIX.format("A")).shape[0] == 2
    assert torch.allclose(added(state), (added(best[0]) + added(best[1])) / 2, atol=1e-6)
    heads = [pick(one, "classifier.modules_to_save.default.weight") for one in (*best, state)]
    assert torch.allclose(heads[2], (heads[0] + heads[1]) / 2, atol=1e-6)
    assert not torch.equal(heads[0], heads[1])
    assert kept[0]["identity"]["batches"] != kept[1]["identity"]["batches"]
    assert result.outcome.steps == sum(one["step"] for one in kept)


def test_one_member_is_left_as_it_was_trained(tmp_path: Path) -> None:
    result = trained(tmp_path, members=1)
    best = torch.load(tmp_path / "training.checkpoint.pt", weights_only=True)["best"]
    for key, value in learnt(result.module).items():
        assert torch.equal(value, best[key]), key
