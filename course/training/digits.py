"""digits: a small vision transformer that reads handwritten digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from course.models.catalogue import Score
from course.training.batches import shuffled
from course.training.loop import Schedule, fit, seed_everything
from course.training.recipe import Recipe, Run, Trained
from course.training.scores import share

if TYPE_CHECKING:
    from PIL.Image import Image

    from course.models import Model

LABELS = tuple("0123456789")
HELD_OUT, WATCHED = 450, 150
"""Digits that the score is measured on, and digits that training watches; the others are learnt."""
SIZE, PATCH, WIDTH, LAYERS, HEADS = 32, 4, 64, 3, 4
BATCH = 64
TURN, SHIFT, ZOOM = 12, 3, 0.12
SCHEDULE = Schedule(
    epochs=40, rate=1.5e-3, warmup=0.05, shape="cosine", weight_decay=0.05, average=0.995, validations=1
)


@dataclass(frozen=True)
class Digits:
    """Pictures of 8 x 8 grey pixels, white ink on black, and the digit on each."""

    pictures: tuple[Image, ...]
    labels: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, chosen: Sequence[int] | NDArray[np.intp]) -> Digits:
        """The digits of these numbers."""
        return Digits(tuple(self.pictures[i] for i in chosen), self.labels[np.asarray(chosen, dtype=np.intp)])


def read() -> Digits:
    """All 1,797 digits, which travel with scikit-learn."""
    from PIL import Image
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    bunch = load_digits()
    grey = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    return Digits(tuple(Image.fromarray(pixels) for pixels in grey), bunch.target.astype(np.intp))


def split(digits: Digits) -> tuple[Digits, Digits, Digits]:
    """Learnt, watched and held out: always the same, with each digit's share about equal in the three."""
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

    learnt, held_out = train_test_split(
        np.arange(len(digits)), test_size=HELD_OUT, stratify=digits.labels, random_state=0
    )
    learnt, watched = train_test_split(learnt, test_size=WATCHED, stratify=digits.labels[learnt], random_state=0)
    return digits.take(learnt), digits.take(watched), digits.take(held_out)


def processor() -> Any:
    """What makes a picture into the model's input: any PIL picture, or an array of height x width x channels.

    Resized to 32 x 32 without regard to its shape, made RGB, and scaled to -1 (black) … 1 (white).
    """
    # Not ViTImageProcessor, which needs torchvision; the files are the same, and AutoImageProcessor reads them with
    # or without it.
    from transformers import ViTImageProcessorPil

    half = [0.5, 0.5, 0.5]
    return ViTImageProcessorPil(
        size={"height": SIZE, "width": SIZE}, do_convert_rgb=True, image_mean=half, image_std=half
    )


def fresh() -> Any:
    """A vision transformer that has learnt nothing yet. Seed before the call."""
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        image_size=SIZE,
        patch_size=PATCH,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * WIDTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,  # no dropout on the weights that the course looks at
        initializer_range=WIDTH**-0.5,  # ViT's own 0.02 is for wider models, and learns slowly here
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )
    return ViTForImageClassification._from_config(config, attn_implementation="eager")


def train(run: Run) -> Trained:
    """One run; in each epoch every digit is a little turned, shifted and resized."""
    learnt, watched, _ = split(read())
    reader = processor()
    pixels, labels = inputs(reader, learnt.pictures), torch.from_numpy(learnt.labels)
    pixels, labels = pixels[: run.examples].to(run.device), labels[: run.examples].to(run.device)
    seed_everything(run.seed)
    module = fresh().to(run.device)

    def plan(epoch: int) -> list[list[int]]:
        order = torch.randperm(len(pixels), generator=shuffled(run.seed, epoch))
        return [order[i : i + BATCH].tolist() for i in range(0, len(order), BATCH)]

    def loss(chosen: list[int]) -> torch.Tensor:
        found = module(pixel_values=moved(pixels[chosen])).logits
        return torch.nn.functional.cross_entropy(found.float(), labels[chosen], label_smoothing=0.05)

    def validate() -> float:
        # Not accuracy: 150 digits are soon all right, and then say nothing.
        found = logits(module, reader, watched.pictures)
        return -float(torch.nn.functional.cross_entropy(found, torch.from_numpy(watched.labels)))

    return Trained(module, reader, fit(module, plan, loss, validate, SCHEDULE, run, name="digits"))


def moved(pixels: torch.Tensor) -> torch.Tensor:
    """Each picture turned by up to TURN degrees, moved by up to SHIFT pixels, and made larger or smaller by up to ZOOM.

    ``pixels``: pictures x channels x height x width. What comes in from outside is black. Draws from torch's own
    random numbers, which a resumed run continues.
    """
    most = torch.tensor([TURN * torch.pi / 180, ZOOM, 2 * SHIFT / SIZE, 2 * SHIFT / SIZE])
    angle, zoom, across, down = (most * (2 * torch.rand(len(pixels), 4) - 1)).to(pixels.device).unbind(-1)
    cos, sin = angle.cos() * (1 + zoom), angle.sin() * (1 + zoom)
    turn = torch.stack([cos, -sin, across, sin, cos, down], dim=-1)
    grid = torch.nn.functional.affine_grid(turn.view(-1, 2, 3), list(pixels.shape), align_corners=False)
    # Black is -1, but grid_sample fills with 0.
    return torch.nn.functional.grid_sample(pixels + 1, grid, align_corners=False) - 1


def inputs(reader: Any, pictures: Sequence[Image]) -> torch.Tensor:
    """Pictures x channels x height x width."""
    found: torch.Tensor = reader(list(pictures), return_tensors="pt")["pixel_values"]
    return found


def logits(module: Any, reader: Any, pictures: Sequence[Image]) -> torch.Tensor:
    """Pictures x labels."""
    device = next(module.parameters()).device
    with torch.no_grad():
        pixels = torch.split(inputs(reader, pictures), 150)
        parts = [module(pixel_values=part.to(device)).logits.cpu() for part in pixels]
    return torch.cat(parts)


def score(model: Model, data: Path) -> tuple[Score, ...]:
    """Accuracy on the held-out digits; ``data`` is not read, for scikit-learn brings them."""
    held_out = split(read())[2]
    right = logits(model.module, model.tokenizer, held_out.pictures).argmax(-1).numpy() == held_out.labels
    return (share("accuracy", right, f"{len(held_out)} held-out digits of scikit-learn"),)


RECIPE = Recipe(
    role="digits",
    title="Small ViT for handwritten digits",
    task="image-classification",
    architecture="ViTForImageClassification",
    licence="Apache-2.0; trained on scikit-learn's copy of a UCI data set (CC BY 4.0)",
    languages=(),
    labels=LABELS,
    train=train,
    score=score,
    summary="which digit is written",
    data="-",
    held_out="-",
    method="-",
    weaknesses=(),
    misleads=(),
)
