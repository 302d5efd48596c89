import gzip
import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from course.views import ViewError, head_view, model_view
from course.views.attention_views import LINES
from course.views.selection import READINGS, readings_of
from tests.views.synthetic import PAIR, attention, encoder_decoder, tokens_of

ROOT = Path(__file__).parents[2]


def parcel(view):
    return json.loads(re.search(r'id="parcel">(.*?)</script>', view.page, re.DOTALL)[1])


def carried(view):
    return np.frombuffer(gzip.decompress(b64decode(parcel(view)["weights"])), np.uint8)


def of_first_part(view):
    """The weights of the first reading, which the page begins with."""
    found = parcel(view)["parts"]
    return carried(view)[: found[1]["start"] if len(found) > 1 else None]


def words(count):
    return tuple(f"w{i}" for i in range(count))


def test_size_of_six_layers_twelve_heads_seventeen_tokens():
    att = attention(6, 12, words(17))
    assert len(head_view(att).page) <= 200_000
    assert len(model_view(att).page) <= 200_000
    assert len(model_view(att).html) <= 250_000


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_weights_travel_once_and_are_off_by_at_most_one_in_510(draw):
    pair = attention(3, 4, PAIR, second=6)
    found = of_first_part(draw(pair))
    assert found.size == pair.weights.numel()
    assert np.abs(found / 255 - pair.weights.flatten().numpy()).max() <= 1 / 510 + 1e-7


def test_encoder_decoder_with_unequal_layers_carries_all_three():
    att = encoder_decoder(4, 2)
    found = parcel(model_view(att))
    assert [part["layers"] for part in found["parts"]] == [[0, 1, 2, 3], [0, 1], [0, 1]]
    assert carried(model_view(att)).size == sum(part.weights.numel() for part in (att.encoder, att.decoder, att.cross))
    assert [choice["label"] for choice in found["choices"]] == ["Encoder", "Decoder", "Cross"]
    assert found["parts"][2]["queries"] == list(att.decoder.queries)
    assert found["parts"][2]["keys"] == list(att.encoder.keys)


@pytest.mark.parametrize("draw", [head_view, model_view])
def test_page_offers_words_and_no_special_tokens_with_exact_weights(draw):
    tokens = replace(tokens_of(PAIR, 6), words=(None, 0, 1, 2, 2, None, 0, 1, 2, 2, None))
    att = replace(attention(2, 3, PAIR, second=6), queries=tokens, keys=tokens)
    view = draw(att)
    found, weights = parcel(view), carried(view)
    assert list(found["notes"]) == list(READINGS)
    expected = (att, att.words(), att.without_special(), att.words().without_special())
    for part, record in zip(found["parts"], expected, strict=True):
        assert part["queries"] == list(record.queries)
        own = weights[part["start"] :][: record.weights.numel()] / 255
        assert np.abs(own - record.weights.flatten().numpy()).max() <= 1 / 510 + 1e-6
    assert found["parts"][1]["queries"][3] == "sleeps."
    named = [(choice["reading"], choice["label"], choice["part"]) for choice in found["choices"]]
    assert len(named) == 20
    assert named[12] == (READINGS[2], "Sentence B → sentence B", 2)
    assert "they held" in "".join(found["notes"][READINGS[2]])
    assert "they held" not in "".join(found["notes"][READINGS[0]])


def test_readings_that_change_nothing_are_not_offered():
    plain = attention(2, 3, ("a", "b", "c"))
    assert list(readings_of(plain)) == [READINGS[0]]
    assert list(readings_of(attention(2, 3))) == [READINGS[0], READINGS[2]]
    assert list(readings_of(attention(2, 3).without_special())) == [READINGS[0]]
    only_special = attention(1, 1, ("[CLS]", "[SEP]"))
    assert list(readings_of(only_special)) == [READINGS[0]]
    assert parcel(head_view(only_special))["choices"][0]["reading"] == READINGS[0]


def test_other_readings_are_left_out_where_they_would_be_too_much():
    assert len(parcel(model_view(attention(6, 12, (*words(30), "[SEP]")), layers=[0]))["parts"]) == 2
    assert len(parcel(model_view(attention(6, 12, (*words(30), "[SEP]"))))["parts"]) == 1


def test_theme_is_the_readers_unless_it_is_given():
    for draw in (head_view, model_view):
        auto, dark = draw(attention(1, 2)), draw(attention(1, 2), theme="dark")
        assert "color-scheme:light dark" in auto.html and '<html lang="en">' in auto.page
        assert '<html lang="en" data-theme="dark">' in dark.page and "color-scheme:dark" in dark.html
        with pytest.raises(ViewError, match="theme must be one of 'auto', 'light', 'dark', not 'blue'"):
            draw(attention(1, 2), theme="blue")


def test_model_view_carries_the_selection_in_the_order_given():
    att = attention(4, 6)
    view = model_view(att, layers=[3, 1], heads=[5, 0])
    assert (parcel(view)["parts"][0]["layers"], parcel(view)["parts"][0]["heads"]) == ([3, 1], [5, 0])
    expected = att.weights[[3, 1]][:, [5, 0]].mul(255).round().byte().flatten()
    assert torch.equal(torch.from_numpy(of_first_part(view).copy()), expected)


def test_head_view_keeps_the_other_heads_at_hand():
    found = parcel(head_view(attention(4, 6), layer=2, heads=[5]))
    assert (found["layer"], found["heads"]) == (2, [5])
    assert found["parts"][0]["heads"] == [0, 1, 2, 3, 4, 5]


def switched(view, lines):
    """The view has heat maps, and says why wherever it says something."""
    why = f"would be {lines} lines, and a browser draws 150,000 without stalling; drawn as heat maps instead."
    assert all(why in said for said in (view.page.replace("&amp;", "&"), view.alt, view.summary))
    return parcel(view)["signed"] is False


def drawn_as_lines(view):
    return "heat maps" not in view.summary and parcel(view)["view"] in ("head", "model")


def test_head_view_of_many_tokens_becomes_heat_maps_of_that_layer():
    att = attention(2, 12, words(150))
    view = head_view(att, layer=1)
    assert switched(view, "270,000") and "1 layer × 12 heads × 150 queries × 150 keys" in view.summary
    assert parcel(view)["parts"][0]["layers"] == [1] and len(parcel(view)["parts"][0]["heads"]) == 12
    assert np.abs(carried(view) / 255 - att.weights[1].flatten().numpy()).max() <= 1 / 510 + 1e-6
    few = head_view(att, layer=1, heads=[7, 3])
    assert drawn_as_lines(few) and parcel(few)["parts"][0]["heads"] == [3, 7]
    some = head_view(att, layer=1, heads=[9, 8, 7, 6, 5, 4, 3])
    assert switched(some, "157,500") and parcel(some)["parts"][0]["heads"] == [3, 4, 5, 6, 7, 8, 9]


def test_one_head_of_very_many_tokens_becomes_a_heat_map():
    view = head_view(attention(1, 1, words(400)))
    assert switched(view, "160,000") and "1 layer × 1 head × 400 queries" in view.summary


def test_model_view_becomes_heat_maps_where_lines_are_too_many():
    att = attention(6, 12, words(64), second=32)
    assert LINES >= 3 * 12 * 64**2
    assert drawn_as_lines(model_view(att, layers=[0, 1, 2]))
    view = model_view(att, heads=[3, 1, *range(4, 12)], show="A→B", theme="dark")
    assert switched(view, "245,760")
    found = parcel(view)
    assert found["parts"][0]["heads"][:2] == [3, 1] and found["choices"][found["choice"]]["rows"] == [0, 32]
    assert 'data-theme="dark"' in view.page and "(sentence A → sentence B)" in view.summary


def test_too_many_lines_in_one_of_three_is_named():
    long = encoder_decoder(1, 1, 12, source=words(120), target=words(3))
    view = head_view(long, show="cross")
    assert "= 172,800" not in view.summary and "would be 172,800 lines (the encoder)" in view.summary
    assert [choice["label"] for choice in parcel(view)["choices"]] == ["Encoder", "Decoder", "Cross"]


def test_heat_maps_above_the_budget_say_what_to_choose(monkeypatch):
    monkeypatch.setattr("course.views.view.BUDGET", 50_000)
    with pytest.raises(ViewError, match=r"0\.\d MB into the notebook.* choose fewer layers with layers=.* or merge"):
        model_view(attention(2, 12, words(100)))


def test_output_above_the_budget_is_refused(monkeypatch):
    monkeypatch.setattr("course.views.view.BUDGET", 30_000)
    for draw in (head_view, model_view):
        with pytest.raises(ViewError, match=r"would put 0\.\d MB into the notebook.* merge sub-words with \.words"):
            draw(attention(1, 2))


PROGRAM = """
import hashlib
from tests.views.synthetic import PAIR, attention, encoder_decoder
from course.views import head_view, model_view
pair, three = attention(2, 12, PAIR, second=6), encoder_decoder()
for view in (head_view(pair, 1, [2, 7]), model_view(pair, show="A→B"), head_view(three), model_view(three)):
    for text in (view.html, view.page, view.png(), view.svg(), view.alt, view.summary):
        print(hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest())
"""


def test_same_input_gives_same_bytes_in_two_processes(tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.family: serif\nlines.linewidth: 5\nfigure.facecolor: red\n")
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for settings in (
            {"PYTHONHASHSEED": "1", "TZ": "UTC"},
            {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")},
        )
    ]
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0].split())) == 24
