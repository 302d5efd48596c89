"""The recipe of the handwritten digits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from course.models import wrap
from course.training import digits
from course.training.recipe import Run
from course.vision.handwriting import Digits


@pytest.fixture(scope="module")
def everything():
    return digits.read()


def test_the_three_parts_are_all_digits_once_in_equal_shares(everything):
    parts = digits.split(everything)
    assert [len(part) for part in parts] == [1197, 150, 450]
    pixels = [np.asarray(picture).tobytes() for part in parts for picture in part.pictures]
    assert sorted(pixels) == sorted(np.asarray(picture).tobytes() for picture in everything.pictures)
    for part in parts:
        assert np.bincount(part.labels, minlength=10) / len(part) == pytest.approx(np.full(10, 0.1), abs=0.01)


def test_the_held_out_digits_are_always_the_same_ones(everything):
    torch.manual_seed(1)
    first = digits.split(everything)[2]
    torch.manual_seed(2)
    np.random.seed(2)
    assert digits.split(digits.read())[2].pictures == first.pictures


def test_no_held_out_picture_is_learnt(everything):
    learnt, watched, held_out = digits.split(everything)
    known = {np.asarray(picture).tobytes() for part in (learnt, watched) for picture in part.pictures}
    assert not any(np.asarray(picture).tobytes() in known for picture in held_out.pictures)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA"])
def test_a_picture_of_any_mode_and_size_can_be_read(mode):
    picture = Image.new("L", (40, 70), 255).convert(mode)
    pixels = digits.inputs(digits.processor(), [picture])
    assert pixels.shape == (1, 3, 32, 32)
    assert torch.all(pixels == 1)


def test_an_array_is_read_as_the_picture_is(everything):
    picture = everything.pictures[0]
    reader = digits.processor()
    array = np.asarray(picture)[..., None]
    assert torch.equal(digits.inputs(reader, [array]), digits.inputs(reader, [picture]))


def test_the_processor_is_the_same_after_it_was_saved(tmp_path: Path, everything):
    from transformers import AutoImageProcessor

    reader = digits.processor()
    reader.save_pretrained(tmp_path)
    again = AutoImageProcessor.from_pretrained(tmp_path)
    pictures = everything.pictures[:20]
    # Where torchvision is installed, it resizes, and may round a grey value the other way.
    assert digits.inputs(again, pictures) == pytest.approx(digits.inputs(reader, pictures), abs=0.02)


def test_moved_pictures_keep_their_ink_and_are_filled_with_black():
    torch.manual_seed(0)
    pixels = torch.full((50, 3, 32, 32), -1.0)
    pixels[..., 12:20, 12:20] = 1.0
    found = digits.moved(pixels)
    ink = (found + 1).sum((1, 2, 3)) / (pixels + 1).sum((1, 2, 3))
    assert 0.7 < ink.min() < 0.95 and 1.05 < ink.max() < 1.35
    assert torch.all(found[..., 0, :] == -1) and torch.all(found[..., -1, :] == -1)
    assert len(torch.unique(found.flatten(1), dim=0)) == 50


def test_inked_pictures_keep_paper_black_and_half_of_them_as_they_are():
    torch.manual_seed(0)
    pixels = torch.full((200, 3, 32, 32), -1.0)
    pixels[..., 12:20, 12:20] = 1.0
    found = digits.inked(pixels)
    assert 70 < sum(torch.equal(one, other) for one, other in zip(found, pixels, strict=True)) < 130
    assert found.min() >= -1 and found.max() <= 1
    assert torch.all(found[..., 16, 16] > found[..., 0, 0] + 0.5)


class Brightness(torch.nn.Module):
    """Calls the picture a 1 where it is bright, else a 0."""

    def __init__(self):
        super().__init__()
        self.own = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pixel_values):
        bright = pixel_values.mean((1, 2, 3)) > 0
        return type("Output", (), {"logits": torch.nn.functional.one_hot(bright.long(), 10).float()})


def test_the_score_is_the_share_of_right_answers(monkeypatch):
    black, white = Image.new("L", (8, 8), 0), Image.new("L", (8, 8), 255)
    held_out = Digits((black, black, white, white), np.array([0, 3, 1, 1]))
    monkeypatch.setattr(digits, "split", lambda _: (held_out, held_out, held_out))
    model = type("Stand", (), {"module": Brightness(), "tokenizer": digits.processor()})
    (score,) = digits.score(model, Path("nowhere"))
    assert score.value == 0.75
    assert score.interval is not None and score.interval[0] < 0.75 < score.interval[1]


def test_a_miniature_run_gives_a_model_that_the_course_reads(tmp_path):
    run = Run(tmp_path, tmp_path / "out", seed=0, device=torch.device("cpu"), examples=80, epochs=2)
    trained = digits.train(run)
    assert trained.outcome.steps == 4
    model = wrap(trained.module, trained.tokenizer, name="digits")
    assert model.labels == digits.LABELS
    (score,) = digits.score(model, tmp_path)
    assert 0 <= score.value <= 1
    again = digits.train(Run(tmp_path, tmp_path / "other", 0, torch.device("cpu"), examples=80, epochs=2))
    for one, other in zip(trained.module.parameters(), again.module.parameters(), strict=True):
        assert torch.equal(one, other)
