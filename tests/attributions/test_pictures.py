"""attribute() on images: identities, captum's own calls on pixels, and patches replaced by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, Occlusion

import course
from course.attributions.attribution import METHODS
from course.vision.baselines import BASELINES, baseline_of
from course.vision.looking import look
from tests import tiny

IMAGE = np.random.default_rng(3).integers(0, 255, (24, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return tiny.eye()


@pytest.fixture(scope="module")
def digits():
    return course.load("digits")


def per_patch(pixels, patches):
    """1 x channels x height x width -> the sum over each patch, in reading order."""
    return [float(pixels[(0, slice(None), *patches.box(place))].sum()) for place in patches.places if place]


@pytest.mark.parametrize("baseline", list(BASELINES))
@pytest.mark.parametrize("of", ["logit", "probability"])
def test_gradients_are_complete(model, digits, baseline, of):
    for eye, image in ((model, IMAGE), (digits, course.digit_images(1)[0].image)):
        found = course.attribute(eye, image, baseline=baseline, of=of)
        assert found.complete and found.gap <= 1e-3 * abs(found.change) + 1e-6 and found.predicted
        assert float(found.values[0]) == 0 and BASELINES[baseline] in found.baseline
        top = course.rank(eye, image).top
        assert found.target == top.label
        if of == "probability":
            assert found.score == pytest.approx(top.probability, abs=1e-5)


def test_patches_have_what_captum_gives_their_pixels(digits):
    """Its own integrated gradients, not by layer: the embedding of a patch is linear, so the sums are equal."""
    image = course.digit_images(2)[1].image
    patches, inputs = look(digits, image)
    other = baseline_of(digits, patches, "mean")[0]
    method = IntegratedGradients(lambda pixels: digits.module(pixel_values=pixels).logits[:, 4])
    expected = method.attribute(inputs["pixel_values"], other, n_steps=128, method="gausslegendre")
    found = course.attribute(digits, image, target="4", baseline="mean", tolerance=1e-5)
    assert found.values[1:].tolist() == pytest.approx(per_patch(expected.detach(), patches), abs=2e-4)


def test_gradient_x_input_differs_from_that_of_pixels_by_what_does_not_depend_on_them(model):
    """Positions and bias are in the embedding, too; with the baseline's embedding taken away, they are gone."""
    patches, inputs = look(model, IMAGE)
    found = course.attribute(model, IMAGE, target=0, method="gradient_x_input")
    embeddings = model.module.vit.embeddings
    kept = []
    hook = embeddings.register_forward_hook(lambda _m, _a, out: kept.append(out) or out.retain_grad())
    model.module(**inputs).logits[0, 0].backward()
    hook.remove()
    model.module.zero_grad(set_to_none=True)
    assert found.values.tolist() == pytest.approx((kept[0].grad * kept[0]).sum(-1)[0].tolist(), abs=1e-5)
    pixels = InputXGradient(lambda x: model.module(pixel_values=x).logits[:, 0]).attribute(
        inputs["pixel_values"].clone().requires_grad_()
    )
    with torch.no_grad():
        nothing = embeddings(torch.zeros_like(inputs["pixel_values"]))
    rest = (kept[0].grad * nothing).sum(-1)[0, 1:]
    assert (found.values[1:] - rest).tolist() == pytest.approx(per_patch(pixels.detach(), patches), abs=1e-4)


@pytest.mark.parametrize("baseline", list(BASELINES))
def test_occlusion_is_the_loss_of_each_patch_painted_over(model, baseline):
    patches, inputs = look(model, IMAGE)
    other = baseline_of(model, patches, baseline)[0]
    found = course.attribute(model, IMAGE, target=1, method="occlusion", baseline=baseline, of="probability")

    def score(pixels):
        return model.module(pixel_values=pixels).logits.softmax(-1)[:, 1]

    with torch.no_grad():
        whole = score(inputs["pixel_values"])
        for i, place in enumerate(patches.places):
            if place is not None:
                pixels = inputs["pixel_values"].clone()
                pixels[(0, slice(None), *patches.box(place))] = other[(0, slice(None), *patches.box(place))]
                assert float(found.values[i]) == pytest.approx(float(whole - score(pixels)), abs=1e-5)
        window = Occlusion(score).attribute(inputs["pixel_values"], (3, 4, 4), (3, 4, 4), baselines=other)
    assert found.values[1:].tolist() == pytest.approx([v / 48 for v in per_patch(window, patches)], abs=1e-5)
    assert float(found.values[0]) == 0


def test_attention_is_the_last_layer_from_cls(model):
    found = course.attribute(model, IMAGE, method="attention")
    assert found.values.tolist() == pytest.approx(course.attend(model, IMAGE).weights[-1].mean(0)[0].tolist(), abs=1e-6)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_portion_of_one_row_gives_the_same_numbers_and_changes_nothing(method):
    model = tiny.eye()
    course.attend(model, IMAGE)
    before = copy.deepcopy(model.module.state_dict())
    hooks = [len(part._forward_hooks) for part in model.module.modules()]
    found, again, single = (course.attribute(model, IMAGE, method=method, batch_size=size) for size in (None, None, 1))
    assert found.values.tolist() == again.values.tolist()
    assert found.values.tolist() == pytest.approx(single.values.tolist(), abs=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.module.state_dict().items())
    assert [len(part._forward_hooks) for part in model.module.modules()] == hooks
    assert all(parameter.grad is None for parameter in model.module.parameters())


def test_what_is_as_in_the_baseline_has_nothing(digits):
    found = course.attribute(digits, course.digit_images(label=1)[0].image, baseline="black")
    black = [value for value, light in zip(found.values.tolist(), found.tokens.brightness, strict=True) if light == 0]
    assert len(black) > 5 and max(map(abs, black)) < 1e-6
    same = course.attribute(digits, course.digit_images(1)[0].image, baseline=course.digit_images(1)[0].image)
    assert same.change == 0 and same.values.abs().max() < 1e-6


def test_printing_counts_patches(model):
    found = course.attribute(model, IMAGE)
    assert "24 patches, for 'LABEL_" in repr(found) and "a black picture" in repr(found)
    with pytest.raises(course.InputError, match="no parts of words"):
        found.words()
    with pytest.raises(course.InputError, match="no characters"):
        found.characters()
    with pytest.raises(course.InputError, match="one image at a time"):
        course.attribute(model, IMAGE, "a text")
    with pytest.raises(
        course.AttributionError, match="baseline must be one of 'black', 'white', 'mean', 'blur', not 'mask'"
    ):
        course.attribute(model, IMAGE, baseline="mask")
    with pytest.raises(course.AttributionError, match="gives neither labels nor answers"):
        course.attribute(tiny.vit(), IMAGE)
    with pytest.raises(course.AttributionError, match="write target='LABEL_1'"):
        course.attribute(model, IMAGE, "LABEL_1")
    assert set(found._repr_mimebundle_()[0]) == {"text/html", "image/png", "text/plain"}


def test_heat_lies_on_the_ink_of_digits_more_than_a_random_map_does(digits):
    """Mean over digits: the share of heat on patches with ink, less the share of such patches, which chance gives."""
    gains = {"black": [], "mean": [], "rollout": []}
    for one in course.digit_images(12):
        att = course.attend(digits, one.image)
        ink = torch.tensor([light is not None and light > 0.25 for light in att.tokens.brightness])
        maps = {name: course.attribute(digits, one.image, baseline=name).values.abs() for name in ("black", "mean")}
        maps["rollout"] = course.measures.rollout(att).weights[-1, 0, 0].double()
        for name, heat in maps.items():
            gains[name].append(float(heat[1:][ink[1:]].sum() / heat[1:].sum() - ink[1:].double().mean()))
    means = {name: sum(values) / len(values) for name, values in gains.items()}
    assert means["black"] > 0.3 and means["mean"] > 0.15 and means["rollout"] > 0.1
