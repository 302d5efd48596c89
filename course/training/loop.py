"""The training loop: seeded, shown by a bar, resumed from its checkpoint, and ended with its best weights."""

from __future__ import annotations

import hashlib
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from course.training.recipe import Run, TrainingError

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    The learning rate rises over the share ``warmup`` of all steps to ``rate``, then falls to zero along a
    line or a cosine. ``average`` keeps an exponential moving average of the weights with this decay, which is
    what is validated and kept. There are ``validations`` an epoch.
    """

    epochs: int
    rate: float
    warmup: float = 0.06
    shape: str = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float | None = None
    validations: int = 1
    betas: tuple[float, float] = (0.9, 0.999)

    def factor(self, step: int, steps: int) -> float:
        """The share of ``rate`` at a step of so many."""
        warm = max(1, round(self.warmup * steps))
        if step < warm:
            return (step + 1) / warm
        left = (steps - step) / max(1, steps - warm)
        return left if self.shape == "linear" else 0.5 * (1 - math.cos(math.pi * left))


@dataclass
class Outcome:
    """How a run went: the best validation score and its step, and a row of history a validation.

    ``seconds`` is processor time, summed over the threads of the process, so that a busy machine does not
    change it much; ``history`` rows are step, mean training loss since the last row, and validation score.
    """

    steps: int
    best: float = -math.inf
    best_step: int = 0
    seconds: float = 0.0
    history: list[tuple[int, float, float]] = field(default_factory=list)


def seed_everything(seed: int) -> None:
    """Seed Python and torch, so that a run can be repeated. Call before the module is made."""
    random.seed(seed)
    torch.manual_seed(seed)


def fit(
    module: torch.nn.Module,
    plan: Callable[[int], list[list[int]]],
    loss: Callable[[list[int]], torch.Tensor],
    validate: Callable[[], float],
    schedule: Schedule,
    run: Run,
    *,
    name: str = "training",
    groups: Iterable[dict[str, Any]] | None = None,
) -> Outcome:
    """Train what of the module asks for gradients, and leave in it the weights that validated best.

    ``plan`` gives the batches of an epoch as lists of example numbers, ``loss`` the mean loss of one batch,
    and ``validate`` a score of which more is better, computed in evaluation mode. ``groups`` are the
    optimizer's parameter groups where parts learn at different rates (shares of the schedule's).

    A checkpoint is written to ``run.out`` every minute; a run that finds one goes on from it and ends with
    the same bytes as one that was never interrupted. Raises TrainingError when it belongs to another run,
    and when the loss is not finite.
    """
    epochs = schedule.epochs if run.epochs is None else run.epochs
    batches = [(epoch, batch) for epoch in range(epochs) for batch in plan(epoch)]
    state = _State(module, schedule, run, name, groups, hashlib.sha256(repr(batches).encode()).hexdigest())
    outcome = state.outcome
    outcome.steps = len(batches)
    per_epoch = len(batches) / max(1, epochs)
    due = {round(per_epoch * (k + 1) / schedule.validations) for k in range(epochs * schedule.validations)}
    bar = tqdm(total=len(batches), initial=state.step, desc=name, unit="step", disable=not sys.stderr.isatty())
    clock, saved = time.process_time(), time.monotonic()
    module.train()
    for _, batch in batches[state.step :]:
        for group in state.optimizer.param_groups:
            group["lr"] = schedule.rate * group["share"] * schedule.factor(state.step, len(batches))
        with torch.autocast(run.device.type, torch.bfloat16, enabled=run.precision == "bfloat16"):
            value = loss(batch)
        if not torch.isfinite(value):
            raise TrainingError(f"the loss is {value.item()} at step {state.step}; lower the rate of {name}")
        value.backward()  # type: ignore[no-untyped-call]  # torch 2.13 has no types here
        state.advance(schedule)
        state.losses.append(value.item())
        if state.step in due:
            state.validated(_validated(module, state, validate))
            step, mean, score = outcome.history[-1]
            bar.set_postfix(loss=f"{mean:.3f}", validation=f"{score:.4f}")
            bar.write(f"{name}: step {step}/{len(batches)}, loss {mean:.4f}, validation {score:.4f}", file=sys.stderr)
        bar.update()
        if time.monotonic() - saved > SAVE_EVERY or state.step in due:
            outcome.seconds += time.process_time() - clock
            clock = time.process_time()
            state.save()
            saved = time.monotonic()
    bar.close()
    state.finish()
    module.eval()
    return outcome


def _validated(module: torch.nn.Module, state: _State, validate: Callable[[], float]) -> float:
    module.eval()
    with torch.no_grad(), state.averaged():
        score = validate()
    module.train()
    return score


class _State:
    """All that a run must remember to go on where it stopped."""

    def __init__(
        self,
        module: torch.nn.Module,
        schedule: Schedule,
        run: Run,
        name: str,
        groups: Iterable[dict[str, Any]] | None,
        batches: str,
    ) -> None:
        self.parameters = {key: p for key, p in module.named_parameters() if p.requires_grad}
        chosen = [{"params": list(self.parameters.values())}] if groups is None else list(groups)
        self.optimizer = torch.optim.AdamW(
            [{"share": 1.0, **group} for group in chosen],
            lr=schedule.rate,
            betas=schedule.betas,
            weight_decay=schedule.weight_decay,
        )
        self.run, self.step, self.outcome = run, 0, Outcome(steps=0)
        self.losses: list[float] = []
        self.average = None if schedule.average is None else self._copy()
        self.decay = schedule.average or 0.0
        self.best = self._copy()
        self.path: Path = run.out / f"{name}.checkpoint.pt"
        shapes = {key: list(p.shape) for key, p in self.parameters.items()}
        self.identity = {**asdict(schedule), "seed": run.seed, "batches": batches, "shapes": shapes}
        if self.path.is_file():
            self._resume()

    def advance(self, schedule: Schedule) -> None:
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), schedule.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        if self.average is not None:
            decay = min(self.decay, (1 + self.step) / (10 + self.step))
            for key, parameter in self.parameters.items():
                self.average[key].lerp_(parameter.detach(), 1 - decay)

    def validated(self, score: float) -> None:
        self.outcome.history.append((self.step, sum(self.losses) / max(1, len(self.losses)), score))
        self.losses = []
        if score > self.outcome.best:
            self.outcome.best, self.outcome.best_step = score, self.step
            with self.averaged():
                self.best = self._copy()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in the module's place."""
        if self.average is None:
            yield
            return
        own = self._copy()
        self._put(self.average)
        try:
            yield
        finally:
            self._put(own)

    def finish(self) -> None:
        self._put(self.best)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".unfinished")
        kept = {
            "identity": self.identity,
            "step": self.step,
            "parameters": self._copy(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "best": self.best,
            "losses": self.losses,
            "outcome": asdict(self.outcome),
            "random": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        torch.save(kept, unfinished)
        unfinished.replace(self.path)

    def _resume(self) -> None:
        kept = torch.load(self.path, map_location=self.run.device, weights_only=True)
        if kept["identity"] != self.identity:
            raise TrainingError(f"{self.path} is of a run with other settings; delete it, or give another --out")
        self._put(kept["parameters"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.step, self.average, self.best = kept["step"], kept["average"], kept["best"]
        self.losses = list(kept["losses"])
        self.outcome = Outcome(**{**kept["outcome"], "history": [tuple(row) for row in kept["outcome"]["history"]]})
        torch.set_rng_state(kept["random"].cpu())
        if kept["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([state.cpu() for state in kept["cuda"]])

    def _copy(self) -> dict[str, torch.Tensor]:
        return {key: p.detach().clone() for key, p in self.parameters.items()}

    def _put(self, values: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for key, parameter in self.parameters.items():
                parameter.copy_(values[key])
