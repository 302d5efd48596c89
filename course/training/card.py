"""The model card: what a shipped model is, how it was made, how good it is, and how it misleads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course.models import read_catalogue
from course.models.entries import Score
from course.training.recipe import Recipe


@dataclass(frozen=True)
class SeedResult:
    """What one seed gave: its validation score, its scores on the test, and the processor minutes it took."""

    seed: int
    validation: float
    minutes: float
    steps: int
    scores: tuple[Score, ...]


def card(
    recipe: Recipe, shipped: SeedResult, results: Sequence[SeedResult], place: Path, data: Path, options: str = ""
) -> str:
    """The text of MODEL_CARD.md for the files in ``place``; ``options`` are those that the command was given."""
    parts = [
        f"# {recipe.role}: {recipe.title}",
        recipe.summary,
        "## What it is",
        "\n".join(f"- {line}" for line in _facts(recipe, place)),
        "## Data",
        recipe.data,
        f"**Held out.** {recipe.held_out}",
        "## Recipe",
        recipe.method,
        _repeat(recipe, shipped, results, options),
        "## Scores",
        _scores(shipped, results),
    ]
    if recipe.comparison is not None:
        parts += ["## Beside others", recipe.comparison(data, shipped.scores)]
    parts += ["## What it is bad at", _list(recipe.weaknesses)]
    parts += ["## How it misleads a student who trusts it", _list(recipe.misleads)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _facts(recipe: Recipe, place: Path) -> list[str]:
    size = sum(path.stat().st_size for path in place.iterdir() if path.suffix != ".md")
    facts = [f"Task: {recipe.task} ({recipe.architecture})"]
    if recipe.languages:
        facts.append(f"Languages: {', '.join(recipe.languages)}")
    if recipe.labels:
        facts.append(f"Labels, in order: {', '.join(recipe.labels)}")
    if recipe.base is not None:
        base = read_catalogue()[recipe.base].shipped
        assert base is not None, "an adapter extends a shipped role"
        digest = base.sha256["model.safetensors"]
        facts.append(f"Base: {base.title} (role `{recipe.base}`), model.safetensors with sha256 `{digest}`")
    else:
        facts.append("Base: none; trained from scratch")
    facts.append(f"Size: {size / 1e6:.2f} MB; weights in half precision, loaded as float32")
    facts.append(f"Terms: {recipe.licence}")
    return facts


def _repeat(recipe: Recipe, shipped: SeedResult, results: Sequence[SeedResult], options: str) -> str:
    seeds = " ".join(str(result.seed) for result in results)
    command = f"python -m course.training {recipe.role} --data DIR --out DIR --seeds {seeds}{options}"
    minutes = ", ".join(f"{result.minutes:.0f}" for result in results)
    return (
        f"Repeat it with `{command}`. Each seed took {shipped.steps:,} steps; processor minutes: {minutes}. "
        f"Shipped is seed {shipped.seed}{', the first; the others show what chance does' if len(results) > 1 else ''}."
    )


def _scores(shipped: SeedResult, results: Sequence[SeedResult]) -> str:
    header = ["score", "data", f"shipped (seed {shipped.seed})", "95 % interval"]
    several = len(results) > 1
    if several:
        header += [f"mean of {len(results)} seeds", "each seed"]
    rows = []
    for i, score in enumerate(shipped.scores):
        values = [result.scores[i].value for result in results]
        interval = "–" if score.interval is None else f"{_number(score.interval[0])} to {_number(score.interval[1])}"
        row = [score.name, score.data, _number(score.value), interval]
        if several:
            row += [_number(sum(values) / len(values)), ", ".join(map(_number, values))]
        rows.append(row)
    validation = ", ".join(f"{_number(result.validation)} (seed {result.seed})" for result in results)
    table = "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
    return f"{table}\n\nMeasured on the files as shipped, in float32. Validation score: {validation}."


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
