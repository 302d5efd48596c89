"""`python -m course.training ROLE --data DIR --out DIR`: train, save, load back, score, and write the card."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from course.models import ModelError
from course.training.recipe import RECIPES, Recipe, Run, TrainingError, recipe
from course.training.ship import ship


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    given = _parser().parse_args(arguments)
    try:
        place = train_role(given)
        if given.ship:
            place = ship(given.role, given.out)
    except (TrainingError, ModelError) as error:
        print(f"course.training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncourse.training: stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    print(f"{given.role} is in {place}")
    return 0


def train_role(given: argparse.Namespace) -> Path:
    """Every seed asked for, then the first of them with its card; gives the folder of the shipped files."""
    import torch

    from course.training.artefact import CARD, write_entry
    from course.training.card import card

    if given.threads:
        torch.set_num_threads(given.threads)
    chosen = recipe(given.role)
    results = [_seed(chosen, given, seed) for seed in given.seeds]
    shipped = results[0]  # the others show what chance does; taking the luckiest would hide it
    place: Path = given.out / "weights" / given.role
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(given.out / f"seed-{shipped.seed}" / "weights" / given.role, place)
    text = card(chosen, shipped, results, place, given.data, _options(given))
    (place / CARD).write_text(text, encoding="utf-8")
    write_entry(chosen, given.out, shipped.scores)
    return place


def _seed(chosen: Recipe, given: argparse.Namespace, seed: int) -> Any:
    """One seed, trained unless its folder has its results, as it is after a run that broke off."""
    import torch

    import course
    from course.models.entries import Score
    from course.training.artefact import write_entry, write_weights
    from course.training.card import SeedResult

    folder = given.out / f"seed-{seed}"
    facts = folder / "result.json"
    settings = {"examples": given.examples, "epochs": given.epochs, "precision": given.precision}
    if facts.is_file():
        kept = json.loads(facts.read_text(encoding="utf-8"))
        if kept.pop("settings") != settings:
            raise TrainingError(f"{folder} holds a run with other settings; delete it, or give another --out")
        intervals = [score["interval"] and tuple(score["interval"]) for score in kept["scores"]]
        scores = [Score(**{**score, "interval": ends}) for score, ends in zip(kept["scores"], intervals, strict=True)]
        return SeedResult(**{**kept, "scores": tuple(scores)})
    device = torch.device(given.device)
    run = Run(given.data, folder, seed, device, given.precision, given.examples, given.epochs)
    trained = chosen.train(run)
    write_weights(chosen, trained, folder)
    model = course.load(given.role, device=given.device, catalogue=write_entry(chosen, folder, ()))
    outcome = trained.outcome
    minutes = outcome.seconds / 60
    result = SeedResult(seed, outcome.best, minutes, outcome.steps, chosen.score(model, given.data))
    for score in result.scores:
        print(f"{given.role}, seed {seed}: {score}")
    facts.write_text(json.dumps({**asdict(result), "settings": settings}, indent=2) + "\n", encoding="utf-8")
    return result


def _options(given: argparse.Namespace) -> str:
    """What the bytes of the result depend on besides the seed, as it stands on the command line."""
    options = {
        "precision": given.precision,
        "threads": given.threads,
        "epochs": given.epochs,
        "examples": given.examples,
    }
    return "".join(f" --{name} {value}" for name, value in options.items() if value not in (None, "float32"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course.training", description=__doc__)
    parser.add_argument("role", choices=list(RECIPES), help="which model to train")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the data sets")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints and results")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="N", help="to run; the first is shipped (default: 0)"
    )
    parser.add_argument("--device", default="cpu", help="where to compute: cpu, cuda, mps (default: cpu)")
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of matrix products in training (default: float32)",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the processor (default: torch's)")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's own, for a try-out")
    parser.add_argument("--ship", action="store_true", help="then put the result into this package")
    parser.add_argument("--examples", type=int, metavar="N", help="train on so many only, for a try-out")
    return parser
