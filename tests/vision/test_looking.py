"""look(): the model's own preprocessing, its patches in the order of its embeddings, and models that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import DeiTConfig, DeiTForImageClassification, ViTImageProcessorPil

import course
from course.tokens import InputError
from course.vision.looking import look
from tests import tiny

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "CMYK"])
def test_pixels_are_those_of_transformers_own_processor(tmp_path, mode):
    model, image = tiny.eye(), NOISE.convert(mode)
    image.save(tmp_path / "x.tiff")
    expected = model.tokenizer(image.convert("RGB"), return_tensors="pt")["pixel_values"]
    for source in (image, tmp_path / "x.tiff"):
        assert torch.equal(look(model, source)[1]["pixel_values"], expected)


def test_the_shipped_model_reads_digits_as_it_was_trained_to():
    from course.training import digits

    model = course.load("digits")
    for one in course.digit_images(3):
        assert torch.equal(look(model, one.image)[1]["pixel_values"], digits.inputs(model.tokenizer, [one.image]))
        array = look(model, np.asarray(one.image) / 255.0)[1]["pixel_values"]
        assert torch.equal(array, look(model, one.image)[1]["pixel_values"])


def test_a_model_of_one_channel_reads_grey():
    model = tiny.eye(channels=1)
    patches, inputs = look(model, NOISE)
    assert inputs["pixel_values"].shape == (1, 1, 24, 16)
    expected = model.tokenizer(NOISE.convert("L"), return_tensors="pt")["pixel_values"]
    assert torch.equal(inputs["pixel_values"], expected) and patches.picture.rgb.shape == (24, 16, 3)


def test_patches_are_named_as_they_are_embedded():
    """The only light patch is the only one of which the embedding differs from that of darkness."""
    model = tiny.eye()
    for row, column in ((0, 0), (2, 3), (5, 1)):
        pixels = np.zeros((24, 16, 3), np.uint8)
        pixels[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 255
        patches, inputs = look(model, pixels)
        _, dark = look(model, np.zeros((24, 16, 3), np.uint8))
        with torch.no_grad():
            found = [model.module.vit.embeddings(**one) for one in (inputs, dark)]
        differs = (found[0] - found[1]).abs().amax((0, 2)) > 1e-6
        assert [patches.texts[i] for i in torch.nonzero(differs).flatten().tolist()] == [f"r{row}c{column}"]
        assert patches.places[patches.texts.index(f"r{row}c{column}")] == (row, column)
        bright = [text for text, light in zip(patches, patches.brightness, strict=True) if light]
        assert bright == [f"r{row}c{column}"]
        assert patches.picture.rgb[patches.box((row, column))].min() == 255 and patches.picture.rgb.sum() == 255 * 48


def test_what_is_shown_is_what_is_read():
    patches, inputs = look(tiny.eye(), NOISE)
    expected = np.asarray(NOISE.resize((16, 24), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(patches.picture.rgb.astype(int) - expected).max() <= 1
    assert torch.allclose(patches.picture.valued(patches.picture.light), inputs["pixel_values"][0], atol=1e-5)


def test_a_second_special_token_is_named():
    config = DeiTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=16, patch_size=4
    )
    model = course.wrap(
        tiny._built(DeiTForImageClassification, config),
        ViTImageProcessorPil(size={"height": 16, "width": 16}),
        name="DeiT",
    )
    att = course.attend(model, NOISE)
    assert att.tokens.texts[:3] == ("[CLS]", "[DIST]", "r0c0") and att.tokens.special_positions == (0, 1)
    assert att.identities().hold and course.attribute(model, NOISE).complete


def test_models_that_do_not_fit_say_so():
    with pytest.raises(InputError, match="tiny ViT reads images but has no image processor"):
        look(tiny.vit(), NOISE)
    wrong = course.wrap(tiny.eye().module, ViTImageProcessorPil(size={"height": 8, "width": 8}), name="wrong")
    with pytest.raises(InputError, match=r"reads 3 × 24 × 16 .* gives 3 × 8 × 8"):
        look(wrong, NOISE)
    grey = course.wrap(tiny.eye(channels=1).module, tiny.eye().tokenizer, name="grey")
    with pytest.raises(InputError, match="image processor of grey cannot read a picture"):
        look(grey, NOISE)
    black = ViTImageProcessorPil(size={"height": 24, "width": 16}, rescale_factor=0.0)
    with pytest.raises(InputError, match="makes black and white alike"):
        look(course.wrap(tiny.eye().module, black, name="black"), NOISE)


def test_the_same_picture_is_equal_whatever_it_is_called(tmp_path):
    model = tiny.eye()
    NOISE.save(tmp_path / "x.png")
    one, other = look(model, NOISE)[0], look(model, tmp_path / "x.png")[0]
    assert one == other and hash(one) == hash(other) and one.picture.name != other.picture.name
    assert one != look(model, NOISE.rotate(180))[0]
