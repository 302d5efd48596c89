import gzip
import json
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

import course.views
from course.differences.attention_diff import diff
from course.views import diff_view
from course.views.selection import READINGS
from tests.views.synthetic import PAIR, attention, encoder_decoder

FOLDER = Path(course.views.__file__).parent


def parcel(view):
    return json.loads(re.search(r'id="parcel">(.*?)</script>', view.page, re.DOTALL)[1])


def carried(view):
    return np.frombuffer(gzip.decompress(b64decode(parcel(view)["weights"])), np.uint8)


def changed(layers=2, heads=3, *rest, **settings):
    return diff(
        attention(layers, heads, *rest, seed=1, **settings), attention(layers, heads, *rest, seed=2, **settings)
    )


def test_the_renderer_is_small_and_needs_nothing():
    script, style = (FOLDER.joinpath(name).read_text(encoding="utf-8") for name in ("grid.js", "grid.css"))
    assert len(script.encode()) < 20_000
    assert len(style.encode()) < 5_000
    assert script.startswith('"use strict";')
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|https?:", script)
    assert not re.search(r"url\(|@import|https?:", style)


def test_every_reading_has_its_own_exact_bytes():
    difference = changed(2, 3, PAIR, second=6)
    view = diff_view(difference)
    found, data = parcel(view), carried(view)
    assert list(found["notes"]) == [READINGS[0], READINGS[2]]
    for part, record in zip(found["parts"], (difference, difference.without_special()), strict=True):
        size = record.change.numel()
        plane = data[part["start"] :][: 2 * size]
        assert part["queries"] == list(record.queries)
        assert np.abs(plane[:size] / 255 - record.before.weights.flatten().numpy()).max() <= 1 / 510 + 1e-6
        change = plane[size:].view(np.int8) * found["scale"] / 127.5
        assert np.abs(change - record.change.flatten().numpy()).max() <= found["scale"] / 255 + 1e-6
    assert len({(choice["reading"], choice["label"]) for choice in found["choices"]}) == 10


def test_selection_is_carried_in_the_order_given():
    difference = changed(4, 6)
    found = parcel(diff_view(difference, layers=[3, 1], heads=[5, 0]))
    assert (found["parts"][0]["layers"], found["parts"][0]["heads"]) == ([3, 1], [5, 0])
    expected = [[f"{value:.2f}" for value in row] for row in difference.total_variation[[3, 1]][:, [5, 0]].tolist()]
    assert found["parts"][0]["measures"] == expected
    layer, head, row, column = found["choices"][0]["table"][0]["place"]
    most = difference.moved(1, layers=[3, 1], heads=[5, 0])[0]
    assert ([3, 1][layer], [5, 0][head], row, column) == (most.layer, most.head, most.row, most.column)


def test_encoder_decoder_carries_all_three_on_one_scale():
    view = diff_view(diff(encoder_decoder(), encoder_decoder()))
    found = parcel(view)
    assert [choice["label"] for choice in found["choices"]] == ["Encoder", "Decoder", "Cross"]
    assert [len(part["layers"]) for part in found["parts"]] == [4, 2, 2]


def test_page_says_how_far_its_numbers_may_be_off():
    view = diff_view(changed())
    assert f"the change by {parcel(view)['scale'] / 255:.4f}" in view.page


@pytest.mark.parametrize("tokens", [17, 30])
def test_size_of_six_layers_twelve_heads(tokens):
    assert len(diff_view(changed(6, 12, tuple(f"w{i}" for i in range(tokens)))).html) <= 450_000
