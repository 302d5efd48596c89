"""curve_view: what is drawn is what the record has, and curves that cannot be compared are refused."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import course
from course.faithfulness.deletion import DeletionCurve
from course.faithfulness.intervals import Interval
from course.views import ViewError
from course.views.curve_twin import COLOURS, DASHES, _dashed, ticks
from tests.views.synthetic import HOSTILE
from tests.views.test_view import Elements, page_tags


def curve_of(values=(0.9, 0.4, 0.2, 0.6), texts=("good", "a", "film"), method="occlusion", label="positive",
             model="Made up"):  # fmt: skip
    random = tuple(Interval(value, value / 2, min(1.0, value * 1.1)) for value in np.linspace(0.9, 0.6, len(values)))
    return DeletionCurve(
        tuple(texts), tuple(values), random, (0.5, 0.7), label, "tokens", method, model, "tokens deleted"
    )


def parcel(view):
    return json.loads(re.search(r'id="parcel">(.*?)</script>', view.page).group(1))


def pixels(view):
    return np.asarray(Image.open(io.BytesIO(view.png())).convert("RGB")).astype(int)


def test_the_page_has_the_numbers_of_the_record():
    curve = curve_of()
    found = parcel(course.curve_view(curve))
    assert found["lines"] == [list(curve.curve)] and found["random"][1] == pytest.approx([0.8, 0.4, 0.88])
    assert found["said"][0] == "0 of 3 removed: occlusion 0.900, random orders 0.900 [0.450, 0.990]"
    assert found["said"][2] == "2 of 3 removed: occlusion 0.200 (−a), random orders 0.700 [0.350, 0.770]"
    assert len(found["said"]) == 4


def test_the_words_have_the_areas_and_the_steps():
    view = course.curve_view(curve_of())
    assert "area under the curve 0.450" in view.summary and "chance of an order as good 0.33" in view.summary
    assert "occlusion: 0.900, −good 0.400, −a 0.200, −film 0.600" in view.summary
    assert "falling lines over 3 steps" in view.alt and "area under the curve 0.450" in view.alt


def test_the_picture_has_each_curve_where_its_values_are():
    one, two = curve_of((1, 0, 0, 0)), curve_of((1, 1, 1, 1), method="attention")
    found = pixels(course.curve_view(one, two))
    rows = []
    for colour in COLOURS[:2]:
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        near = np.abs(found - wanted).max(-1) < 12
        rows.append(np.nonzero(near[:, 700:1000])[0])  # the right part of the plot
    height = 270 * 1.5
    low = np.median(rows[0][rows[0] > 60])
    high = np.median(rows[1][rows[1] > 60])
    assert low - high == pytest.approx(height, abs=4)


def test_dashes_cover_their_share_and_stay_on_the_line():
    points = np.array([(0.0, 0.0), (30.0, 40.0), (90.0, 40.0)])
    pieces = _dashed(points, (7, 4))
    lengths = np.hypot(*(pieces[:, 1] - pieces[:, 0]).T)
    assert lengths.sum() == pytest.approx(7 * 10)  # of 110: ten dashes and ten gaps
    assert lengths.max() <= 7 + 1e-9
    on_first = np.isclose(pieces[..., 1] * 3, pieces[..., 0] * 4) & (pieces[..., 0] <= 30)
    assert np.all(on_first | np.isclose(pieces[..., 1], 40))
    assert len(DASHES) == len(COLOURS) == len(set(DASHES))


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 19, 100, 509, 5000])
def test_ticks_are_few_even_and_end_at_the_last_step(count):
    found = ticks(count)
    assert found[0] == 0 and found[-1] == count and len(found) <= 12
    assert found == sorted(set(found)) and len(set(np.diff(found[:-1]))) <= 1


def test_curves_that_cannot_be_compared_are_refused():
    first = curve_of()
    for other, why in (
        (curve_of(label="negative", method="attention"), "label differs"),
        (curve_of(model="Other", method="attention"), "model differs"),
        (replace(curve_of(method="attention"), removal="tokens masked"), "removal differs"),
        (curve_of(texts=("bad", "a", "film"), method="attention"), "different texts"),
        (curve_of((0.8, 0.4, 0.2, 0.6), method="attention"), "different texts"),
    ):
        with pytest.raises(ViewError, match=why):
            course.curve_view(first, other)
    with pytest.raises(ViewError, match="1 to 4 deletion curves, not 0"):
        course.curve_view()
    with pytest.raises(ViewError, match="not 5"):
        course.curve_view(*[first] * 5)
    with pytest.raises(ViewError, match=r"not str: call course.deletion_curve"):
        course.curve_view("curve")


def test_names_tell_curves_of_one_method_apart():
    with pytest.raises(ViewError, match=r"names that differ, not 'occlusion', 'occlusion'"):
        course.curve_view(curve_of(), curve_of())
    with pytest.raises(ViewError, match="one for each of the 2 curves, not 1"):
        course.curve_view(curve_of(), curve_of(), names=["mask"])
    view = course.curve_view(curve_of(), curve_of((0.9, 0.8, 0.7, 0.6)), names=["mask", "pad"])
    assert parcel(view)["names"] == ["mask", "pad"] and "Pad: area under the curve 0.750" in view.summary


def test_hostile_text_stays_text_and_the_bytes_are_the_same_again():
    texts = HOSTILE[:18]
    values = np.linspace(1, 0, len(texts) + 1)
    for hostile in HOSTILE[:6]:
        curve = curve_of(values, texts, label=hostile, model=hostile)
        view = course.curve_view(curve, names=[hostile])
        outer = Elements(view.html)
        assert outer.names == ["div", "img", "iframe"]
        assert Elements(outer.tags[2][1]["srcdoc"]).names == page_tags(view.page)
        again = course.curve_view(curve, names=[hostile])
        assert view.html == again.html and view.png() == again.png()


def test_a_text_of_one_token_has_a_picture():
    view = course.curve_view(curve_of((0.9, 0.6), ("good",)))
    assert pixels(view).std() > 10 and len(parcel(view)["said"]) == 2


def test_a_real_curve_is_drawn():
    model = course.load("planted")
    text = "the dog and the happy cat passed the river"
    curves = [
        course.deletion_curve(model, course.attribute(model, text, method=method), orders=5)
        for method in ("integrated_gradients", "attention")
    ]
    view = course.curve_view(*curves)
    assert "−happy" in view.summary and "attention" in parcel(view)["names"]
