"""What a recipe is: how one role is trained and scored, and what its card must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from course.models import Model
    from course.models.entries import Score
    from course.training.loop import Outcome

RECIPES: Mapping[str, str] = {
    "sentiment": "course.training.sentiment",
    "paraphrase": "course.training.paraphrase",
    "qa": "course.training.qa",
    "emoji-es": "course.training.emoji",
    "translate-en-de": "course.training.translate",
    "shakespeare": "course.training.shakespeare",
    "digits": "course.training.digits",
    "planted": "course.training.planted",
}
"""The module of each role that can be trained."""


class TrainingError(RuntimeError):
    """A recipe cannot run as asked; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Run:
    """One training run: its data, its folder, its seed and where it computes.

    ``examples`` keeps only so many training examples, for a try-out; ``epochs`` overrides the recipe's own.
    With ``precision`` "bfloat16" matrix products are computed in bfloat16 (autocast); weights stay float32.
    """

    data: Path
    out: Path
    seed: int
    device: torch.device
    precision: str = "float32"
    examples: int | None = None
    epochs: int | None = None

    def file(self, name: str) -> Path:
        """A file of the data folder. Raises TrainingError where it is missing."""
        return data_file(self.data, name)


def data_file(data: Path, name: str) -> Path:
    """A file of a data folder. Raises TrainingError where it is missing."""
    path = data / name
    if not path.is_file():
        raise TrainingError(f"{name} is not in {data}; give --data the folder that has it")
    return path


@dataclass(frozen=True)
class Trained:
    """What a run leaves: the module (in a peft wrapper where an adapter was trained), its tokenizer, its story.

    ``tokenizer`` is None where the role uses that of its base; a role of images has its image processor here.
    ``validation`` is the score by which the best moment and the best seed are chosen, never that of the test.
    """

    module: Any
    tokenizer: Any
    outcome: Outcome

    @property
    def validation(self) -> float:
        """The best validation score of the run."""
        return self.outcome.best


@dataclass(frozen=True)
class Recipe:
    """How a role is trained and scored, and what must be said of the result.

    ``train`` gives the module of one run; ``score`` measures a loaded model on the data folder, and is what
    the published scores are repeated with. The other fields fill the catalogue entry and the model card;
    ``base`` is the role whose shipped weights an adapter extends, and ``summary`` one sentence for everybody.
    """

    role: str
    title: str
    task: str
    architecture: str
    licence: str
    languages: tuple[str, ...]
    train: Callable[[Run], Trained]
    score: Callable[[Model, Path], tuple[Score, ...]]
    summary: str
    data: str
    held_out: str
    method: str
    weaknesses: tuple[str, ...]
    misleads: tuple[str, ...]
    labels: tuple[str, ...] = ()
    base: str | None = None
    comparison: Callable[[Path, Sequence[Score]], str] | None = None


def recipe(role: str) -> Recipe:
    """The recipe of a role. Raises TrainingError for a role that has none."""
    if role not in RECIPES:
        raise TrainingError(f"there is no recipe for {role!r}; choose one of {', '.join(RECIPES)}")
    found: Recipe = import_module(RECIPES[role]).RECIPE
    return found
