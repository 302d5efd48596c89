from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from course.training import loop
from course.training.batches import shuffled
from course.training.loop import Outcome, Schedule, fit, seed_everything
from course.training.recipe import Run, TrainingError

POINTS = torch.linspace(-1, 1, 64).unsqueeze(1)
SCHEDULE = Schedule(epochs=3, rate=0.05, validations=2, average=0.9)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(data=tmp_path, out=tmp_path / "out", seed=3, device=torch.device("cpu"))


class Interrupted(Exception):
    pass


def train(run: Run, schedule: Schedule = SCHEDULE, stop_at: int | None = None) -> tuple[torch.nn.Module, Outcome]:
    """A line fitted to 2x + 1 with dropout, so that the random numbers of each step matter."""
    seed_everything(run.seed)
    module = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))
    done = [0]

    def plan(epoch: int) -> list[list[int]]:
        return torch.randperm(64, generator=shuffled(run.seed, epoch)).view(-1, 8).tolist()

    def error(batch: list[int]) -> torch.Tensor:
        if done[0] == stop_at:
            raise Interrupted
        done[0] += 1
        return (module(POINTS[batch]) - 2 * POINTS[batch] - 1).square().mean()

    return module, fit(module, plan, error, lambda: -error(list(range(64))).item(), schedule, run)


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def test_it_learns_and_tells_how_it_went(run: Run) -> None:
    _, outcome = train(run)
    assert outcome.steps == 24
    assert [step for step, _, _ in outcome.history] == [4, 8, 12, 16, 20, 24]
    assert outcome.best == max(score for _, _, score in outcome.history) > -0.2
    assert outcome.seconds > 0


def test_same_seed_gives_the_same_bytes_and_another_seed_others(run: Run, tmp_path: Path) -> None:
    first, again = train(run)[0], train(replace(run, out=tmp_path / "again"))[0]
    other = train(replace(run, out=tmp_path / "other", seed=4))[0]
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("stop_at", [5, 14])
def test_interrupted_run_ends_with_the_bytes_of_one_that_was_not(
    run: Run, tmp_path: Path, stop_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, outcome = train(run)
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    elsewhere = replace(run, out=tmp_path / "elsewhere")
    with pytest.raises(Interrupted):
        train(elsewhere, stop_at=stop_at)
    resumed, story = train(elsewhere)
    assert torch.equal(weights(whole), weights(resumed))
    assert story.history == outcome.history


def test_finished_run_does_not_compute_again(run: Run) -> None:
    first, _ = train(run)
    again, _ = train(run, stop_at=0)  # would raise in its first step
    assert torch.equal(weights(first), weights(again))


def test_best_weights_are_kept_not_the_last(run: Run) -> None:
    module = torch.nn.Linear(1, 1)
    seen: list[tuple[float, torch.Tensor]] = []

    def validate() -> float:
        seen.append(([1.0, 3.0, 2.0][len(seen)], module.weight.detach().clone()))
        return seen[-1][0]

    fit(module, lambda _: [[0]], lambda _: module(POINTS[:1]).sum(), validate, Schedule(epochs=3, rate=0.1), run)
    assert torch.equal(module.weight, seen[1][1])
    assert not torch.equal(module.weight, seen[2][1])


def test_checkpoint_of_other_settings_is_refused(run: Run) -> None:
    train(run)
    with pytest.raises(TrainingError, match="other settings; delete it, or give another --out"):
        train(run, replace(SCHEDULE, rate=0.01))


def test_checkpoint_of_other_batches_or_another_model_is_refused(run: Run) -> None:
    def fitted(width: int, plan: list[list[int]]) -> None:
        module = torch.nn.Linear(1, width)
        fit(module, lambda _: plan, lambda b: module(POINTS[b]).square().mean(), lambda: 0.0, SCHEDULE, run)

    fitted(2, [[0, 1], [2]])
    fitted(2, [[0, 1], [2]])
    for width, plan in ((2, [[0], [1, 2]]), (3, [[0, 1], [2]])):
        with pytest.raises(TrainingError, match="other settings; delete it, or give another --out"):
            fitted(width, plan)


def test_loss_that_is_not_finite_stops_the_run(run: Run) -> None:
    module = torch.nn.Linear(1, 1)
    with pytest.raises(TrainingError, match="the loss is nan at step 0; lower the rate"):
        fit(module, lambda _: [[0]], lambda _: module(POINTS[:1]).sum() * float("nan"), lambda: 0.0, SCHEDULE, run)


def test_frozen_parameters_stay(run: Run) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Linear(4, 1))
    module[0].requires_grad_(False)
    before = module[0].weight.clone()
    fit(module, lambda _: [[0]], lambda _: module(POINTS[:1]).sum(), lambda: 0.0, SCHEDULE, run)
    assert torch.equal(module[0].weight, before)


@pytest.mark.parametrize(
    ("shape", "step", "expected"), [("linear", 0, 0.1), ("linear", 9, 1.0), ("linear", 55, 0.5), ("cosine", 55, 0.5)]
)
def test_rate_rises_then_falls(shape: str, step: int, expected: float) -> None:
    assert Schedule(epochs=1, rate=1.0, warmup=0.1, shape=shape).factor(step, 100) == pytest.approx(expected)


def test_groups_learn_at_their_own_rates(run: Run) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.Linear(4, 1))
    before = [p.detach().clone() for p in module.parameters()]
    groups = [
        {"params": list(module[0].parameters()), "share": 0.0},
        {"params": list(module[1].parameters()), "share": 1.0},
    ]
    fit(module, lambda _: [[1]], lambda b: module(POINTS[b]).sum(), lambda: 0.0, SCHEDULE, run, groups=groups)
    assert torch.equal(module[0].weight, before[0])
    assert not torch.equal(module[1].weight, before[2])
